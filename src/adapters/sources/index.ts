export { batchesOf, type ReadBatches, type SourceBatch } from "./batches.ts";
export type { LastSamples } from "./otlp-metrics.ts";
export type { LastSenders } from "./otlp-senders.ts";
export { fileBytesMax, type SourceFile, sources } from "./read.ts";
export {
  type CountedSpans,
  type Source,
  type SourceDocument,
  type SourceFault,
  type Telling,
  type Told,
  usualTelling,
} from "./source.ts";
export { type ListedScope, type SeenChange, WatchedCluster } from "./watched-cluster.ts";
