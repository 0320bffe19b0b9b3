export {
  BundleProtocol,
  type ControlRequest,
  type ControlResponse,
  type Reports,
} from "./protocol.ts";
export {
  BundlePublisher,
  type BundleStatus,
  currentBundlePath,
  type PublisherParts,
} from "./publisher.ts";
