import { expect, test } from "vitest";
import { hasGap, reconcile } from "../../../src/failover/index.ts";

const refs = (...ids: string[]) => ids.map((id) => ({ id }));

test("everything arrived, in any order, some of it twice: no gap", () => {
  const gap = reconcile(refs("a", "b", "c"), refs("c", "a", "b", "a", "a"));
  expect(gap).toMatchObject({ source_events: 3, warehouse_events: 3, missing: 0, duplicates: 2 });
  expect(hasGap(gap)).toBe(false);
});

test.each([
  ["one is missing", refs("a", "b", "c"), refs("a", "c"), { missing: 1, missing_ids: ["b"] }],
  ["one is made up", refs("a"), refs("a", "x"), { unexpected: 1, unexpected_ids: ["x"] }],
  [
    "one was changed",
    [{ id: "a", digest: "1" }],
    [{ id: "a", digest: "2" }],
    { differing: 1, differing_ids: ["a"] },
  ],
])("%s", (_name, source, warehouse, found) => {
  const gap = reconcile(source, warehouse);
  expect(gap).toMatchObject(found);
  expect(hasGap(gap)).toBe(true);
});

test("a digest that one side does not have says nothing", () => {
  expect(hasGap(reconcile([{ id: "a", digest: "1" }], refs("a")))).toBe(false);
});

test("of many, all are counted and the first are named", () => {
  const many = Array.from({ length: 5_000 }, (_, i) => `e${i}`);
  const gap = reconcile(refs(...many), []);
  expect(gap.missing).toBe(5_000);
  expect(gap.missing_ids).toEqual(many.slice(0, 100));
});
