export { assess } from "./assess.ts";
export {
  type Assessed,
  type Evidence,
  type EvidenceRef,
  type ParityFinding,
  type RequirementId,
  requirements,
  type Weakness,
} from "./evidence.ts";
export { assessmentResults, type Ownership, planOfAction } from "./oscal.ts";
export { oscalProblems } from "./oscal-check.ts";
export {
  type GrtPoint,
  grtSeries,
  jsonBytes,
  type PackContent,
  type PackFiles,
  packFiles,
  packIndexPath,
  packPayloadType,
} from "./pack.ts";
export { parityIn } from "./parity-in.ts";
export { evidenceIn } from "./read-pack.ts";
export {
  classOf,
  type EvidenceClass,
  expiryOf,
  mayRead,
  type RetentionRules,
  retentionDefault,
  retentionRules,
} from "./retention.ts";
export { uuidOf } from "./uuid.ts";
export { type PackReport, verifyPack } from "./verify-pack.ts";
