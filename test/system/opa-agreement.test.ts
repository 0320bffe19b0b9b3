/** The native engine and a real OPA with the emitted Rego answer alike, and the comparison can tell when they do not. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, type Expr, type PolicySet, type Verdict } from "../../src/policy/index.ts";
import { comparable } from "../unit/policy/comparable.ts";
import { directedProbe, policySet, probe, request } from "../unit/policy/generate.ts";
import { twinDecide } from "../unit/policy/twin.ts";
import { mutations, plant } from "./opa/mutations.ts";
import { opaVerdicts, type Question } from "./opa/opa.ts";

const seed = 20_261_121;
const groups = 12;
const requestsPerSet = 8;

/** Questions of one OPA process; rule ids are unique over its sets. */
function questionsOf(group: number): Question[] {
  // Group 0 asks each operator for itself, the others ask whole sets.
  const directedOnly = group === 0;
  const sets = directedOnly
    ? directedProbe
    : fc.oneof({ arbitrary: policySet, weight: 2 }, { arbitrary: probe, weight: 1 });
  const asked = directedOnly ? 1 : requestsPerSet;
  const requests = fc.array(request, { minLength: asked, maxLength: asked });
  return fc
    .sample(fc.tuple(sets, requests), { seed: seed + group, numRuns: 1_000 / asked })
    .flatMap(([set, some], i) => {
      const own: PolicySet = {
        ...set,
        rules: set.rules.map((rule) => ({ ...rule, id: `${group}-${i}-${rule.id}` })),
      };
      return some.map((one) => ({ set: own, request: one }));
    });
}

const plain = (verdict: Verdict | undefined): unknown =>
  verdict && JSON.parse(JSON.stringify(comparable(verdict)));

function native(questions: readonly Question[]): Verdict[] {
  const engines = new Map(
    [...new Set(questions.map(({ set }) => set))].map((set) => [set, compile(set, "r")]),
  );
  return questions.map(({ set, request: one }) => engines.get(set)?.decide(one) as Verdict);
}

function differences(
  questions: readonly Question[],
  left: readonly Verdict[],
  right: readonly Verdict[],
): unknown[] {
  return questions.flatMap((question, i) => {
    const [a, b] = [plain(left[i]), plain(right[i])];
    return isDeepStrictEqual(a, b) ? [] : [{ question, a, b }];
  });
}

/** Every operator of a condition, by name. */
function operators(expr: Expr): string[] {
  const own = "how" in expr ? `${expr.op} ${expr.how}` : expr.op;
  const inner = Object.values(expr).flat() as unknown[];
  const below = inner.filter(
    (one): one is Expr => typeof one === "object" && one !== null && "op" in one,
  );
  const type =
    expr.op === "literal"
      ? [
          `literal ${Array.isArray(expr.value) ? "list" : expr.value === null ? "null" : typeof expr.value}`,
        ]
      : [];
  return [own, ...type, ...(expr.op === "literal" ? [] : below.flatMap(operators))];
}

class Tally {
  readonly counts: Record<string, number> = {};
  add(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
  question({ set, request: { action, subject } }: Question, verdict: Verdict): void {
    this.add(`outcome ${verdict.outcome}`);
    this.add(`effect ${action.effect}`);
    if (verdict.indeterminate.length > 0) this.add(`indeterminate ${action.effect}`);
    if (verdict.opened) this.add(`opened ${action.effect}`);
    if (subject.delegation.length > 0) this.add("delegated");
    for (const duty of verdict.obligations) this.add(`obligation ${duty.kind}`);
    for (const { when } of set.rules) if (when) for (const name of operators(when)) this.add(name);
  }
}

const everything = [
  ..."literal root local field index has list not negate and or if in size matches exists all exists_one".split(
    " ",
  ),
  ...["==", "!=", "<", "<=", ">", ">="].map((how) => `compare ${how}`),
  ...["+", "-", "*", "/", "%"].map((how) => `arithmetic ${how}`),
  ...["startsWith", "endsWith", "contains"].map((how) => `string ${how}`),
  ...["null", "boolean", "number", "string", "list", "object"].map((type) => `literal ${type}`),
  ...["allow", "deny", "sanitize", "approval_needed"].map((outcome) => `outcome ${outcome}`),
  ...["read", "write"].flatMap((effect) => [
    `effect ${effect}`,
    `indeterminate ${effect}`,
    `opened ${effect}`,
  ]),
  "delegated",
  "obligation redact",
  "obligation require",
];

test(`native, twin and OPA agree on ${groups * 1_000} decisions over every operator, type and outcome`, () => {
  const tally = new Tally();
  for (let group = 0; group < groups; group++) {
    const questions = questionsOf(group);
    const answers = native(questions);
    const twins = questions.map(({ set, request: one }) => twinDecide(set, one));
    expect(differences(questions, answers, twins).slice(0, 1)).toEqual([]);
    expect(differences(questions, answers, opaVerdicts(questions)).slice(0, 1)).toEqual([]);
    for (const [i, question] of questions.entries())
      tally.question(question, answers[i] as Verdict);
  }
  process.stdout.write(`${JSON.stringify(tally.counts, null, 1)}\n`);
  for (const what of everything) expect(tally.counts[what] ?? 0, what).toBeGreaterThan(20);
});

describe("a fault planted in the Rego is caught", () => {
  const directedOnes = questionsOf(0);
  const whole = [1, 2, 3, 4, 5, 6].flatMap(questionsOf);
  const portions = (questions: readonly Question[]): Question[][] => [
    questions.slice(0, 350),
    questions.slice(350),
  ];
  test.each(mutations)("$name", (mutation) => {
    const near = mutation.module.startsWith("value") ? directedOnes : [];
    const caught = [...portions(near), ...portions(whole)].some((questions) => {
      if (questions.length === 0) return false;
      const verdicts = opaVerdicts(questions, plant(mutation));
      return differences(questions, native(questions), verdicts).length > 0;
    });
    expect(caught).toBe(true);
  });
});
