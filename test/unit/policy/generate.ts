/** Policy sets and requests for tests, over every outcome, effect, obligation and way to fail. */
import fc from "fast-check";
import type { JsonObject, ToolId } from "../../../src/kernel/index.ts";
import type { PolicyRequest } from "../../../src/policy/decision.ts";
import type {
  ApprovalTerms,
  Expr,
  Limit,
  LimitKey,
  Match,
  Obligation,
  PolicySet,
  Rule,
} from "../../../src/policy/ir.ts";
import { directed } from "./generate-directed.ts";
import { args, condition, jsonObject } from "./generate-expr.ts";

const tools: readonly ToolId[] = ["pay:create", "pay:list", "files:read", "files:write[1]"];
const agents = ["desk", "desk-2", "batch.night", "a*b", "guest"] as const;
const risks = ["low", "high", "critical"] as const;

const match: fc.Arbitrary<Match> = fc.record(
  {
    agents: fc.array(fc.constantFrom("*", "desk*", "*.night", "d*k*", "a*b", "guest", "desk"), {
      minLength: 1,
      maxLength: 3,
    }),
    tools: fc.array(fc.constantFrom("*", "pay:*", "files:*", "files:write[1]", "*:*", "*e"), {
      minLength: 1,
      maxLength: 3,
    }),
    effect: fc.constantFrom("read", "write"),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const anyMatch: fc.Arbitrary<Match> = fc.oneof(
  { arbitrary: fc.constant<Match>({}), weight: 1 },
  { arbitrary: match, weight: 3 },
);

const path = fc.constantFrom<(readonly string[])[]>(
  ["s"],
  ["t"],
  ["n"],
  ["p"],
  ["list"],
  ["list", "*"],
  ["map", "a"],
  ["map", "*"],
  ["map", "c d"],
  ["list", "*", "a"],
  ["nowhere"],
);

const obligation: fc.Arbitrary<Obligation> = fc.oneof(
  fc.record({
    kind: fc.constant("redact" as const),
    path,
    replacement: fc.oneof(
      fc.record({ with: fc.constant("text" as const), text: fc.constantFrom("", "[gone]") }),
      fc.record({ with: fc.constant("mask" as const), keep: fc.integer({ min: 0, max: 4 }) }),
      fc.constant({ with: "digest" as const }),
      fc.constant({ with: "remove" as const }),
    ),
  }),
  fc.record({
    kind: fc.constant("require" as const),
    path,
    pattern: fc.constantFrom("^.*$", "", "^[A-Z]{3}$", "[0-9]", "^(true|false)$", "^-?[0-9.]+$"),
    required: fc.boolean(),
  }),
);

/** Often the same twice. */
const common = fc.constantFrom<Obligation[]>(
  { kind: "redact", path: ["s"], replacement: { with: "remove" } },
  { kind: "redact", path: ["s"], replacement: { with: "digest" } },
);

const count = fc.integer({ min: 1, max: 4 });

/** No two name the same groups. */
const approvers: fc.Arbitrary<ApprovalTerms["approvers"]> = fc.uniqueArray(
  fc.record({ groups: fc.subarray(["a", "b", "c"]), count }),
  { minLength: 1, maxLength: 3, selector: ({ groups }) => groups.join() },
);

export const approvalTerms: fc.Arbitrary<ApprovalTerms> = fc.record({
  approvers,
  expiresAfterSeconds: fc.oneof(fc.constant("never" as const), fc.integer({ min: 1, max: 99 })),
  useWithinSeconds: fc.integer({ min: 1, max: 99 }),
  batch: fc.boolean(),
});

const rule: fc.Arbitrary<Omit<Rule, "id">> = fc
  .record(
    {
      match: anyMatch,
      when: condition(4),
      outcome: fc.constantFrom("allow", "sanitize", "approval_needed", "deny"),
      approval: approvalTerms,
      obligations: fc.oneof(
        { arbitrary: fc.constant([]), weight: 2 },
        { arbitrary: fc.array(fc.oneof(obligation, common), { maxLength: 3 }), weight: 1 },
      ),
      onFailure: fc.constantFrom("deny", "open"),
      reason: fc.constantFrom("because", "large % payment", 'é <b> "q"'),
      source: fc.constant("generated.yaml:1"),
    },
    {
      requiredKeys: ["match", "outcome", "obligations", "onFailure", "reason", "source"],
      noNullPrototype: true,
    },
  )
  .map((made) => made as Omit<Rule, "id">);

/** One rule that every call meets: true is `allow`, false is default deny, no value is `indeterminate`. */
function probing(when: Expr): PolicySet {
  const rule: Rule = {
    id: "p/probe",
    match: {},
    when,
    outcome: "allow",
    obligations: [],
    onFailure: "deny",
    reason: "probe",
    source: "generated.yaml:1",
  };
  return { formatVersion: 3, rules: [rule], tools: [], limits: [] };
}

export const probe: fc.Arbitrary<PolicySet> = fc.oneof(condition(2), condition(3)).map(probing);

/** One operator each, near where its answer turns. */
export const directedProbe: fc.Arbitrary<PolicySet> = directed.map(probing);

const cap: fc.Arbitrary<Limit["cap"]> = fc.oneof(
  fc.record({
    kind: fc.constant("rate" as const),
    callsMax: fc.nat(9),
    windowSeconds: fc.integer({ min: 1, max: 99 }),
  }),
  fc.record({
    kind: fc.constant("budget" as const),
    unit: fc.constantFrom("micro_usd" as const, "calls" as const, "tokens" as const),
    max: fc.nat(99),
    period: fc.constantFrom("day" as const, "week" as const, "month" as const),
  }),
);

const limits: fc.Arbitrary<readonly Limit[]> = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom("l", "l-2", "agents/*/calls_per_minute_max"),
    match: anyMatch,
    each: fc.subarray<LimitKey>(["tenant", "agent", "tool"]),
    cap,
    source: fc.constant("generated.yaml:1"),
  }),
  { maxLength: 3, selector: ({ id }) => id },
);

