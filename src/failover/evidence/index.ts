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
export { instantMs, instantText } from "./instant.ts";
export { assessmentResults, type Ownership, planOfAction } from "./oscal.ts";
export { oscalProblems } from "./oscal-check.ts";
export { uuidOf } from "./uuid.ts";
