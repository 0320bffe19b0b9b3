/** The native engine and a real OPA with the emitted Rego answer alike, and the comparison can tell when they do not. */
import { describe, expect, test } from "vitest";
import type { Expr, Verdict } from "../../src/policy/index.ts";
import { agreementOn, native, twin } from "./opa/agreement.ts";
import { mutations, plant } from "./opa/mutations.ts";
import { nativeMutations, withMutant } from "./opa/native-mutations.ts";
import { opaVerdicts, type Question } from "./opa/opa.ts";
import { differences, groupSize, questionsOf, witnesses } from "./opa/questions.ts";

const groups = 20;

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
    for (const { when } of set.rules)
      if (when && when.op !== "rego") for (const name of operators(when)) this.add(name);
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

test(`native, twin and OPA agree on ${groups * groupSize} decisions over every operator, type and outcome`, async () => {
  const tally = new Tally();
  for (let group = 0; group < groups; group++) {
    const questions = group === 0 ? [...witnesses, ...questionsOf(group)] : questionsOf(group);
    const { verdicts: answers, differences: found } = await agreementOn(questions);
    expect(found.slice(0, 1)).toEqual([]);
    for (const [i, question] of questions.entries())
      tally.question(question, answers[i] as Verdict);
  }
  process.stdout.write(`${JSON.stringify(tally.counts, null, 1)}\n`);
  for (const what of everything) expect(tally.counts[what] ?? 0, what).toBeGreaterThan(20);
});

const directed = questionsOf(0);
const whole = [1, 2].flatMap((group) => questionsOf(group));

/** Questions in the order in which they are asked: the nearest first, and more only when those saw nothing. */
function portions(near: readonly Question[]): readonly (readonly Question[])[] {
  const rest = [...near, ...whole];
  const size = 100;
  const count = Math.ceil(rest.length / size);
  const cut = Array.from({ length: count }, (_, i) => rest.slice(i * size, (i + 1) * size));
  return [witnesses, ...cut];
}

describe("a fault planted in the Rego is caught", () => {
  const caught = async (
    questions: readonly Question[],
    edit: ReturnType<typeof plant>,
  ): Promise<boolean> =>
    differences(questions, native(questions), await opaVerdicts(questions, edit)).length > 0;

  test.each(mutations)("$name", async (mutation) => {
    const near = mutation.module.startsWith("value") ? directed : [];
    for (const questions of portions(near)) if (await caught(questions, plant(mutation))) return;
    expect.unreachable("no question saw the fault");
  });
});

describe("a fault planted in the native engine is caught", () => {
  const questions = [...witnesses, ...directed, ...whole];
  const truth = twin(questions);
  test.each(nativeMutations)("$name", async (mutation) => {
    const seen = await withMutant(mutation, (compiler) =>
      differences(questions, native(questions, compiler), truth),
    );
    expect(seen.length).toBeGreaterThan(0);
  });
});
