/**
 * The form of a policy file, field by field. `schemas/policy.schema.json` says the same to editors. The catalog has no
 * wildcards: a tool nobody has declared must not be taken for something it is not.
 */
import { type ChangeKind, changeKinds } from "../model/index.ts";
import {
  type Decoder,
  type Field,
  flag,
  list,
  type Named,
  name,
  named,
  oneOf,
  oneOrMore,
  optional,
  placed,
  required,
  type Struct,
  struct,
  text,
  whole,
  wordOr,
} from "./decode.ts";
import type { Position } from "./diagnostic.ts";
import type { Effect, LimitKey, Outcome, Period, Risk } from "./ir.ts";
import type { SourceScalar } from "./yaml.ts";

const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const nameForm = "a name (lower case, digits, - and _, starting with a letter)";
const toolPattern = /^[a-z][a-z0-9-]{0,62}:.+$/s;
const toolForm = "a tool id (server:tool)";
const agentPattern = /^[^\s]{1,256}$/;
const agentForm = "an agent id or pattern (no blanks)";

export interface Placed<T> {
  readonly value: T;
  readonly at: Position;
}

export type TextScalar = SourceScalar & { readonly value: string };

const effect: Decoder<Effect> = oneOf("read", "write");
const failureMode = oneOf("deny", "open");

interface ToolFields {
  readonly effect: Field<Effect>;
  readonly risk: Field<Risk>;
  readonly cost_estimate_micro_usd: Field<number>;
  readonly token_estimate: Field<number>;
  readonly token_estimate_from: Field<TextScalar>;
  readonly on_failure: Field<Placed<"deny" | "open">>;
  readonly target: Field<TextScalar>;
  readonly change: Field<Placed<ChangeKind>>;
  readonly description: Field<TextScalar>;
}

export const toolFields: ToolFields = {
  effect: required(effect),
  risk: optional(oneOf("low", "high", "critical")),
  cost_estimate_micro_usd: optional(whole(0)),
  token_estimate: optional(whole(0)),
  token_estimate_from: optional(text),
  on_failure: optional(placed(failureMode)),
  target: optional(text),
  change: optional(placed(oneOf(...changeKinds))),
  description: optional(text),
};

interface AgentFields {
  readonly description: Field<TextScalar>;
  readonly budget_micro_usd_per_day: Field<number>;
  readonly calls_per_minute_max: Field<number>;
}

export const agentFields: AgentFields = {
  description: optional(text),
  budget_micro_usd_per_day: optional(whole(0)),
  calls_per_minute_max: optional(whole(0)),
};

export interface MatchFields {
  readonly agents: Field<readonly Placed<string>[]>;
  readonly tools: Field<readonly Placed<string>[]>;
  readonly effect: Field<Placed<Effect>>;
}

export const matchFields: MatchFields = {
  agents: optional(oneOrMore(placed(name(agentPattern, agentForm)))),
  tools: optional(oneOrMore(placed(name(/./, toolForm)))),
  effect: optional(placed(effect)),
};

interface ObligationFields {
  readonly redact: Field<TextScalar>;
  readonly with: Field<Placed<"text" | "mask" | "digest" | "remove">>;
  readonly text: Field<TextScalar>;
  readonly keep: Field<Placed<number>>;
  readonly require: Field<TextScalar>;
  readonly matches: Field<TextScalar>;
  readonly optional: Field<Placed<boolean>>;
}

export const obligationFields: ObligationFields = {
  redact: optional(text),
  with: optional(placed(oneOf("mask", "text", "digest", "remove"))),
  text: optional(text),
  keep: optional(placed(whole(0))),
  require: optional(text),
  matches: optional(text),
  optional: optional(placed(flag)),
};

export type SourceObligation = Struct<ObligationFields>;

interface RegoFields {
  readonly bundle: Field<Placed<string>>;
  readonly entrypoint: Field<Placed<string>>;
  readonly timeout_ms: Field<number>;
  readonly memory_mib_max: Field<number>;
}

const timeoutMsMax = 5_000;
const memoryMiBMax = 256;

export const regoFields: RegoFields = {
  bundle: required(placed(name(/^[^/].*\.tar\.gz$/, "a file of the policy folder (name.tar.gz)"))),
  entrypoint: required(placed(name(/^[^/]+(?:\/[^/]+)*$/, "an entrypoint (package/rule)"))),
  timeout_ms: optional(whole(1, timeoutMsMax)),
  memory_mib_max: optional(whole(1, memoryMiBMax)),
};

export type SourceRego = Struct<RegoFields>;

/** People of one requirement at most: more than can be asked is a mistake. */
const approversMax = 16;
/** Thirty days: as long as a closed approval is kept. */
const expiresAfterSecondsMax = 2_592_000;
/** A day: what was granted yesterday is asked anew. */
const useWithinSecondsMax = 86_400;

interface ApproverFields {
  readonly groups: Field<readonly Placed<string>[]>;
  readonly count: Field<number>;
}

