/** What a policy promises, as theorems; and the engine beside its slow, obvious twin. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compile, type PolicySet, type Rule, type Verdict } from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { comparable } from "./comparable.ts";
import { directedProbe, policySet, probe, request } from "./generate.ts";
import { twinDecide } from "./twin.ts";

const runs = { numRuns: runsOf(400), seed: 20_261_121 };
const anySet = fc.oneof(policySet, probe, directedProbe);
const rights = ["deny", "approval_needed", "sanitize", "allow"] as const;
const rank = (verdict: Verdict): number => rights.indexOf(verdict.outcome);

/** True for every call, with no condition that could fail. */
function plainRule(id: string, outcome: Rule["outcome"]): Rule {
  return {
    id,
    match: {},
    outcome,
    obligations: [],
    onFailure: "deny",
    reason: `plain ${outcome}`,
    source: "test.yaml:1",
  };
}

function withRules(set: PolicySet, ...rules: readonly Rule[]): PolicySet {
  return { ...set, rules: [...set.rules, ...rules] };
}

test("native and twin agree", () => {
  fc.assert(
    fc.property(anySet, request, (set, asked) => {
      const [native, twin] = [compile(set, "r").decide(asked), twinDecide(set, asked)];
      expect(comparable(native)).toEqual(comparable(twin));
    }),
    runs,
  );
});

test("default deny: without a true rule that lets a call through, it is denied", () => {
  fc.assert(
    fc.property(anySet, request, (set, asked) => {
      const denyOnly = { ...set, rules: set.rules.filter(({ outcome }) => outcome === "deny") };
      expect(compile(denyOnly, "r").decide(asked).outcome).toBe("deny");
      const none = compile({ ...set, rules: [] }, "r").decide(asked);
      expect(none).toMatchObject({ outcome: "deny", determiningRules: [], obligations: [] });
    }),
    runs,
  );
});

test("deny trumps all: one true deny decides, whatever else is said", () => {
  fc.assert(
    fc.property(anySet, request, (set, asked) => {
      const verdict = compile(withRules(set, plainRule("zz/deny", "deny")), "r").decide(asked);
      expect(verdict.outcome).toBe("deny");
      expect(verdict.determiningRules).toContain("zz/deny");
      expect(verdict.obligations).toEqual([]);
    }),
    runs,
  );
});

test("the order of rules and tools is irrelevant", () => {
  const shuffled = policySet.chain((set) =>
    fc.record({
      set: fc.constant(set),
      rules: fc.shuffledSubarray([...set.rules], { minLength: set.rules.length }),
      tools: fc.shuffledSubarray([...set.tools], { minLength: set.tools.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, request, ({ set, rules, tools }, asked) => {
      const other = compile({ ...set, rules, tools }, "r").decide(asked);
      expect(other).toEqual(compile(set, "r").decide(asked));
    }),
    runs,
  );
});

test("an indeterminate write is denied, unless its tool is declared low and open on failure", () => {
  let seen = 0;
  fc.assert(
    fc.property(anySet, request, (set, asked) => {
      const action = { ...asked.action, effect: "write" as const };
      const tool = set.tools.find(({ id }) => id === action.name);
      fc.pre(!(tool?.risk === "low" && tool.openOnFailure));
      const verdict = compile(set, "r").decide({ ...asked, action });
      if (verdict.indeterminate.length === 0) return;
      seen += 1;
      expect(verdict).toMatchObject({ outcome: "deny", opened: false });
    }),
    runs,
  );
  expect(seen).toBeGreaterThan(runsOf(30));
});

test("adding a deny rule never allows more", () => {
  const denying = policySet.map(({ rules }) =>
    rules.map((rule): Rule => ({ ...rule, id: `added/${rule.id}`, outcome: "deny" })),
  );
  fc.assert(
    fc.property(anySet, denying, request, (set, added, asked) => {
      const before = compile(set, "r").decide(asked);
      const after = compile(withRules(set, ...added), "r").decide(asked);
      expect(rank(after)).toBeLessThanOrEqual(rank(before));
    }),
    runs,
  );
});

test("a chain never gains: delegation allows no more than any of its agents alone", () => {
  fc.assert(
    fc.property(anySet, request, (set, asked) => {
      const engine = compile(set, "r");
      const chain = [asked.subject.id, ...asked.subject.delegation];
      const whole = engine.decide(asked);
      // The chain itself can be asked about in a condition, so each agent stands in for the nearest one.
      for (const id of chain) {
        const alone = engine.decide({ ...asked, subject: { ...asked.subject, id } });
        const judged = set.rules.every(({ when }) => when === undefined) ? alone : undefined;
        if (judged) expect(rank(whole)).toBeLessThanOrEqual(rank(judged));
      }
      const longer = { ...asked.subject, delegation: [...asked.subject.delegation, "guest"] };
      expect(rank(engine.decide({ ...asked, subject: longer }))).toBeLessThanOrEqual(rank(whole));
    }),
    runs,
  );
});

test("a verdict is deterministic, byte for byte", () => {
  fc.assert(
    fc.property(policySet, request, (set, asked) => {
      const [first, second] = [compile(set, "r").decide(asked), compile(set, "r").decide(asked)];
      expect(JSON.stringify(first)).toBe(JSON.stringify(second));
    }),
    { ...runs, numRuns: 100 },
  );
});
