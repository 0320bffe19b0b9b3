/** The question and the answer (AuthZEN 1.0 words, Cedar's `determining`). Values only. */
import type { JsonObject, ToolId } from "../kernel/index.ts";
import type {
  ApprovalTerms,
  Effect,
  EscrowRule,
  Limit,
  Obligation,
  Outcome,
  Risk,
  ToolDeclaration,
} from "./ir.ts";
import type { RegoAnswers, RegoQuestion } from "./rego-answers.ts";

export interface PolicySubject {
  readonly type: "agent" | (string & {});
  readonly id: string;
  readonly model?: string;
  /** The human the agent acts for. */
  readonly principal?: string;
  readonly tenant?: string;
  /** Every agent the request came through, nearest caller first, not the subject itself. Rights are the intersection. */
  readonly delegation: readonly string[];
  readonly properties: JsonObject;
}

export interface PolicyRequest {
  readonly subject: PolicySubject;
  readonly action: {
    readonly name: ToolId;
    readonly effect: Effect;
    readonly risk: Risk;
    readonly properties: JsonObject;
  };
  readonly resource: {
    readonly type: string;
    readonly id: string;
    readonly properties: JsonObject;
  };
  readonly args: JsonObject;
  readonly context: JsonObject;
  /** What the runtime model knows of the node that the call concerns; absent: it was not asked. */
  readonly model?: ModelFacts;
}

/**
 * Facts of the runtime model, as conditions read them. All of them are there, or `known` is false and only `why` is: what
 * is missing is a fact too.
 */
export type ModelFacts =
  | {
      readonly known: true;
      /** The node that the call concerns. */
      readonly target: string;
      /** How old the newest thing is that the model was told. */
      readonly ageSeconds: number;
      readonly blastRadius: {
        /** Part of the traffic that would feel it, 0 to 1, with its interval. */
        readonly trafficShare: number;
        readonly trafficShareLow: number;
        readonly trafficShareHigh: number;
        /** How many services. */
        readonly services: number;
        readonly zones: readonly string[];
        readonly dataClasses: readonly string[];
      };
      /** Nodes that depend on it, directly or through others. */
      readonly dependents: number;
      /** Changes of it and of what it depends on, within the last hour. */
      readonly recentChanges: number;
      /** Confirmed incidents about it, and how many of them a change of this kind caused. */
      readonly memory: { readonly count: number; readonly sameChange: number };
    }
  | { readonly known: false; readonly why: ModelUnknown };

export type ModelUnknown =
  /** There was nobody to ask. */
  | "not_asked"
  /** The catalog says of no node that the call concerns it, or the arguments name none. */
  | "no_target"
  | "no_model"
  | "stale"
  /** The model has never heard of the node. */
  | "unknown_target"
  /** No traffic was seen, so that a share of it means nothing. */
  | "no_traffic";

export const modelNotAsked = { known: false, why: "not_asked" } as const;

/** The answer of one evaluation. Deterministic: the same set and request give the same verdict, byte for byte. */
export interface Verdict {
  readonly outcome: Outcome;
  /** One sentence for the agent's model and for people. */
  readonly reason: string;
  /** Ids of the rules that made the outcome, sorted; empty for default deny. */
  readonly determiningRules: readonly string[];
  /** Rules whose condition could not be evaluated, sorted, and why. */
  readonly indeterminate: readonly { readonly rule: string; readonly why: string }[];
  /** Union over the determining rules and every matching `sanitize` rule; empty on `deny`. */
  readonly obligations: readonly Obligation[];
  /** True when an indeterminate rule was passed over because it says `on_failure: open`. */
  readonly opened: boolean;
}

/** A compiled policy set. Pure; microseconds. */
export interface Engine {
  readonly revision: string;
  /** `answers` are those to `regoQuestions`; without, such conditions could not be evaluated. */
  decide(request: PolicyRequest, answers?: RegoAnswers): Verdict;
  /** Whether any condition is answered by users' own Rego. */
  readonly asksRego: boolean;
  /** What it must be asked first. Empty for a call that no such rule looks at. */
  regoQuestions(request: PolicyRequest): readonly RegoQuestion[];
  /**
   * Whether some arguments and context exist, as far as the rules' matches and subject-only conditions tell, for which
   * this subject's call would not be denied. False means never; used to filter `tools/list`.
   */
  couldAllow(subject: PolicySubject, action: PolicyRequest["action"]): boolean;
  /**
   * Every redaction that any rule whose match names this tool asks for, whatever its condition says: applied to what
   * is recorded, also when the call is denied.
   */
  redactions(tool: ToolId): readonly Obligation[];
  /**
   * What people must say to a call of this risk, of which these rules said `approval_needed`: what each of them asks
   * for, taken together. Throws `InvariantError` for a rule that the set does not hold.
   */
  approvalOf(determiningRules: readonly string[], risk: Risk): ApprovalTerms;
  /** The limits that look at a call of this tool by this agent, by id. */
  limitsOf(
    agent: string,
    action: Pick<PolicyRequest["action"], "name" | "effect">,
  ): readonly Limit[];
  /** Why a write to this tool by these agents is held back for people; undefined when policy does not say so. */
  escrowOf(agents: readonly string[], tool: ToolId): EscrowRule | undefined;
  /** Every limit of the set, by id. */
  readonly limits: readonly Limit[];
  /** Every tool of the catalog, by id. */
  readonly tools: readonly ToolId[];
  /** The declaration in the catalog, if any. */
  tool(id: ToolId): Omit<ToolDeclaration, "openOnFailure"> | undefined;
}
