export { batchesOf, type ReadBatches, type SourceBatch } from "./batches.ts";
export { fileBytesMax, type SourceFile, sources } from "./read.ts";
export type { Source, SourceDocument, SourceFault, Telling, Told } from "./source.ts";
