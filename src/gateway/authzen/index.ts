export { type AuthZen, authZen, evaluationPath, evaluationsPath, metadataPath } from "./authzen.ts";
export { type EnforcementPoint, replaceArguments } from "./subject.ts";
