/** How findings become one verdict, where the everyday comparison with the twin seldom gets to. */
import { expect, test } from "vitest";
import {
  combineChain,
  combineRules,
  type Finding,
  uniqueObligations,
} from "../../../src/policy/combine.ts";
import type { Obligation, Outcome, Rule } from "../../../src/policy/index.ts";
import { Failure } from "../../../src/policy/values.ts";

const remove = (name: string): Obligation => ({
  kind: "redact",
  path: [name],
  replacement: { with: "remove" },
});

function rule(id: string, outcome: Outcome, obligations: readonly Obligation[] = []): Rule {
  const common = { match: {}, onFailure: "open" as const, source: "p.yaml:1" };
  return { ...common, id, outcome, obligations, reason: `${id} says ${outcome}` };
}
const holds = (of: Rule): Finding => ({ kind: "true", rule: of });
const unclear = (of: Rule, why: string, opened: boolean): Finding => ({
  ...{ kind: "indeterminate", rule: of, failure: new Failure(why), opened },
});

test("a chain starts with the subject", () => {
  expect(() => combineChain([])).toThrow("a chain starts with the subject");
});

test("all who say the strictest are named, each rule once, in order; the reason is that of the first", () => {
  const chain = [
    combineRules("desk", [holds(rule("p/z", "allow"))]),
    combineRules("b", [holds(rule("p/c", "deny")), holds(rule("p/d", "deny"))]),
    combineRules("a", [holds(rule("p/a", "deny")), holds(rule("p/c", "deny"))]),
  ];
  expect(combineChain(chain)).toEqual({
    outcome: "deny",
    reason: "p/c says deny (for b in the delegation chain)",
    determiningRules: ["p/a", "p/c", "p/d"],
    indeterminate: [],
    obligations: [],
    opened: false,
  });
});

test("what could not be told is listed by rule, each once with its first reason", () => {
  const chain = [
    combineRules("desk", [
      unclear(rule("p/b", "deny"), "first", true),
      holds(rule("p/c", "allow")),
    ]),
    combineRules("a", [
      unclear(rule("p/a", "deny"), "other", true),
      unclear(rule("p/b", "deny"), "second", true),
      holds(rule("p/c", "allow")),
    ]),
  ];
  expect(combineChain(chain)).toMatchObject({
    outcome: "allow",
    reason: "p/c says allow",
    determiningRules: ["p/c"],
    indeterminate: [
      { rule: "p/a", why: "other" },
      { rule: "p/b", why: "first" },
    ],
    opened: true,
  });
});

test("a rule that was passed over obliges to nothing; the true ones do, by id, each duty once", () => {
  const verdict = combineChain([
    combineRules("desk", [
      unclear(rule("p/a", "sanitize", [remove("never")]), "why", true),
      holds(rule("p/c", "sanitize", [remove("x"), remove("y")])),
    ]),
    combineRules("a", [
      holds(rule("p/b", "sanitize", [remove("y"), remove("z")])),
      holds(rule("p/c", "sanitize", [remove("x"), remove("y")])),
    ]),
  ]);
  expect(verdict.obligations).toEqual([remove("y"), remove("z"), remove("x")]);
  expect(uniqueObligations([remove("x"), remove("x")])).toEqual([remove("x")]);
});

test("a rule that could not be evaluated denies over a person's approval, and under a deny", () => {
  const stuck = unclear(rule("p/b", "allow"), "why", false);
  const person = holds(rule("p/a", "approval_needed"));
  expect(combineRules("desk", [person, stuck])).toMatchObject({
    outcome: "deny",
    reason: "the rule p/b could not be evaluated",
    determining: ["p/b"],
  });
  const broken: Finding = { kind: "broken", rule: rule("p/c", "allow"), broken: "x is missing" };
  expect(combineRules("desk", [person, stuck, broken])).toMatchObject({
    outcome: "deny",
    reason: "p/c says allow: x is missing",
    determining: ["p/c"],
  });
});
