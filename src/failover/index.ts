export type { ProbeAnswer, ProbeBinding, ProbeVerdict } from "./answer.ts";
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
export type { Verification, VerificationKind } from "./verification.ts";
