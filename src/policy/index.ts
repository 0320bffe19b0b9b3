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
export type { Engine, PolicyRequest, PolicySubject, Verdict } from "./decision.ts";
export { type Diagnostic, formatDiagnostic } from "./diagnostic.ts";
export { compile } from "./engine.ts";
export { formatFieldPath } from "./field-path.ts";
export type {
  AgentLimits,
  Effect,
  Expr,
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
