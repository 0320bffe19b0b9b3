export {
  buildBundle,
  bundleDigest,
  nextSerial,
  revisionOf,
  type VerifiedBundle,
  verifyBundle,
} from "./bundle.ts";
export {
  type BundleFiles,
  type BundleKeys,
  type BundleRefusal,
  type BundleSigner,
  bundleKeys,
  bundleSigner,
  signBundle,
} from "./bundle-signature.ts";
export { readRequest, runCases } from "./cases.ts";
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
export { explain } from "./explain.ts";
export { formatFieldPath } from "./field-path.ts";
export type {
  Effect,
  Expr,
  FieldPath,
  Obligation,
  Outcome,
  PolicySet,
  Risk,
  Rule,
} from "./ir.ts";
export { type Loaded, loadPolicySet, type PolicyFile } from "./load.ts";
export {
  applyObligations,
  redactForRecord,
} from "./obligations.ts";
export { type Reach, reachOf } from "./reach.ts";
export { renderExplanation } from "./render.ts";
export { parseSource, type SourceNode } from "./yaml.ts";
