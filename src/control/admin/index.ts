export { AdminApi, type ApproverProof, adminDocument, type CompiledCheck } from "./admin-api.ts";
export type { ModelQuestion } from "./model-routes.ts";
