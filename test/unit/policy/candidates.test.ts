/** The index of rules against the plain way: look at every rule. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ToolId } from "../../../src/kernel/index.ts";
import { Candidates } from "../../../src/policy/candidates.ts";
import { compileRule } from "../../../src/policy/rule.ts";
import { runsOf } from "../../fixtures/effort.ts";

const letters = fc
  .array(fc.constantFrom("a", "b", ":", "*"), { maxLength: 5 })
  .map((l) => l.join(""));
const names = fc.array(fc.constantFrom("a", "b", ":"), { maxLength: 5 }).map((l) => l.join(""));
const patterns = fc.option(fc.array(letters, { minLength: 1, maxLength: 3 }), { nil: undefined });
const effects = fc.constantFrom("read", "write");

test("finds exactly the rules that fit, in their order, however often it is asked", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(patterns, patterns, fc.option(effects, { nil: undefined })), {
        maxLength: 12,
      }),
      fc.array(fc.tuple(effects, names, names), { minLength: 1, maxLength: 8 }),
      (matches, asked) => {
        const rules = matches.map(([tools, agents, effect], i) =>
          compileRule({
            id: `p/r${i}`,
            match: {
              ...(tools && { tools }),
              ...(agents && { agents }),
              ...(effect && { effect }),
            },
            outcome: "allow",
            obligations: [],
            onFailure: "deny",
            reason: "",
            source: "",
          }),
        );
        const candidates = new Candidates(rules);
        for (const [effect, name, agent] of [...asked, ...asked]) {
          const tool = name as ToolId;
          const fitting = rules.filter(
            (rule) => rule.fitsEffect(effect) && rule.fitsTool(tool) && rule.fitsAgent(agent),
          );
          expect(candidates.of(effect, tool, agent).map(({ rule }) => rule.id)).toEqual(
            fitting.map(({ rule }) => rule.id),
          );
        }
      },
    ),
    { numRuns: runsOf(2_000) },
  );
});

/** A list found anew is another object: that shows what is remembered. */
test("lists of names of up to 1,024 characters are remembered, 4,096 of them at most", () => {
  const candidates = new Candidates([]);
  const ask = (agent: string) => candidates.of("read", "a:b", agent);
  const first = ask("first");
  expect(ask("first")).toBe(first);
  expect(candidates.of("write", "a:b", "first")).not.toBe(first);
  const long = "x".repeat(1_021);
  expect(ask(long)).toBe(ask(long));
  expect(ask(`${long}x`)).not.toBe(ask(`${long}x`));
  for (let i = 0; i < 4_093; i++) ask(`agent-${i}`);
  expect(ask("first")).toBe(first);
  const last = ask("one too many");
  expect(ask("one too many")).toBe(last);
  expect(ask("first")).not.toBe(first);
  for (let i = 0; i < 4_094; i++) ask(`agent-${i}`);
  expect(ask("one too many")).toBe(last);
  ask("again one too many");
  expect(ask("one too many")).not.toBe(last);
});
