export type { ProbeAnswer, ProbeBinding, ProbeVerdict } from "./answer.ts";
export { addressesOf, boundBy, isActive } from "./bound-by.ts";
export {
  type BreakGlassGranted,
  type BreakGlassOrder,
  breakGlassType,
  readBreakGlass,
} from "./break-glass.ts";
export type { Failing, GateComponent, GateRules } from "./check.ts";
export { checkManifest } from "./check-manifest.ts";
export { areasOf } from "./check-residency.ts";
export {
  type Conformance,
  requirementsNamed,
  scoreConformance,
  type TestRun,
  testRuns,
} from "./conformance/index.ts";
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
export {
  type Assessed,
  assess,
  assessmentResults,
  classOf,
  type Evidence,
  type EvidenceClass,
  type EvidenceRef,
  evidenceIn,
  expiryOf,
  type GrtPoint,
  grtSeries,
  instantMs,
  instantText,
  jsonBytes,
  mayRead,
  type Ownership,
  oscalProblems,
  type PackContent,
  type PackFiles,
  type PackReport,
  type ParityFinding,
  packFiles,
  packIndexPath,
  packPayloadType,
  planOfAction,
  type RequirementId,
  type RetentionRules,
  requirements,
  retentionDefault,
  retentionRules,
  uuidOf,
  verifyPack,
  type Weakness,
} from "./evidence/index.ts";
export { type Filling, fillVerification } from "./fill.ts";
export { next } from "./gate.ts";
export {
  allowsNoMore,
  type BreakGlassGrant,
  type GateEffect,
  type GateEvent,
  type GatePhase,
  type GateState,
  type GateStep,
  gateStart,
  permitted,
} from "./gate-state.ts";
export { type Lease, type LeaseSeen, leaseKey, look, readLease, taken, waitMs } from "./lease.ts";
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
export { failoverMetrics, type RecordedGauge, recordGauges } from "./metrics.ts";
export {
  bytesDigest,
  type Drift,
  drifts,
  type FileForm,
  formOf,
  type ParityState,
  parityType,
  readParity,
  structuredDigest,
  textDigest,
} from "./parity.ts";
export {
  checkPermit,
  checkVerdict,
  type Permit,
  type PermitExpected,
  permitType,
  type Verdict,
  verdictType,
} from "./permit.ts";
export { type AuditEventRef, type AuditGap, hasGap, reconcile } from "./reconcile.ts";
export {
  grtPlot,
  type Regulation,
  type Report,
  regulationIds,
  regulations,
  reportMarkdown,
  reportOf,
  reportPage,
} from "./report/index.ts";
export { candidates, residencyOf, type Standing, standingOf } from "./residency.ts";
export {
  type BuiltInCheck,
  builtInChecks,
  componentsAt,
  gateRules,
  neverOverridden,
} from "./rules.ts";
export {
  type FailoverStep,
  failoverSteps,
  type RecordedStep,
  recordsOf,
} from "./steps.ts";
export type { Tier } from "./tier.ts";
export type {
  AuditCanary,
  CdcCanary,
  ClockVerification,
  DnsVerification,
  EscalationEcho,
  ExecVerification,
  FilesVerification,
  GrpcHealthVerification,
  HttpVerification,
  KillSwitchCanary,
  KubernetesVerification,
  NegativeCanary,
  ParityVerification,
  PostgresVerification,
  SecretSource,
  SecretVersion,
  SignatureVerification,
  TcpVerification,
  TlsVerification,
  Verification,
  VerificationKind,
} from "./verification.ts";
export {
  compareWatermarks,
  ledgerMark,
  raised,
  readWatermark,
  type Watermark,
  watermarkJson,
  watermarkKey,
} from "./watermark.ts";
