/** Openings as gateways share them: keys, clocks that are wrong, two that open at once. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  breakerKey,
  breakerPrefix,
  keptChange,
  openForMs,
  readBreakerKey,
  readSharedBreaker,
  type SharedBreaker,
  sharedBreakerJson,
} from "../../../src/limits/index.ts";

const sinceMs = 1_777_888_999_000;
const opening: SharedBreaker = {
  id: "brk-1",
  state: "open",
  sinceMs,
  openMs: 5_000,
  times: 2,
  cause: "it is down",
  by: "gateway one",
};

test("a key names one breaker and is read back, whatever a tool is called", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (tool) => {
      const of = { upstream: "pay", tool };
      const key = breakerKey(of);
      if (key === undefined) return;
      expect(key).toMatch(/^[!-~]{1,512}$/);
      expect(readBreakerKey(key)).toEqual({ upstream: "pay", tool: tool });
    }),
  );
  expect(readBreakerKey(breakerKey({ upstream: "pay" }) ?? "")).toEqual({ upstream: "pay" });
  expect(breakerKey({ upstream: "pay", tool: "x".repeat(600) })).toBeUndefined();
  for (const wrong of ["limits/kill", breakerPrefix, "breaker/a/b/c", "breaker/a/%zz"])
    expect(readBreakerKey(wrong)).toBeUndefined();
});

test("what is stored is read back; anything else is not an opening", () => {
  const stored = sharedBreakerJson(opening);
  expect(readSharedBreaker(stored)).toEqual(opening);
  expect(readSharedBreaker({ ...stored, open_ms: null })).toEqual({ ...opening, openMs: null });
  const wrong = {
    id: 1,
    since_ms: "monday",
    open_ms: -1,
    times: -1,
    state: "ajar",
    cause: null,
    by: [],
  };
  for (const [name, value] of Object.entries(wrong))
    expect(readSharedBreaker({ ...stored, [name]: value }), name).toBeUndefined();
});

test("no clock, however wrong, makes an opening last longer than it was to last", () => {
  expect(openForMs(opening, sinceMs)).toBe(5_000);
  expect(openForMs(opening, sinceMs + 2_000)).toBe(3_000);
  expect(openForMs(opening, sinceMs + 3_600_000)).toBe(0);
  expect(openForMs(opening, sinceMs - 3_600_000)).toBe(5_000);
  expect(openForMs({ ...opening, openMs: null }, sinceMs)).toBeUndefined();
});

test("of two openings one stays: people's first, else the longer; one's own next replaces its last", () => {
  const own: SharedBreaker = { ...opening, id: "brk-2", by: "gateway two" };
  const held = { ...opening, openMs: null };
  const later = sinceMs + 1_000;
  const newer = { ...own, sinceMs: later };
  expect(keptChange(undefined, own, undefined, sinceMs)).toBe(own);
  expect(keptChange(held, own, undefined, sinceMs)).toBe(held);
  expect(keptChange(opening, newer, undefined, later)).toBe(newer);
  expect(keptChange({ ...opening, openMs: 60_000 }, newer, undefined, later)).toMatchObject({
    id: "brk-1",
  });
  expect(keptChange(opening, newer, "brk-1", later)).toBe(newer);
});

test("a closing ends the opening that its gateway knew, and no other", () => {
  const closing: SharedBreaker = {
    ...opening,
    id: "brk-3",
    state: "closed",
    openMs: 0,
    times: 0,
  };
  expect(keptChange(opening, closing, "brk-1", sinceMs)).toBe(closing);
  expect(keptChange(opening, closing, "brk-0", sinceMs)).toBe(opening);
  expect(keptChange({ ...opening, openMs: null }, closing, "brk-0", sinceMs).id).toBe("brk-1");
  expect(keptChange(closing, opening, "brk-0", sinceMs)).toBe(opening);
  expect(keptChange(undefined, closing, "brk-0", sinceMs)).toBe(closing);
});
