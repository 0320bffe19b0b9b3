/** The index of rules against the plain way: look at every rule. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ToolId } from "../../../src/kernel/index.ts";
import { Candidates } from "../../../src/policy/candidates.ts";
import { compileRule } from "../../../src/policy/rule.ts";

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
    { numRuns: 2_000 },
  );
});
