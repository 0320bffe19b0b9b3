/** The component schemas of the admin API. Answers may gain members in later versions; requests may not have others. */
import type { JsonObject } from "../../kernel/index.ts";

const text: JsonObject = { type: "string" };
const ms: JsonObject = { type: "integer", description: "Milliseconds since 1970, UTC." };
const orNull = (schema: JsonObject): JsonObject => ({ anyOf: [schema, { type: "null" }] });
const listOf = (items: JsonObject): JsonObject => ({ type: "array", items });
const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

function objectOf(
  properties: Readonly<Record<string, JsonObject>>,
  optional: readonly string[] = [],
): JsonObject {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

export const approvalStates = [
  "pending",
  "granted",
  "claimed",
  "used",
  "declined",
  "expired",
  "revoked",
  "unknown",
] as const;

export const idSchema: JsonObject = { type: "string", pattern: "^apr-[A-Za-z0-9_-]{1,64}$" };
export const reasonSchema: JsonObject = {
  type: "string",
  description: "Why. It is recorded, and shown to people and to the agent.",
  minLength: 1,
  maxLength: 2_000,
};
export const digestSchema: JsonObject = {
  type: "string",
  description: "args_digest of the approval that was looked at.",
  minLength: 1,
  maxLength: 256,
};
export const verdictSchema: JsonObject = { type: "string", enum: ["approve", "decline"] };
export const scopeSchema: JsonObject = {
  type: "object",
  description: "All that is named must agree; {} is every call.",
  properties: Object.fromEntries(
    ["agent", "tool", "upstream", "tenant", "model"].map((name) => [
      name,
      { type: "string", minLength: 1, maxLength: 512 },
    ]),
  ),
  additionalProperties: false,
};
export const stoppingModeSchema: JsonObject = {
  type: "string",
  description: "pause: nothing is done. dry_run: decided and recorded, not forwarded.",
  enum: ["pause", "dry_run"],
};

const approval = objectOf(
  {
    id: idSchema,
    version: { type: "integer", minimum: 1, description: "Grows with every change; the ETag." },
    state: { type: "string", enum: [...approvalStates] },
    ...{ tenant: text, agent: text, delegation: listOf(text), principal: orNull(text) },
    ...{ model: orNull(text), tool: text },
    effect: { type: "string", enum: ["read", "write"] },
    risk: { type: "string", enum: ["low", "high", "critical"] },
    args_redacted: {
      type: "object",
      description: "The arguments, with what policy redacts redacted.",
    },
    args_digest: { type: "string", description: "Of the arguments as the agent sent them." },
    cost_estimate_micro_usd: { type: "number" },
    definition_digest: orNull(text),
    ...{ policy_version: text, determining_rules: listOf(text) },
    reason: { type: "string", description: "Why policy wants people to look." },
    requirements: listOf(
      objectOf({ groups: listOf(text), count: { type: "integer", minimum: 1 } }),
    ),
    missing: { type: "integer", minimum: 0, description: "Approvers who have yet to say yes." },
    batch: { type: "boolean", description: "May be answered together with others." },
    ...{ instance: text, asked_ms: ms, expires_ms: orNull(ms) },
    asks: { type: "integer", minimum: 1, description: "How often the agent asked the same." },
    votes: listOf(ref("Vote")),
    grant: orNull(objectOf({ at_ms: ms, expires_ms: ms })),
    claim: orNull(objectOf({ call: text })),
    closed_ms: orNull(ms),
    closed_because: orNull(text),
    superseded_by: {
      ...objectOf({ id: idSchema, args: { type: "object" } }),
      description: "Declined in favour of these arguments, by that approval.",
    },
    after_unknown: orNull({
      type: "string",
      description: "An earlier approval of the same action that may have taken effect already.",
    }),
  },
  ["superseded_by"],
);

export const componentSchemas: Readonly<Record<string, JsonObject>> = {
  ModelAnswer: {
    type: "object",
    description: "As the command prints it with --json; all times are ISO 8601 in UTC.",
  },
  Approval: approval,
  Vote: objectOf({
    approver: text,
    verdict: verdictSchema,
    reason: text,
    groups: listOf(text),
    channel: text,
    at_ms: ms,
  }),
  ApprovalPage: objectOf(
    {
      approvals: listOf(ref("Approval")),
      next: { type: "string", description: "`after` of the next page; absent on the last." },
    },
    ["next"],
  ),
  Proposed: objectOf({ declined: ref("Approval"), instead: ref("Approval") }),
  Approvals: objectOf({ approvals: listOf(ref("Approval")) }),
  Approver: objectOf({
    id: text,
    name: text,
    groups: listOf(text),
    may_stop: { type: "boolean", description: "May throw and lift switches." },
  }),
  Switch: objectOf({
    id: text,
    mode: { type: "string", enum: ["pause", "dry_run", "escrow"] },
    scope: scopeSchema,
    reason: text,
    by: text,
    since: { type: "string", description: "RFC 3339, UTC." },
  }),
  KillState: objectOf({
    serial: { type: "integer", minimum: 0, description: "Grows with every change." },
    switches: listOf(ref("Switch")),
  }),
  Problem: objectOf({
    type: text,
    title: text,
    status: { type: "integer" },
    detail: { type: "string", description: "What was wrong, and what to do." },
    code: { type: "string", description: "Stable, for programs." },
  }),
};
