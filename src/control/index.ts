export {
  BundleProtocol,
  BundlePublisher,
  type BundleStatus,
  type ControlRequest,
  type ControlResponse,
  currentBundlePath,
  type PublisherParts,
} from "./bundles/index.ts";
