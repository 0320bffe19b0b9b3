/** The same events give the same answer, in any order and however often they are told. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ask, calls, eachWindow, log, series, service, traffic } from "./shop.ts";

const [front, cart, ads] = [service("front"), service("cart"), service("ads")];
const events = [
  calls(front, cart),
  calls(front, ads),
  series(front, "errors", 0.01, [0.3, 0.3, 0.3]),
  series(cart, "errors", 0.01, [0.3, 0.3, 0.3]),
  series(ads, "errors", 0.01, [0.3, 0.3, 0.3]),
  ...eachWindow((minute, isNow) => [
    traffic(minute, { caller: null, callee: "front", selfMs: 4 }),
    // Times that differ, so that sums made in another order differ in their last digits.
    ...["cart", "ads"].flatMap((callee, at) => [
      ...[1, 2, 3, 4, 5].map((step) =>
        traffic(minute, {
          ...{ caller: `front ${step}`, callee, count: 17 + step },
          selfMs: (isNow ? 90 : 4) + step / 7 + at,
          wayMs: (isNow ? 9 : 3) + step / 3,
        }),
      ),
      log(minute, callee, "done", isNow ? 20 : 40),
      log(minute, callee, "asked", 40),
    ]),
  ]),
];

test("order and repetition of what was told change nothing", () => {
  const answer = ask(events, { node: front, signal: "errors" });
  expect(answer.causes.length).toBeGreaterThan(1);
  const shuffled = fc.shuffledSubarray([...events, ...events.slice(0, 9)], {
    minLength: events.length + 9,
  });
  fc.assert(
    fc.property(shuffled, (told) => {
      expect(ask(told, { node: front, signal: "errors" })).toEqual(answer);
    }),
    { numRuns: 60 },
  );
});

test("what was told later than the question is not known", () => {
  const late = events.map((event) => ({ ...event, knownAt: Number.POSITIVE_INFINITY }));
  expect(ask(late).causes.length).toBeGreaterThan(0);
});
