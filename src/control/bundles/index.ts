export {
  BundleProtocol,
  type ControlRequest,
  type ControlResponse,
} from "./protocol.ts";
export {
  BundlePublisher,
  type BundleStatus,
  currentBundlePath,
  type PublisherParts,
} from "./publisher.ts";
export type { OpaInstance } from "./reports.ts";
