export { type KeptLogSource, ModelKeeper, type ModelKeeperParts } from "./model-keeper.ts";
export { type Batch, ModelLog, type NewBatch, type Taken } from "./model-log.ts";
export { Predictions, type Settling } from "./predictions.ts";
export {
  type Forgotten,
  forget,
  isScattered,
  type Refreshed,
  RememberedModel,
} from "./remembered-model.ts";
export {
  type WatchedKind,
  type WatchStatus,
  watchSilentMs,
  watchStatuses,
  writeWatchStatus,
} from "./watch-status.ts";
