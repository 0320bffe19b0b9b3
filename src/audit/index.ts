export { type CallComplaint, CallTrail, isForwarded, type OpenCall } from "./calls.ts";
export {
  type Checkpoint,
  checkpointText,
  openCheckpoint,
  parseCheckpointText,
  peekCheckpoint,
  signCheckpoint,
} from "./checkpoint.ts";
export type {
  CallOutcome,
  DecisionEntry,
  DigestEntry,
  Entry,
  EntryOrigin,
  OutcomeEntry,
  PolicyEntry,
  StartEntry,
} from "./entry.ts";
export { blobPath, decodeEntry, type EncodedEntry, encodeEntry } from "./entry-codec.ts";
export type { Finding, FindingCode } from "./finding.ts";
export { HashTree } from "./hash-tree.ts";
export {
  encodeRecord,
  type JournalRecord,
  type JournalSegment,
  readSegment,
  segmentFirst,
  segmentPath,
} from "./journal.ts";
export {
  checkpointPath,
  type FileError,
  type LogFiles,
  readBundle,
  readTile,
  resolveEntry,
  vkeyPath,
} from "./log-files.ts";
export {
  encodeVkey,
  type Note,
  type NoteSignature,
  type NoteVerifier,
  noteKeyId,
  noteVerifier,
  openNote,
  parseNote,
  parseVkey,
  signatureType,
  signNote,
} from "./note.ts";
export { formatProof, type Proven, parseProof, type TlogProof, verifyReceipt } from "./proof.ts";
export { type IndexedEntry, readEntries } from "./read-entries.ts";
export {
  decodeBundle,
  encodeBundle,
  entryBytesMax,
  type Tile,
  tilePath,
  tilesOf,
  tileWidth,
} from "./tile.ts";
export {
  type ConsistencyClaim,
  consistencyProof,
  emptyRoot,
  hashBytes,
  type InclusionClaim,
  inclusionProof,
  leafHash,
  type NodeAt,
  nodeHash,
  rootOf,
  sameHash,
  verifyConsistency,
  verifyInclusion,
} from "./tree.ts";
export { type LogReport, type VerifyRequest, verifyLog } from "./verify.ts";
