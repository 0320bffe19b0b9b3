export {
  type Conformance,
  requirementsNamed,
  scoreConformance,
  type TestRun,
  testRuns,
} from "./conformance/index.ts";
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
  parityIn,
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
export type { ProbeAnswer, ProbeBinding, ProbeVerdict } from "./gate/answer.ts";
export {
  type BreakGlassGranted,
  type BreakGlassOrder,
  breakGlassType,
  readBreakGlass,
} from "./gate/break-glass.ts";
export type { Failing, GateComponent, GateRules } from "./gate/check.ts";
export { next } from "./gate/gate.ts";
export {
  allowsNoMore,
  type BreakGlassGrant,
  type GateEffect,
  type GateEvent,
  type GatePhase,
  type GateState,
  type GateStep,
  gatePhases,
  gateStart,
  permitted,
} from "./gate/gate-state.ts";
export {
  type Lease,
  type LeaseSeen,
  leaseKey,
  look,
  type Predecessor,
  readLease,
  taken,
  waitMs,
} from "./gate/lease.ts";
export {
  checkPermit,
  checkVerdict,
  type Permit,
  type PermitExpected,
  permitType,
  type Verdict,
  verdictType,
} from "./gate/permit.ts";
export { candidates, residencyOf, type Standing, standingOf } from "./gate/residency.ts";
export {
  type BuiltInCheck,
  builtInChecks,
  componentsAt,
  gateRules,
  neverOverridden,
} from "./gate/rules.ts";
export type { Tier } from "./gate/tier.ts";
export {
  compareWatermarks,
  ledgerMark,
  raised,
  readWatermark,
  type Watermark,
  watermarkJson,
  watermarkKey,
} from "./gate/watermark.ts";
export { addressesOf, boundBy, isActive } from "./manifest/bound-by.ts";
export { checkManifest } from "./manifest/check-manifest.ts";
export { areasOf } from "./manifest/check-residency.ts";
export { type Filling, fillVerification } from "./manifest/fill.ts";
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
} from "./manifest/manifest.ts";
export type { ManifestFault } from "./manifest/manifest-fault.ts";
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
} from "./manifest/verification.ts";
export {
  ageMs,
  ageMsMax,
  type Comparison,
  comparisonType,
  readComparison,
} from "./parity/comparison.ts";
export { type Difference, differences } from "./parity/differences.ts";
export {
  bytesDigest,
  type Drift,
  drifts,
  driftText,
  type FileForm,
  formOf,
  type ParityState,
  parityType,
  readParity,
  structuredDigest,
  textDigest,
} from "./parity/parity.ts";
export type {
  BreakGlassUse,
  FailoverOutcome,
  FailoverRecord,
  FailoverStart,
  RemediationAttempt,
  ResidencyFinding,
  WatermarkFinding,
} from "./record/event-record.ts";
export { type Mechanism, mechanisms } from "./record/mechanism.ts";
export { failoverMetrics, type RecordedGauge, recordGauges } from "./record/metrics.ts";
export { type AuditEventRef, type AuditGap, hasGap, reconcile } from "./record/reconcile.ts";
export { RecordFold, recordsOf } from "./record/record-fold.ts";
export { type FailoverStep, failoverSteps, type RecordedStep } from "./record/steps.ts";
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
