/**
 * The form of a policy file, field by field. `schemas/policy.schema.json` says the same to editors. The catalog has no
 * wildcards: a tool nobody has declared must not be taken for something it is not.
 */
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
} from "./decode.ts";
import type { Position } from "./diagnostic.ts";
import type { Effect, Outcome, Risk } from "./ir.ts";
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
  readonly on_failure: Field<Placed<"deny" | "open">>;
  readonly description: Field<TextScalar>;
}

export const toolFields: ToolFields = {
  effect: required(effect),
  risk: optional(oneOf("low", "high", "critical")),
  cost_estimate_micro_usd: optional(whole(0)),
  on_failure: optional(placed(failureMode)),
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

interface MatchFields {
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
  readonly timeout_ms: Field<Placed<number>>;
  readonly memory_mib_max: Field<Placed<number>>;
}

export const regoFields: RegoFields = {
  bundle: required(placed(name(/^[^/].*\.tar\.gz$/, "a file of the policy folder (name.tar.gz)"))),
  entrypoint: required(placed(name(/^[^/]+(?:\/[^/]+)*$/, "an entrypoint (package/rule)"))),
  timeout_ms: optional(placed(whole(1))),
  memory_mib_max: optional(placed(whole(1))),
};

export type SourceRego = Struct<RegoFields>;

interface RuleFields {
  readonly id: Field<Placed<string>>;
  readonly description: Field<TextScalar>;
  readonly match: Field<Struct<MatchFields>>;
  readonly when: Field<TextScalar>;
  readonly rego: Field<SourceRego>;
  readonly outcome: Field<Placed<Outcome>>;
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
  obligations: optional(list(struct("an obligation", obligationFields))),
  on_failure: optional(placed(failureMode)),
  reason: optional(text),
};

export type SourceRule = Struct<RuleFields>;
export type SourceTool = Named<Struct<ToolFields>>;
export type SourceAgent = Named<Struct<AgentFields>>;

interface FileFields {
  readonly tools: Field<readonly SourceTool[]>;
  readonly agents: Field<readonly SourceAgent[]>;
  readonly policy: Field<Placed<string>>;
  readonly description: Field<TextScalar>;
  readonly rules: Field<readonly SourceRule[]>;
}

export const fileFields: FileFields = {
  tools: optional(named(toolPattern, toolForm, struct("a tool", toolFields))),
  agents: optional(named(agentPattern, agentForm, struct("an agent", agentFields))),
  policy: optional(placed(name(namePattern, nameForm))),
  description: optional(text),
  rules: optional(list(struct("a rule", ruleFields))),
};

export type SourceFile = Struct<FileFields>;

export const policyFile: Decoder<SourceFile> = struct("a policy file", fileFields);