export const policySet: fc.Arbitrary<PolicySet> = fc.record({
  formatVersion: fc.constant(3 as const),
  rules: fc.array(rule, { minLength: 0, maxLength: 5 }).chain((rules) =>
    fc
      .shuffledSubarray(["p/a", "p/b", "p/a-2", "q/a", "P/z"], {
        minLength: rules.length,
        maxLength: rules.length,
      })
      .map((ids) => rules.map((one, i): Rule => ({ ...one, id: ids[i] ?? `r/${i}` }))),
  ),
  tools: fc.subarray([...tools]).chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({
          id: fc.constant(id),
          effect: fc.constantFrom("read" as const, "write" as const),
          risk: fc.constantFrom(...risks),
          costMicroUsd: fc.nat(1_000),
          openOnFailure: fc.boolean(),
        }),
      ),
    ),
  ),
  limits,
});

const facts: fc.Arbitrary<PolicyRequest["model"]> = fc.oneof(
  fc.constantFrom(undefined, { known: false as const, why: "stale" as const }),
  fc.record({
    known: fc.constant(true as const),
    target: fc.constant("service:a"),
    ageSeconds: fc.nat(9),
    blastRadius: fc.constant({
      trafficShare: 0.25,
      ...{ trafficShareLow: 0.1, trafficShareHigh: 0.5, services: 3, zones: ["eu"] },
      dataClasses: [],
    }),
    dependents: fc.nat(9),
    recentChanges: fc.nat(3),
    memory: fc.constant({ count: 2, sameChange: 1 }),
  }),
);

export const request: fc.Arbitrary<PolicyRequest> = fc
  .tuple(asked(), facts)
  .map(([one, model]) => (model === undefined ? one : { ...one, model }));

function asked(): fc.Arbitrary<PolicyRequest> {
  return fc.record({
    subject: fc.record(
      {
        type: fc.constant("agent"),
        id: fc.constantFrom(...agents),
        model: fc.constantFrom("m1", "m2"),
        delegation: fc.oneof(
          { arbitrary: fc.constant([]), weight: 3 },
          {
            arbitrary: fc.array(fc.constantFrom<string[]>(...agents), { maxLength: 3 }),
            weight: 1,
          },
        ),
        properties: jsonObject,
      },
      { requiredKeys: ["type", "id", "delegation", "properties"], noNullPrototype: true },
    ),
    action: fc.record({
      name: fc.constantFrom(...tools),
      effect: fc.constantFrom("read" as const, "write" as const),
      risk: fc.constantFrom(...risks),
      properties: fc.constant<JsonObject>({}),
    }),
    resource: fc.record({
      type: fc.constant("tool"),
      id: fc.constantFrom(...tools),
      properties: jsonObject,
    }),
    args,
    context: jsonObject,
  }) as fc.Arbitrary<PolicyRequest>;
}