export const approverFields: ApproverFields = {
  groups: optional(
    oneOrMore(
      placed(name(/^[^\s*](?:[^*]{0,254}[^\s*])?$/, "a group (its whole name, without *)")),
    ),
  ),
  count: optional(whole(1, approversMax)),
};

export type SourceApprovers = Struct<ApproverFields>;

interface ApprovalFields {
  readonly approvers: Field<readonly SourceApprovers[]>;
  readonly expires_after_seconds: Field<number | "never">;
  readonly use_within_seconds: Field<number>;
  readonly batch: Field<Placed<boolean>>;
}

export const approvalFields: ApprovalFields = {
  approvers: optional(oneOrMore(struct("approvers", approverFields))),
  expires_after_seconds: optional(wordOr("never", whole(1, expiresAfterSecondsMax))),
  use_within_seconds: optional(whole(1, useWithinSecondsMax)),
  batch: optional(placed(flag)),
};

export type SourceApproval = Struct<ApprovalFields>;

interface RuleFields {
  readonly id: Field<Placed<string>>;
  readonly description: Field<TextScalar>;
  readonly match: Field<Struct<MatchFields>>;
  readonly when: Field<TextScalar>;
  readonly rego: Field<SourceRego>;
  readonly outcome: Field<Placed<Outcome>>;
  readonly approval: Field<SourceApproval>;
  readonly obligations: Field<readonly SourceObligation[]>;
  readonly on_failure: Field<Placed<"deny" | "open">>;
  readonly reason: Field<TextScalar>;
}

export const ruleFields: RuleFields = {
  id: required(placed(name(namePattern, nameForm))),
  description: optional(text),
  match: required(struct("match", matchFields)),
  when: optional(text),
  rego: optional(struct("rego", regoFields)),
  outcome: required(placed(oneOf("allow", "deny", "sanitize", "approval_needed"))),
  approval: optional(struct("approval", approvalFields)),
  obligations: optional(list(struct("an obligation", obligationFields))),
  on_failure: optional(placed(failureMode)),
  reason: optional(text),
};

/** Thirty days. */
const windowSecondsMax = 2_592_000;

interface LimitFields {
  readonly id: Field<Placed<string>>;
  readonly description: Field<TextScalar>;
  readonly match: Field<Struct<MatchFields>>;
  readonly each: Field<readonly LimitKey[]>;
  readonly calls_max: Field<Placed<number>>;
  readonly window_seconds: Field<Placed<number>>;
  readonly budget_micro_usd: Field<Placed<number>>;
  readonly budget_calls: Field<Placed<number>>;
  readonly budget_tokens: Field<Placed<number>>;
  readonly period: Field<Placed<Period>>;
}

export const limitFields: LimitFields = {
  id: required(placed(name(namePattern, nameForm))),
  description: optional(text),
  match: optional(struct("match", matchFields)),
  each: optional(oneOrMore(oneOf("tenant", "agent", "principal", "model", "upstream", "tool"))),
  calls_max: optional(placed(whole(0))),
  window_seconds: optional(placed(whole(1, windowSecondsMax))),
  budget_micro_usd: optional(placed(whole(0))),
  budget_calls: optional(placed(whole(0))),
  budget_tokens: optional(placed(whole(0))),
  period: optional(placed(oneOf("day", "week", "month"))),
};

interface EscrowFields {
  readonly match: Field<Struct<MatchFields>>;
  readonly reason: Field<TextScalar>;
}

export const escrowFields: EscrowFields = {
  match: optional(struct("match", matchFields)),
  reason: required(text),
};

export type SourceEscrow = Struct<EscrowFields>;
export type SourceLimit = Struct<LimitFields>;
export type SourceRule = Struct<RuleFields>;
export type SourceTool = Named<Struct<ToolFields>>;
export type SourceAgent = Named<Struct<AgentFields>>;

interface FileFields {
  readonly tools: Field<readonly SourceTool[]>;
  readonly agents: Field<readonly SourceAgent[]>;
  readonly limits: Field<readonly SourceLimit[]>;
  readonly escrow: Field<readonly SourceEscrow[]>;
  readonly policy: Field<Placed<string>>;
  readonly description: Field<TextScalar>;
  readonly rules: Field<readonly SourceRule[]>;
}

export const fileFields: FileFields = {
  tools: optional(named(toolPattern, toolForm, struct("a tool", toolFields))),
  agents: optional(named(agentPattern, agentForm, struct("an agent", agentFields))),
  limits: optional(list(struct("a limit", limitFields))),
  escrow: optional(list(struct("an escrow", escrowFields))),
  policy: optional(placed(name(namePattern, nameForm))),
  description: optional(text),
  rules: optional(list(struct("a rule", ruleFields))),
};

export type SourceFile = Struct<FileFields>;

export const policyFile: Decoder<SourceFile> = struct("a policy file", fileFields);
