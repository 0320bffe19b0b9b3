export { AdminApi, type ApproverProof, adminDocument, type CompiledCheck } from "./admin-api.ts";
