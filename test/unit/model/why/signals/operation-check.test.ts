/** One node, two operations, one of them in trouble: who asks about the other is told that it is well. */
import { expect, test } from "vitest";
import type { ModelEvent } from "../../../../../src/model/index.ts";
import { ask, eachWindow, type Flow, nowMinutes, pastMinutes, service, traffic } from "./shop.ts";

const well: Flow = { caller: null, callee: "front", operation: "GET /", entry: "GET /", selfMs: 3 };
const broken: Flow = { ...well, operation: "POST /checkout", entry: "POST /checkout" };

/** Checkout fails at its callee now; the other as it is told. */
const shop = (other: Partial<Flow> = {}): readonly ModelEvent[] =>
  eachWindow((minute, isNow) => [
    traffic(minute, { ...broken, errors: isNow ? 30 : 0 }),
    traffic(minute, {
      ...{ caller: "front", callee: "pay", callerOperation: "POST /checkout" },
      ...{ entry: "POST /checkout", errors: isNow ? 30 : 0 },
    }),
    traffic(minute, { ...well, ...(isNow ? other : {}) }),
  ]);

const about = (operation: string) =>
  ({ node: service("front"), signal: "errors", operation }) as const;

test("an operation whose calls are as usual: none, with what was looked at", () => {
  const answer = ask(shop(), about("GET /"));
  expect(answer.verdict).toBe("none");
  expect(answer.ruledOut[0]).toEqual({
    node: "service:front",
    because:
      '"GET /" in the lookback: 80 calls, 0 failed, half took at most 3.0 ms; before: 120 calls, 0 failed, half took at most 3.0 ms',
  });
});

test("the operation in trouble is answered as without it", () => {
  const answer = ask(shop(), about("POST /checkout"));
  expect(answer).toEqual(ask(shop(), { node: service("front"), signal: "errors" }));
  expect(answer.verdict).toBe("cause");
  expect(answer.causes[0]?.node).toBe("service:pay");
});

test.each<[string, Partial<Flow>]>([
  ["fails", { errors: 8 }],
  ["takes longer", { selfMs: 9 }],
  ["is hardly called any more", { count: 3 }],
])("an operation that %s is not as usual", (_, other) => {
  expect(ask(shop(other), about("GET /")).verdict).not.toBe("none");
});

test("what fails as often as ever is as usual", () => {
  const events = [...pastMinutes, ...nowMinutes].map((minute) =>
    traffic(minute, { ...well, errors: 4 }),
  );
  expect(ask(events, about("GET /")).verdict).toBe("none");
});

test("an operation that nobody called of late is said not to have been", () => {
  const events = shop().filter(
    (each) => !(each.at >= 1_700_000_000_000 && each.id.includes("GET /")),
  );
  const answer = ask(events, about("GET /"));
  expect(answer.verdict).not.toBe("none");
  expect(answer.checkNext.at(-1)).toContain('"GET /" was not called in the lookback');
});
