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
export { compile } from "./engine.ts";
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
