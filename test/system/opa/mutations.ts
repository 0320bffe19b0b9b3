/** Planted faults in the Rego backend: each must be caught by the comparison of backends. */
import type { Edit } from "./opa.ts";

export interface Mutation {
  readonly name: string;
  /** Part of the path of the module it changes. */
  readonly module: string;
  readonly from: string | RegExp;
  readonly to: string;
}

const value = "value.rego";
const verdict = "verdict.rego";

export const mutations: readonly Mutation[] = [
  { name: "< becomes <=", module: value, from: "a.ok < b.ok", to: "a.ok <= b.ok" },
  { name: "<= becomes <", module: value, from: "a.ok <= b.ok", to: "a.ok < b.ok" },
  { name: "> becomes >=", module: value, from: "a.ok > b.ok", to: "a.ok >= b.ok" },
  { name: ">= becomes >", module: value, from: "a.ok >= b.ok", to: "a.ok > b.ok" },
  { name: "== becomes !=", module: value, from: "a.ok == b.ok", to: "a.ok != b.ok" },
  {
    name: "different types are unequal instead of an error",
    module: value,
    from: /comparable\(x, y\) if \{\n\ttype_name\(x\) == type_name\(y\)\n\tnot/,
    to: "comparable(x, y) if {\n\tnot",
  },
  {
    name: "types inside lists and maps are not looked at",
    module: value,
    from: "count(clashes(x, y)) == 0",
    to: "count(clashes(x, y)) >= 0",
  },
  {
    name: "sizes are not decided first",
    module: value,
    from: "members(lefts[path]) != members(rights[path])",
    to: "false",
  },
  {
    name: "Rego's order between types leaks",
    module: value,
    from: /type_name\(x\) == type_name\(y\)\n\ttype_name\(x\) in/,
    to: "type_name(x) in",
  },
  {
    name: "an error wins over a decided &&",
    module: value,
    from: `{"ok": false} in [a, b]`,
    to: `{"ok": false} in [a, b]\n\tnot a.error\n\tnot b.error`,
  },
  {
    name: "an error is false in ||",
    module: value,
    from: `a == {"ok": false}\n\tb ==`,
    to: "b ==",
  },
  {
    name: "an error in exists() is false",
    module: value,
    from: /(any_true[\s\S]*?)test == \{"ok": false\}/,
    to: `$1not test == {"ok": true}`,
  },
  {
    name: "an error in all() is true",
    module: value,
    from: /(all_true[\s\S]*?)test == \{"ok": true\}/,
    to: `$1not test == {"ok": false}`,
  },
  { name: "exists_one() is exists()", module: value, from: "test.ok]) == 1", to: "test.ok]) >= 1" },
  {
    name: "a missing field is null",
    module: value,
    from: `refuse([of], "no such field")`,
    to: `{"ok": null}`,
  },
  {
    name: "has() of what is no map is false",
    module: value,
    from: `refuse([of], "not a map")`,
    to: `{"ok": false}`,
  },
  {
    name: "an unknown test takes the second branch",
    module: value,
    from: `choose(test, _, _) := refuse([test], "not a bool") if`,
    to: "choose(test, _, no) := no if",
  },
  {
    name: "size of a string in bytes",
    module: value,
    from: `size(of) := {"ok": count(of.ok)}`,
    to: `size(of) := {"ok": count(split(urlquery.encode(of.ok), ""))} if is_string(of.ok) else := {"ok": count(of.ok)}`,
  },
  { name: "startsWith tests the end", module: value, from: "startswith(a.ok", to: "endswith(a.ok" },
  { name: "contains tests the start", module: value, from: "contains(a.ok", to: "startswith(a.ok" },
  {
    name: "a pattern is anchored",
    module: value,
    from: "regex.match(pattern, a.ok)",
    to: `regex.match(concat("", ["^(?:", pattern, ")$"]), a.ok)`,
  },
  {
    name: "arithmetic in floats",
    module: value,
    from: "total := number(pair.a + pair.b, pair.places)",
    to: "total := a.ok + b.ok",
  },
  {
    name: "division rounds instead of cutting off",
    module: value,
    from: "((shifted - (shifted % b)) / b)",
    to: "round(shifted / b)",
  },
  {
    name: "the remainder takes the sign of the divisor",
    module: value,
    from: "a.ok % b.ok}",
    to: "((a.ok % b.ok) + b.ok) % b.ok}",
  },
  {
    name: "whole numbers have no bound",
    module: value,
    from: "9007199254740991",
    to: "90071992547409910",
  },
  {
    name: "fractions have no bound",
    module: value,
    from: "digits_bound := 1000000000000000",
    to: "digits_bound := 1000000000000000000",
  },
  { name: "negation of a number is lost", module: value, from: "0 - a.ok", to: "a.ok" },
  {
    name: "a key of a map is no member",
    module: value,
    from: "a.ok in object.keys(b.ok)",
    to: "a.ok in b.ok",
  },
  {
    name: "deny has no precedence",
    module: verdict,
    from: `broken | {id | some id in true_rules; rule_by_id[id].outcome == "deny"}`,
    to: "broken",
  },
  {
    name: "sanitize wins over approval",
    module: verdict,
    from: `"deny", "approval_needed", "sanitize"`,
    to: `"deny", "sanitize", "approval_needed"`,
  },
  {
    name: "an error is passed over",
    module: verdict,
    from: "object.keys(errors) - opened",
    to: "set()",
  },
  {
    name: "writes open like reads",
    module: verdict,
    from: `input.action.effect == "read"\n`,
    to: `input.action.effect\n`,
  },
  { name: "writes open at any risk", module: verdict, from: `tool.risk == "low"`, to: "tool.risk" },
  { name: "writes never open", module: verdict, from: "\ttool.openOnFailure", to: "\tfalse" },
  {
    name: "a missing fact of the model opens a write",
    module: verdict,
    from: "\tnot reads_model(rule)\n",
    to: "",
  },
  {
    name: "the chain is not judged",
    module: verdict,
    from: "input.subject.delegation)",
    to: "[])",
  },
  {
    name: "the nearest agent decides for the chain",
    module: verdict,
    from: `{"id": agent}`,
    to: "{}",
  },
  {
    name: "a failing requirement is passed over",
    module: verdict,
    from: "denying := broken |",
    to: "denying := set() |",
  },
  {
    name: "a missing required value is fine",
    module: verdict,
    from: "\tduty.required",
    to: "\tfalse",
  },
  { name: "a star in a path is one name", module: verdict, from: `["*", step]`, to: "[step]" },
  {
    name: "a star in a name is one character",
    module: verdict,
    from: `concat(".*"`,
    to: `concat("."`,
  },
  { name: "names are patterns", module: verdict, from: "[quoted(part) |", to: "[part |" },
  {
    name: "a rule for reads sees writes",
    module: verdict,
    from: `"effect", input.action.effect) == input.action.effect`,
    to: `"effect", input.action.effect)`,
  },
  {
    name: "obligations repeat",
    module: verdict,
    from: "not duty in array.slice(duties(holding), 0, i)",
    to: "i >= 0",
  },
  {
    name: "the reason is of the last rule",
    module: verdict,
    from: "rule_by_id[min(saying)]",
    to: "rule_by_id[max(saying)]",
  },
];

/** Throws when the module does not hold what the mutation changes: a fault that was not planted proves nothing. */
export function plant({ name, module, from, to }: Mutation): Edit {
  return (path, text) => {
    if (!path.endsWith(module)) return text;
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`${name}: nothing to change in ${path}`);
    return changed;
  };
}
