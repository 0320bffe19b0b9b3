export { buildBundle, revisionOf, type VerifiedBundle, verifyBundle } from "./bundle.ts";
export {
  type BundleFiles,
  type BundleKeys,
  type BundleRefusal,
  type BundleSigner,
  bundleKeys,
  bundleSigner,
  signBundle,
} from "./bundle-signature.ts";
export { type CaseResult, type CasesRun, readRequest, runCases } from "./cases.ts";
export type { Engine, PolicyRequest, PolicySubject, Verdict } from "./decision.ts";
export { json as sourceValue } from "./decode.ts";
export {
  type Diagnostic,
  diagnosticAt,
  formatDiagnostic,
  nearestWord,
  type Position,
  type Problem,
  sortDiagnostics,
} from "./diagnostic.ts";
export { compile } from "./engine.ts";
export {
  type ExplainedRule,
  type ExplainedValue,
  type Explanation,
  explain,
} from "./explain.ts";
export { formatFieldPath } from "./field-path.ts";
export type {
  AgentLimits,
  Effect,
  Expr,
  FieldPath,
  Obligation,
  Outcome,
  PolicySet,
  Risk,
  Rule,
} from "./ir.ts";
export { type Loaded, type LoadOptions, loadPolicySet, type PolicyFile } from "./load.ts";
export {
  type Applied,
  applyObligations,
  type ObligationError,
  redactForRecord,
} from "./obligations.ts";
export { renderExplanation } from "./render.ts";
export { type ParsedSource, parseSource, type SourceNode } from "./yaml.ts";
