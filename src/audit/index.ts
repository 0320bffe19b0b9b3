export { fromBase64, toBase64 } from "./base64.ts";
export { CallTrail, type OpenCall } from "./calls.ts";
export {
  type Checkpoint,
  openCheckpoint,
  parseCheckpointText,
  peekCheckpoint,
  signCheckpoint,
} from "./checkpoint.ts";
export { openCosignature } from "./cosignature.ts";
export type {
  ApprovalEntry,
  AttemptEntry,
  BreakerEntry,
  CallOutcome,
  DecisionEntry,
  DigestEntry,
  DrillEntry,
  Entry,
  EntryOrigin,
  EscrowEntry,
  FailoverEntry,
  KillEntry,
  OutcomeEntry,
  PermitEntry,
  PolicyEntry,
  SearchEntry,
  StartEntry,
} from "./entry.ts";
export { decodeEntry, encodeEntry } from "./entry-codec.ts";
export type { Finding } from "./finding.ts";
export { HashTree } from "./hash-tree.ts";
export {
  encodeRecord,
  type JournalRecord,
  readSegment,
  segmentFirst,
  segmentPath,
} from "./journal.ts";
export {
  checkpointPath,
  type LogFiles,
  readBundle,
  resolveEntry,
  vkeyPath,
} from "./log-files.ts";
export {
  encodeVkey,
  type NoteVerifier,
  noteVerifier,
  openNote,
  parseVkey,
  signatureType,
  signNote,
} from "./note.ts";
export { formatProof, parseProof, verifyReceipt } from "./proof.ts";
export { type IndexedEntry, readEntries } from "./read-entries.ts";
export { readConsistencyProof, readInclusionProof } from "./read-proof.ts";
export {
  decodeBundle,
  encodeBundle,
  tilePath,
  tilesOf,
  tileWidth,
} from "./tile.ts";
export {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  sameHash,
  verifyConsistency,
  verifyInclusion,
} from "./tree.ts";
export { type LogReport, type VerifyRequest, verifyLog } from "./verify.ts";
