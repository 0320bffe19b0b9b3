export { AdminApi, type ApproverProof, type CompiledCheck } from "./admin/index.ts";
export {
  ApprovalDesk,
  Approvers,
  type DeskRefusal,
  type KnownApprover,
} from "./approvals/index.ts";
export {
  BundleProtocol,
  BundlePublisher,
  type BundleStatus,
  type ControlRequest,
  type ControlResponse,
  currentBundlePath,
  type PublisherParts,
} from "./bundles/index.ts";
export { ApprovalPage, cookieJar, Sessions } from "./page/index.ts";
export { changeSwitches } from "./switches.ts";
export type { WebRequest, WebResponse } from "./web.ts";
