/** What the backends are asked, and where their answers differ. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type { JsonObject } from "../../../src/kernel/index.ts";
import type {
  Expr,
  Obligation,
  PolicyRequest,
  PolicySet,
  RegoCondition,
  Rule,
  Verdict,
} from "../../../src/policy/index.ts";
import { comparable } from "../../unit/policy/comparable.ts";
import { directedProbe, policySet, probe, request } from "../../unit/policy/generate.ts";
import type { Question } from "./opa.ts";

const seed = 20_261_121;
export const groupSize = 1_000;
const setsPerGroup = 100;

/**
 * Group 0 asks each operator for itself; the others ask a hundred whole sets (fewer would be small ones: chance begins
 * small), each with `requestsPerSet` requests. Rule ids are unique over all groups.
 */
export function questionsOf(group: number, requestsPerSet = 10): Question[] {
  const directedOnly = group === 0;
  const sets = directedOnly
    ? directedProbe
    : fc.oneof({ arbitrary: policySet, weight: 2 }, { arbitrary: probe, weight: 1 });
  const asked = directedOnly ? 1 : requestsPerSet;
  const requests = fc.array(request, { minLength: asked, maxLength: asked });
  return fc
    .sample(fc.tuple(sets, requests), {
      seed: seed + group,
      numRuns: directedOnly ? groupSize : setsPerGroup,
    })
    .flatMap(([set, some], i) => {
      const own = withPrefix(set, `${group}-${i}-`);
      return some.map((one) => ({ set: own, request: one }));
    });
}

function withPrefix(set: PolicySet, prefix: string): PolicySet {
  return { ...set, rules: set.rules.map((rule) => ({ ...rule, id: prefix + rule.id })) };
}

const literal = (value: number): Expr => ({ op: "literal", value });
const subjectId: Expr = { op: "field", of: { op: "root", name: "subject" }, name: "id" };

function rule(id: string, more: Partial<Rule>): Rule {
  return {
    ...{ id, match: {}, outcome: "allow", obligations: [], onFailure: "deny", reason: id },
    ...{ source: "witness.yaml:1", ...more },
  };
}

function ask(rules: readonly Rule[], args: JsonObject = {}, delegation: string[] = []): Question {
  const asked: PolicyRequest = {
    subject: { type: "agent", id: "desk", delegation, properties: {} },
    action: { name: "pay:create", effect: "write", risk: "high", properties: {} },
    resource: { type: "tool", id: "pay:create", properties: {} },
    args,
    context: {},
  };
  return { set: { formatVersion: 3, rules, tools: [], limits: [] }, request: asked };
}

const sum = (left: number, right: number): Question => {
  const total: Expr = {
    ...{ op: "arithmetic", how: "+", left: literal(left), right: literal(right) },
  };
  return ask([rule("sum", { when: { op: "compare", how: ">", left: total, right: literal(-1) } })]);
};
const everyCode: Obligation = {
  ...{ kind: "require", path: ["codes", "*"], pattern: "^[A-Z]+$", required: true },
};
const ownRego: RegoCondition = {
  ...{ op: "rego" as const, module: "00", entrypoint: "a/b", timeoutMs: 1, memoryMiBMax: 1 },
};
const removal: Obligation = { kind: "redact", path: ["a"], replacement: { with: "remove" } };

/** Written by hand, for what chance seldom brings together. */
export const witnesses: readonly Question[] = [
  // Exact as whole numbers only up to 2^53 - 1, as decimals up to 15 digits.
  sum(Number.MAX_SAFE_INTEGER, 1),
  sum(999_999_999_999_999, 0.25),
  sum(0.1, 0.2),
  // A condition on the agent, which one agent of the chain fails.
  ask(
    [
      rule("desk", {
        when: {
          ...{ op: "compare", how: "==", left: subjectId },
          right: { op: "literal", value: "desk" },
        },
      }),
    ],
    {},
    ["guest"],
  ),
  // Code points are ordered, not the units of UTF-16.
  ask([
    rule("text", {
      when: {
        ...{ op: "compare", how: "<", left: { op: "literal", value: "\uffff" } },
        right: { op: "literal", value: "\u{1f600}" },
      },
    }),
  ]),
  // Conditions of the users' own Rego that nobody asked, beside a rule that allows.
  ask([rule("own", { when: ownRego, outcome: "deny" }), rule("usual", {})]),
  ask([rule("own", { when: ownRego }), rule("usual", {})]),
  ask([rule("own", { when: ownRego, match: { agents: ["other"] } }), rule("usual", {})]),
  ask([rule("codes", { obligations: [everyCode] })], { codes: ["AB", "CD"] }),
  ask([rule("codes", { obligations: [everyCode] })], { codes: ["AB", "c"] }),
  ask([rule("codes", { obligations: [everyCode] })], { codes: { a: "AB", b: 1 } }),
  ask([
    rule("first", { outcome: "sanitize", obligations: [removal] }),
    rule("second", { outcome: "sanitize", obligations: [removal, removal] }),
  ]),
].map(({ set, request: one }, i) => ({ set: withPrefix(set, `witness-${i}-`), request: one }));

const plain = (verdict: Verdict | undefined): unknown =>
  verdict && JSON.parse(JSON.stringify(comparable(verdict)));

export function differences(
  questions: readonly Question[],
  left: readonly Verdict[],
  right: readonly Verdict[],
): unknown[] {
  return questions.flatMap((question, i) => {
    const [a, b] = [plain(left[i]), plain(right[i])];
    return isDeepStrictEqual(a, b) ? [] : [{ question, a, b }];
  });
}
