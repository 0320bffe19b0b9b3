/** Places inside scalars: a character of the value stands where an editor shows it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSource, type SourceNode } from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

function onlyScalar(root: SourceNode | undefined): Extract<SourceNode, { kind: "scalar" }> {
  const first = root?.kind === "map" ? root.entries[0]?.value : undefined;
  if (first?.kind !== "scalar") throw new Error("no scalar");
  return first;
}

const forms: readonly [string, string][] = [
  ["plain", "when: a && X\n"],
  ["plain over lines", "when: a &&\n   b ||\n   X\n"],
  ["single quotes", "when: 'it''s && ''X'\n"],
  ["double quotes with escapes", 'when: "a == \\"\\u0041\\" \\x41 && X"\n'],
  ["double quotes with a continued line", 'when: "a && \\\n    X"\n'],
  ["literal block", "when: |\n  a &&\n\n    X\n"],
  ["literal block with a comment and a mark", "when: |2- # why\n  a &&\n  X\n"],
  ["folded block", "when: >-\n  a &&\n  b\n\n  X\n"],
];

for (const [form, text] of forms)
  test(`${form}`, () => {
    const scalar = onlyScalar(parseSource("p.yaml", text).root);
    const { line, column } = scalar.positionOf(String(scalar.value).indexOf("X"));
    expect(text.split("\n")[line - 1]?.[column - 1]).toBe("X");
  });

test.each([
  "%YAML 1.2\n---\n",
  "%YAML 1.1\n---\n",
  "%YAML 1.2\n%YAML 1.2\n---\n",
  "# x\n%TAG ! tag:x,2026:\n---\n",
])("directives are refused where they stand: %j", (head) => {
  const { root, diagnostics } = parseSource("p.yaml", `${head}policy: p\n`);
  expect(root).toBeUndefined();
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]?.message).toMatch(/directives .* are not allowed/);
  expect(diagnostics[0]?.line).toBe(head.startsWith("#") ? 2 : 1);
});

test("a % inside a value is no directive", () => {
  const { diagnostics } = parseSource("p.yaml", "text: |\n  50\n  %\nmore: >\n  a\n  %YAML 1.1\n");
  expect(diagnostics).toEqual([]);
});

test("any text in double quotes keeps the place of its mark", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (before) => {
      const text = `when: ${JSON.stringify(`${before.replaceAll("\u2603", "")}\u2603`)}\n`;
      const scalar = onlyScalar(parseSource("p.yaml", text).root);
      const at = scalar.positionOf(String(scalar.value).indexOf("\u2603"));
      expect(text[at.column - 1]).toBe("\u2603");
    }),
    { numRuns: runsOf(100) },
  );
});

test("a file over 1 MiB is refused unread, one of 1 MiB is not", () => {
  const text = (length: number): string => `policy: p #${"x".repeat(length - 11)}`;
  expect(parseSource("p.yaml", text(1_048_576)).diagnostics).toEqual([]);
  expect(parseSource("p.yaml", text(1_048_577))).toEqual({
    diagnostics: [
      {
        ...{ severity: "error", code: "too-large", file: "p.yaml", line: 1, column: 1 },
        message: "the file is over 1048576 characters",
      },
    ],
  });
});
