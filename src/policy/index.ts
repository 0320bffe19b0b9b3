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
