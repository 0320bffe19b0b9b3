/** No case is asked with a memory in which it is. */
import { expect, test } from "vitest";
import { crossValidation } from "../../../bench/rca/cross-validate.ts";
import type { OpenSet } from "../../../bench/rca/reader.ts";

const ids = Array.from({ length: 12 }, (_, i) => `case-${i}`);
const labels = Object.fromEntries(ids.map((id) => [id, {}]));

function set(remembered: (id: string, known: readonly string[]) => void): OpenSet {
  return {
    ids,
    read: (id) => ({ id, events: [], symptom: { at: 0, text: "slow" } }),
    confirmed: (_, { id }) => ({
      ...{ id, at: 0, confirmedAt: 0, node: "service:a", kind: "code.latency", chain: [] },
      felt: ["service:a"],
    }),
    predict: (_, { id }, { incidents }) => {
      const known = incidents.map((each) => each.id);
      remembered(id, known);
      return { known };
    },
    score: ({ known }) => ({ others: (known as readonly string[]).length / ids.length }),
    groups: () => [],
  };
}

test("all others are remembered, then another half; a case counts once", () => {
  const seen: (readonly [string, number])[] = [];
  const told = crossValidation(
    set((id, known) => {
      expect(known).not.toContain(id);
      seen.push([id, known.length]);
    }),
    labels,
    Number.POSITIVE_INFINITY,
  );
  expect(seen.filter(([, known]) => known === ids.length - 1)).toHaveLength(ids.length);
  expect(seen).toHaveLength(ids.length * 11);
  expect(told).toMatch(/remembering all other cases\n +all +n +12 +others 0\.917\n/);
  expect(told).toMatch(
    /remembering the other half, mean of 10 cuts\n +all +n +12 +others 0\.[3-6]/,
  );
});

test("a set of which nothing is remembered is refused", () => {
  const { confirmed: _, ...none } = set(() => undefined);
  expect(() => crossValidation(none, labels, 12)).toThrow(
    "nothing of this set is worth remembering",
  );
});
