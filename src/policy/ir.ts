/**
 * The typed form every policy becomes after loading: what the native closures and the Rego in a bundle are both made
 * from. It is plain JSON (it travels inside the bundle as data), closed, and has no defaults left open.
 *
 * Values are JSON values. There is one number type at run time, as in JSON; unsafe integers never enter (the parser
 * refuses them). Evaluation is three-valued: a value, or an error, which makes the rule `indeterminate`. Comparing
 * values of different types is an error, never false. `&&` and `||` follow CEL: a decided side wins over an error on
 * the other side, in either order.
 */
import type { JsonValue, ToolId } from "../kernel/index.ts";
import type { ChangeKind } from "../model/index.ts";

export type Effect = "read" | "write";
export type Risk = "low" | "high" | "critical";
export type Outcome = "allow" | "deny" | "sanitize" | "approval_needed";

/** The names a condition can start from. */
export type Root = "subject" | "action" | "resource" | "args" | "context" | "model";

export type CompareOp = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type ArithmeticOp = "+" | "-" | "*" | "/" | "%";
export type StringTest = "startsWith" | "endsWith" | "contains";

export type Expr =
  | { readonly op: "literal"; readonly value: JsonValue }
  | { readonly op: "root"; readonly name: Root }
  /** A variable bound by `exists`, `all` or `exists_one`. */
  | { readonly op: "local"; readonly name: string }
  /** `of.name`; an error when `of` is no object or has no such field. */
  | { readonly op: "field"; readonly of: Expr; readonly name: string }
  /** `of[at]`; list by integer, map by string; absent is an error. */
  | { readonly op: "index"; readonly of: Expr; readonly at: Expr }
  /** `has(of.name)`: false when absent; an error when `of` is. */
  | { readonly op: "has"; readonly of: Expr; readonly name: string }
  | { readonly op: "list"; readonly items: readonly Expr[] }
  | { readonly op: "not"; readonly of: Expr }
  | { readonly op: "negate"; readonly of: Expr }
  | { readonly op: "and" | "or"; readonly left: Expr; readonly right: Expr }
  | { readonly op: "if"; readonly test: Expr; readonly then: Expr; readonly else: Expr }
  | { readonly op: "compare"; readonly how: CompareOp; readonly left: Expr; readonly right: Expr }
  | {
      readonly op: "arithmetic";
      readonly how: ArithmeticOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `left in right`: member of a list, or key of a map. */
  | { readonly op: "in"; readonly left: Expr; readonly right: Expr }
  | { readonly op: "size"; readonly of: Expr }
  | { readonly op: "string"; readonly how: StringTest; readonly of: Expr; readonly with: Expr }
  /** RE2 search (not anchored); `pattern` was compiled at load. */
  | { readonly op: "matches"; readonly of: Expr; readonly pattern: string }
  | {
      readonly op: "exists" | "all" | "exists_one";
      readonly of: Expr;
      readonly name: string;
      readonly body: Expr;
    };

/**
 * A condition that the users' own Rego answers: the value of one entrypoint, with the request as its input. It holds when
 * that is true and does not when it is false; anything else is an error, and so is taking too long or too much.
 */
export interface RegoCondition {
  readonly op: "rego";
  /** `regoDigest` of a module that the bundle holds. */
  readonly module: string;
  readonly entrypoint: string;
  readonly timeoutMs: number;
  readonly memoryMiBMax: number;
}

/** Which calls a rule looks at. Absent means any. Names may hold `*` for any run of characters. */
export interface Match {
  readonly agents?: readonly string[];
  readonly tools?: readonly string[];
  readonly effect?: Effect;
}

/** What must be done along with a `sanitize` (or any outcome that lets the call through). */
export type Obligation =
  /** Replaces the value at each place that `path` names. */
  | { readonly kind: "redact"; readonly path: FieldPath; readonly replacement: Redaction }
  /** Refuses the call unless the value at `path`, where present (or always, when `required`), satisfies `pattern`. */
  | {
      readonly kind: "require";
      readonly path: FieldPath;
      readonly pattern: string;
      readonly required: boolean;
    };

/** From `args` inward; `*` is every element of a list or every value of a map. `["card","number"]` is `args.card.number`. */
export type FieldPath = readonly string[];

export type Redaction =
  | { readonly with: "text"; readonly text: string }
  /** Keeps the last `keep` characters, the rest become `*`. */
  | { readonly with: "mask"; readonly keep: number }
  /** The SHA-256 of the canonical JSON, as `sha256:<hex>`. */
  | { readonly with: "digest" }
  | { readonly with: "remove" };

/** Some people who must say yes. */
export interface Approvers {
  /** Each of them is in one of these; empty: in any. Sorted. */
  readonly groups: readonly string[];
  /** How many different people. */
  readonly count: number;
}

/** Who must approve a call, and for how long the question and its answer live. */
export interface ApprovalTerms {
  /** All must be met, each by other people. At least one; no two name the same groups. */
  readonly approvers: readonly Approvers[];
  /** How long the question waits for people; then it is refused. */
  readonly expiresAfterSeconds: number | "never";
  /** How long a grant may be used, from the last approval. */
  readonly useWithinSeconds: number;
  /** Whether people may decide several such questions at once. Never those of risk `critical`. */
  readonly batch: boolean;
}

export interface Rule {
  /** `policy/rule`, unique in the set. */
  readonly id: string;
  readonly match: Match;
  /** Absent means always. */
  readonly when?: Expr | RegoCondition;
  readonly outcome: Outcome;
  /** Of `approval_needed`; absent in bundles that were made before there was such a thing. */
  readonly approval?: ApprovalTerms;
  readonly obligations: readonly Obligation[];
  /** What an indeterminate condition of this rule does to a read; a write is denied whatever it says. */
  readonly onFailure: "deny" | "open";
  readonly reason: string;
  /** For people: `file:line`. */
  readonly source: string;
}

export interface ToolDeclaration {
  readonly id: ToolId;
  readonly effect: Effect;
  readonly risk: Risk;
  /** Estimated cost of one call, in millionths of a US dollar. */
  readonly costMicroUsd: number;
  /** Estimated tokens of one call; absent: none. */
  readonly tokens?: TokenEstimate;
  /** An indeterminate write of risk `low` may be opened, explicitly and loudly recorded. */
  readonly openOnFailure: boolean;
  /** Which node of the runtime model a call concerns; absent: nothing is known of that. */
  readonly target?: TargetTemplate;
}

/** A node of the runtime model whose name is made of texts and arguments: `service:{args.name}`. */
export interface TargetTemplate {
  readonly kind: string;
  /** Texts and paths of arguments, in order. */
  readonly parts: readonly (string | FieldPath)[];
  /** What a call does to it: effects are learned by the kind of change. */
  readonly change: ChangeKind;
}

export interface TokenEstimate {
  /** What a call counts whose arguments do not say. */
  readonly estimate: number;
  /** The argument that says, such as `max_tokens`; a call has no more than that. */
  readonly from?: FieldPath;
}

/** What calls can be counted by. An agent and a principal are those of their tenant. */
export type LimitKey = "tenant" | "agent" | "principal" | "model" | "upstream" | "tool";
export type Period = "day" | "week" | "month";

/** How much of what, in which time. */
export type LimitCap =
  /** In any stretch of time of this length. */
  | { readonly kind: "rate"; readonly callsMax: number; readonly windowSeconds: number }
  /** In one period of the calendar, UTC; a week begins on Monday. */
  | {
      readonly kind: "budget";
      readonly unit: "micro_usd" | "calls" | "tokens";
      readonly max: number;
      readonly period: Period;
    };

/** At most so much of what rules let through. */
export interface Limit {
  /** Unique in the set. */
  readonly id: string;
  readonly match: Match;
  /** Counted apart for each of these; empty: all together. In the order of `LimitKey`. */
  readonly each: readonly LimitKey[];
  readonly cap: LimitCap;
  /** For people: `file:line`. */
  readonly source: string;
}

/** Writes that are held back for people, for as long as the policy says so. */
export interface EscrowRule {
  /** Which writes; its effect is always that. */
  readonly match: Pick<Match, "agents" | "tools">;
  readonly reason: string;
  /** For people: `file:line`. */
  readonly source: string;
}

/** Grows when what an older Holdfast would not see could let more through. */
export const policySetFormat = 3;

export interface PolicySet {
  readonly formatVersion: typeof policySetFormat;
  readonly rules: readonly Rule[];
  readonly tools: readonly ToolDeclaration[];
  readonly limits: readonly Limit[];
  /** Absent when nothing is held back. */
  readonly escrow?: readonly EscrowRule[];
}
