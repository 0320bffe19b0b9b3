/** A redaction leaves nothing of the original at its path, and everything else as it was. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { digestOf, type JsonObject, type JsonValue } from "../../../src/kernel/index.ts";
import { parseFieldPath, valuesAt } from "../../../src/policy/field-path.ts";
import {
  applyObligations,
  type FieldPath,
  formatFieldPath,
  type Obligation,
  redactForRecord,
} from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";

type Replacement = Extract<Obligation, { kind: "redact" }>["replacement"];

function redact(path: FieldPath, replacement: Replacement): Obligation {
  return { kind: "redact", path, replacement };
}

const card = "4111111111111111";
const args: JsonObject = {
  card: { number: card, name: "A" },
  items: [{ iban: "DE1", n: 1 }, { n: 2 }, { iban: "DE3" }],
};

const rows: readonly [string, Obligation, JsonObject][] = [
  [
    "text",
    redact(["card", "number"], { with: "text", text: "[card]" }),
    { ...args, card: { number: "[card]", name: "A" } },
  ],
  [
    "mask",
    redact(["card", "number"], { with: "mask", keep: 4 }),
    { ...args, card: { number: "************1111", name: "A" } },
  ],
  [
    "mask of everything",
    redact(["card", "name"], { with: "mask", keep: 4 }),
    { ...args, card: { number: card, name: "*" } },
  ],
  [
    "digest",
    redact(["card", "number"], { with: "digest" }),
    { ...args, card: { number: digestOf(card), name: "A" } },
  ],
  ["remove", redact(["card", "number"], { with: "remove" }), { ...args, card: { name: "A" } }],
  [
    "each element",
    redact(["items", "*", "iban"], { with: "remove" }),
    { ...args, items: [{ n: 1 }, { n: 2 }, {}] },
  ],
  ["whole elements", redact(["items", "*"], { with: "remove" }), { ...args, items: [] }],
  ["a map", redact(["card"], { with: "mask", keep: 4 }), { ...args, card: "***" }],
  [
    "each value of a map",
    redact(["card", "*"], { with: "text", text: "x" }),
    { ...args, card: { number: "x", name: "x" } },
  ],
];

for (const [what, obligation, wanted] of rows)
  test(`redact: ${what}`, () => {
    const before = structuredClone(args);
    const applied = applyObligations(args, [obligation]);
    expect(applied.ok && applied.value.changed).toBe(true);
    expect(applied.ok && { ...applied.value.args }).toEqual(wanted);
    expect(args).toEqual(before);
  });

test("an absent path changes nothing, and gives the same object back", () => {
  const applied = applyObligations(args, [redact(["nope", "x"], { with: "remove" })]);
  expect(applied.ok && applied.value).toEqual({ args, changed: false });
  expect(applied.ok && applied.value.args).toBe(args);
});

test("a list in which nothing is found stays the same object", () => {
  const applied = applyObligations(args, [redact(["items", "*", "nope"], { with: "remove" })]);
  expect(applied.ok && applied.value.changed).toBe(false);
  expect(applied.ok && applied.value.args).toBe(args);
});

test("a text where the path should go on is refused: the secret may be in it", () => {
  const applied = applyObligations({ card }, [
    redact(["card", "number"], { with: "mask", keep: 4 }),
  ]);
  expect(applied).toMatchObject({ ok: false, error: { path: "args.card" } });
});

test("for the record the whole text is replaced instead", () => {
  const kept = redactForRecord({ card, n: 1 }, [redact(["card", "number"], { with: "remove" })]);
  expect({ ...kept }).toEqual({ card: "[redacted]", n: 1 });
});

test("a key named __proto__ is a plain key", () => {
  const odd = JSON.parse('{"__proto__": {"a": 1}, "b": 2}') as JsonObject;
  const applied = applyObligations(odd, [redact(["b"], { with: "remove" })]);
  expect(applied.ok && Object.keys(applied.value.args)).toEqual(["__proto__"]);
});

const name = fc.constantFrom("a", "b", "c");
const tree: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant("secret-0123456789"),
    fc.integer(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: false }),
  ),
})).value;
const object = fc.dictionary(name, tree, { noNullPrototype: false }) as fc.Arbitrary<JsonObject>;
const path = fc.array(fc.oneof(name, fc.constant("*")), { minLength: 1, maxLength: 4 });
const replacement = fc.constantFrom<Replacement>(
  { with: "text", text: "-" },
  { with: "mask", keep: 2 },
  { with: "digest" },
  { with: "remove" },
);

/** The tree with a hole at every place of the path: what a redaction must leave alone. */
function withHoles(value: JsonValue, steps: FieldPath): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return undefined;
  if (Array.isArray(value) && step === "*")
    return rest.length === 0 ? [] : value.map((each) => withHoles(each as JsonValue, rest));
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [
        key,
        key === step || step === "*" ? withHoles(inner as JsonValue, rest) : inner,
      ])
      .filter(([, inner]) => inner !== undefined),
  );
}

test("an applied redaction leaves no original value at its path and everything else identical", () => {
  let applications = 0;
  fc.assert(
    fc.property(object, path, replacement, (value, steps, how) => {
      const before = JSON.stringify(value);
      const applied = applyObligations(value, [redact(steps, how)]);
      expect(JSON.stringify(value)).toBe(before);
      if (!applied.ok) return;
      const originals = new Set(
        valuesAt(value, steps)
          .filter((each) => each !== undefined)
          .map((each) => JSON.stringify(each)),
      );
      if (originals.size > 0) applications++;
      const after = valuesAt(applied.value.args, steps).filter((each) => each !== undefined);
      for (const each of after) expect(originals.has(JSON.stringify(each))).toBe(false);
      expect(withHoles(applied.value.args, steps)).toEqual(withHoles(value, steps));
    }),
    { numRuns: runsOf(400) },
  );
  // About one in four; far fewer would mean that the property looks at nothing.
  expect(applications).toBeGreaterThan(runsOf(400) / 10);
});

test("field paths are read as they are written", () => {
  const texts = ["args.card.number", "args.items[*].iban", 'args["first name"].x', "args[*]"];
  for (const text of texts) {
    const parsed = parseFieldPath(text);
    expect("message" in parsed ? parsed.message : formatFieldPath(parsed)).toBe(text);
  }
});
