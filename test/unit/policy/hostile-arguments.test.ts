/** Arguments made to keep a policy busy: the decision comes soon, and is a refusal. */
import { expect, test } from "vitest";
import { compile, loadPolicySet } from "../../../src/policy/index.ts";

function engineOf(rule: object): ReturnType<typeof compile> {
  const tools = { "t:x": { effect: "write", risk: "high" } };
  const rules = [{ id: "r", match: { tools: "t:x" }, outcome: "allow", ...rule }];
  const text = JSON.stringify({ policy: "p", tools, rules });
  const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", text }]);
  if (set === undefined) throw new Error(JSON.stringify(diagnostics));
  return compile(set, "r1");
}

const decide = (engine: ReturnType<typeof compile>, args: object): object =>
  engine.decide({
    subject: { id: "a", type: "agent", properties: {}, delegation: [] },
    action: { name: "t:x", effect: "write", risk: "high", properties: {} },
    resource: { type: "tool", id: "t:x", properties: {} },
    context: {},
    args,
  } as unknown as Parameters<typeof engine.decide>[0]);

const slow = "[ab]*a[ab]{900}[^ab]";
const text = (length: number): string => "ab".repeat(length / 2);

test("a pattern that takes half a minute on a megabyte is not searched for in one", () => {
  const engine = engineOf({ when: `args.x.matches('${slow}')` });
  expect(decide(engine, { x: text(1_000_000) })).toMatchObject({
    outcome: "deny",
    indeterminate: [expect.anything()],
  });
  expect(decide(engine, { x: text(2_000) })).toMatchObject({ outcome: "deny", indeterminate: [] });
});

test("nor is a text required to have it", () => {
  const engine = engineOf({ obligations: [{ require: "args.x", matches: slow }] });
  expect(decide(engine, { x: text(1_000_000) })).toMatchObject({ outcome: "deny" });
  expect(decide(engine, { x: `${text(1_000)}a!` })).toMatchObject({ outcome: "allow" });
});

test("a plain pattern finds what it looks for in a text of 100,000 characters", () => {
  const engine = engineOf({ when: `args.x.matches('\\\\b4[0-9]{12}(?:[0-9]{3})?\\\\b')` });
  const x = `${"word ".repeat(20_000)}4111111111111111`;
  expect(decide(engine, { x })).toMatchObject({ outcome: "allow" });
});

test("lists within lists are looked at up to a bound", () => {
  const engine = engineOf({ when: "args.x.exists(a, args.x.exists(b, a + b == -1))" });
  const list = (length: number): number[] => Array.from({ length }, (_, i) => i);
  expect(decide(engine, { x: list(900) })).toMatchObject({ outcome: "deny", indeterminate: [] });
  expect(decide(engine, { x: list(500_000) })).toMatchObject({
    outcome: "deny",
    indeterminate: [expect.anything()],
  });
});

test("names that every object has are names of arguments like others", () => {
  const engine = engineOf({
    when: "has(args.__proto__) || has(args.constructor) || has(args.toString)",
  });
  expect(decide(engine, {})).toMatchObject({ outcome: "deny", indeterminate: [] });
  const own = Object.fromEntries([["__proto__", { admin: true }]]);
  expect(decide(engine, own)).toMatchObject({ outcome: "allow" });
});
