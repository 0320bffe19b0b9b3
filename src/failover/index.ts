export type { ProbeAnswer, ProbeBinding, ProbeVerdict } from "./answer.ts";
export { addressesOf, boundBy, isActive } from "./bound-by.ts";
export { checkManifest } from "./check-manifest.ts";
export { areasOf } from "./check-residency.ts";
export { type Difference, differences } from "./differences.ts";
export {
  type Acting,
  type Activity,
  type ActivityRun,
  blastRadiusRefusals,
  type Control,
  type ControlFinding,
  type DrillDue,
  type DrillFindings,
  type DrillJournal,
  type DrillPast,
  type DrillTarget,
  type DrillVerdict,
  drillPayloadType,
  drillsDue,
  type Experiment,
  type ExperimentOptions,
  type ExperimentProblem,
  type FindsPattern,
  type Governance,
  type HttpProvider,
  isBelow,
  isMet,
  type Judged,
  judgeDrill,
  type Look,
  type ProcessProvider,
  type ProofFinding,
  type Provider,
  readExperiment,
  type StateFinding,
  type SteadyState,
  type Surroundings,
  type Tolerance,
} from "./drill/index.ts";
export {
  cosignEnvelope,
  type Envelope,
  type EnvelopeSigner,
  envelopeVerifiers,
  type OpenedEnvelope,
  openEnvelope,
  parseEnvelope,
  signEnvelope,
} from "./envelope.ts";
export type {
  BreakGlassUse,
  FailoverOutcome,
  FailoverRecord,
  FailoverStart,
  RemediationAttempt,
  ResidencyFinding,
  WatermarkFinding,
} from "./event-record.ts";
export { type Filling, fillVerification } from "./fill.ts";
export type { GatePhase } from "./gate.ts";
export {
  appliesAt,
  type Component,
  type ComponentClass,
  componentClasses,
  type DegradedTier,
  type Manifest,
  manifestDigest,
  manifestPayloadType,
  type NotApplicable,
  type OnFailure,
  type Profile,
  profiles,
  type Site,
} from "./manifest.ts";
export type { ManifestFault } from "./manifest-fault.ts";
export type { Verification, VerificationKind } from "./verification.ts";
