/** Every mistake is refused when a policy is loaded, at its place, with the word that was probably meant. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Diagnostic,
  formatDiagnostic,
  loadPolicySet,
  sortDiagnostics,
} from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { catalog, toolSchemas, withCondition } from "./mistake.ts";
import { mistakes } from "./mistakes.ts";

function load(text: string): readonly Diagnostic[] {
  return loadPolicySet(
    [
      { path: "catalog.yaml", text: catalog },
      { path: "p.yaml", text },
    ],
    { toolSchemas },
  ).diagnostics;
}

for (const [what, text, place, code, message, nearest] of mistakes)
  test(`${what} (${code})`, () => {
    const diagnostics = load(text);
    const found = diagnostics.find(
      (each) => each.code === code && `${each.line}:${each.column}` === place,
    );
    expect(found, diagnostics.map(formatDiagnostic).join("\n")).toBeDefined();
    expect(found?.message).toMatch(message);
    expect(found?.nearest).toBe(nearest);
    if (found?.severity === "error")
      expect(diagnostics.filter((d) => d.severity === "error")).toHaveLength(1);
  });

test("everything that is wrong is reported in one run, in order, and nothing loads", () => {
  const text = `policy: p
rules:
- id: a
  match: { tools: pay:creat }
  when: arg.x == 1 || sise(args) > 2
  outcome: alow
- id: a
  mach: {}
  outcome: deny
`;
  const loaded = loadPolicySet([
    { path: "catalog.yaml", text: catalog },
    { path: "p.yaml", text },
  ]);
  expect(loaded.set).toBeUndefined();
  expect(loaded.diagnostics.map((d) => `${d.line}:${d.column} ${d.code}`)).toEqual([
    "4:19 unknown-tool",
    "5:9 unknown-variable",
    "5:23 unknown-function",
    "6:12 unknown-word",
    "7:3 missing-field",
    "7:7 duplicate-id",
    "8:3 unknown-field",
    "9:12 missing-field",
  ]);
});

test("the text form is that of compilers", () => {
  const [diagnostic] = load(withCondition("args.amuont > 5"));
  expect(diagnostic && formatDiagnostic(diagnostic)).toBe(
    "p.yaml:3:14: error: args has no field amuont; did you mean amount?\n" +
      "    it has amount, count, currency, speed, card, items",
  );
});

test("whatever stands in a file is reported, never thrown", () => {
  const texts = mistakes.map(([, text]) => text);
  const edit = [fc.nat(), fc.nat(40), fc.string({ unit: "binary", maxLength: 6 })] as const;
  fc.assert(
    fc.property(fc.constantFrom(...texts), ...edit, (text, place, cut, inserted) => {
      const at = place % text.length;
      load(text.slice(0, at) + inserted + text.slice(at + cut));
    }),
    { numRuns: runsOf(200) },
  );
});

test("a policy has one file", () => {
  const file = (path: string, id: string) => ({
    ...{
      path,
      text: `policy: p\nrules: [{ id: ${id}, match: { tools: "a:b" }, outcome: allow }]\n`,
    },
  });
  const { set, diagnostics } = loadPolicySet([file("a.yaml", "x"), file("b.yaml", "y")]);
  expect(set).toBeUndefined();
  expect(diagnostics.map((each) => `${each.code} ${formatDiagnostic(each)}`)).toEqual([
    "duplicate-id b.yaml:1:9: error: the policy p is also in a.yaml",
  ]);
});

test("diagnostics come by file, line and column", () => {
  const at = (file: string, line: number, column: number): Diagnostic => ({
    ...{ file, line, column, severity: "error", code: "c", message: "m" },
  });
  const sorted = [at("a", 1, 1), at("a", 1, 2), at("a", 2, 1), at("b", 1, 1), at("c", 1, 1)];
  expect(sortDiagnostics(sorted.toReversed())).toEqual(sorted);
  expect(sortDiagnostics(sorted)).toEqual(sorted);
});
