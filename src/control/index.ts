export {
  BundleProtocol,
  BundlePublisher,
  type BundleStatus,
  type ControlRequest,
  type ControlResponse,
  currentBundlePath,
  type PublisherParts,
  type Reports,
} from "./bundles/index.ts";
