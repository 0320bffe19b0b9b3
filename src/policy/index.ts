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

export { type CaseAnswers, caseRequests, readRequest, runCases } from "./cases.ts";
export {
  type Engine,
  type ModelFacts,
  type ModelUnknown,
  modelNotAsked,
  type PolicyRequest,
  type PolicySubject,
  type Verdict,
} from "./decision.ts";
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
export { anyGlob } from "./glob.ts";
export type {
  ApprovalTerms,
  Approvers,
  Effect,
  Expr,
  FieldPath,
  Limit,
  LimitKey,
  Obligation,
  Outcome,
  PolicySet,
  RegoCondition,
  Risk,
  Rule,
  TargetTemplate,
} from "./ir.ts";
export { type Loaded, loadPolicySet, type PolicyFile } from "./load.ts";
export {
  applyObligations,
  redactForRecord,
} from "./obligations.ts";
export { type Reach, reachOf } from "./reach.ts";
export type { RegoBundles } from "./read-rego.ts";
export { compileRegex } from "./regex.ts";
export { type RegoAnswer, RegoAnswers, type RegoQuestion } from "./rego-answers.ts";
export {
  type RegoBundle,
  type RegoModule,
  type RegoModules,
  regoDigest,
} from "./rego-modules.ts";
export { renderExplanation } from "./render.ts";
export { targetOf } from "./target.ts";
export { tokensOf } from "./token-estimate.ts";
export {
  type ParsedDocuments,
  parseForeignYaml,
  parseSource,
  type SourceNode,
  writeYaml,
} from "./yaml.ts";
