/** Asked about a time without telemetry: an old trouble is not today's, unless objects still contradict themselves. */
import { expect, test } from "vitest";
import {
  defaultSettings,
  Graph,
  type ModelEvent,
  why,
  whyInGraph,
} from "../../../../src/model/index.ts";
import { ShopCluster } from "./rules/shop-cluster.ts";
import { ask, calls, eachWindow, series, service, symptomAt, traffic } from "./signals/shop.ts";

const hourMs = 3_600_000;
/** When the small cluster is looked at. */
const shopAt = 1_800_000_000_000;
const told = { at: symptomAt, knownAt: symptomAt, origin: { source: "test", reference: "x" } };

/** An error in every second call of cart, in the last two minutes that are known. */
const broken: readonly ModelEvent[] = eachWindow((minute, isNow) => [
  traffic(minute, {
    caller: null,
    callee: "front",
    callerOperation: "buy",
    errors: isNow ? 20 : 0,
  }),
  traffic(minute, { caller: "front", callee: "cart", errors: isNow ? 20 : 0 }),
]);
const about = { node: service("front"), signal: "errors" } as const;

const later = (
  events: readonly ModelEvent[],
  hours: number,
  knownAt = Number.POSITIVE_INFINITY,
) => {
  const graph = new Graph();
  graph.add(events);
  return whyInGraph(
    graph,
    { ...about, at: symptomAt + hours * hourMs },
    { ...defaultSettings, knownAt },
  );
};

test("seven hours after the last telemetry nothing is concluded from it; the answer says what to ask", () => {
  expect(ask(broken, about).verdict).toBe("cause");
  const answer = later(broken, 7);
  expect(answer).toMatchObject({ verdict: "insufficient", causes: [], ruledOut: [] });
  expect(answer.newestTelemetryAt).toBe(symptomAt + 2 * 60_000);
  expect(answer.checkNext[0]).toContain("ask with --at 2023-11-14T22:15:20.000Z --known-at now");
});

test("in a production too large to be looked at whole, it says the same", () => {
  const others = Array.from({ length: 12_500 }, (_, i) => calls(service(`a${i}`), service("b")));
  const [answer, small] = [later([...broken, ...others], 7), later(broken, 7)];
  expect(answer.verdict).toBe("insufficient");
  expect(answer.newestTelemetryAt).toBe(small.newestTelemetryAt);
});

test("by what was known at a moment, the advice keeps to that knowledge", () => {
  const answer = later(broken, 7, symptomAt + hourMs);
  expect(answer.checkNext[0]).toContain("--known-at 2023-11-14T23:13:20.000Z");
});

test("measurements of a node that is not asked about end the silence", () => {
  const fresh = series(service("ads"), "cpu", 0.2, [0.2, 0.2]);
  expect(ask([...broken, fresh], about).newestTelemetryAt).toBeUndefined();
  expect(later([...broken, fresh], 0.1).newestTelemetryAt).toBeUndefined();
});

test("who asks a minute early is not told that nothing was measured", () => {
  const early = { ...about, at: symptomAt - 60_000 };
  const answer = why(broken, early, { ...defaultSettings, lookbackMs: 30_000 });
  expect([answer.verdict, answer.causes[0]?.node]).toEqual(["cause", service("cart")]);
});

test("telemetry of later does not stand for that of the time that is asked about", () => {
  const after = traffic(20 * 60, { caller: null, callee: "front" });
  expect(later([...broken, after], 7).verdict).toBe("insufficient");
});

test("where nothing was ever measured, there is no silence", () => {
  expect(later([calls(service("front"), service("cart"))], 7).newestTelemetryAt).toBeUndefined();
});

test("objects that contradict themselves are answered all the same, what they logged then is not believed", () => {
  const shop = new ShopCluster().put("Deployment", "cart", ["spec", "replicas"], 0);
  const old = traffic(-7 * 60, { caller: "front", callee: "cart", errors: 40 });
  const at = shopAt + 6 * hourMs;
  const events = [...shop.events(), { ...old, at: shopAt - hourMs, untilAt: shopAt - hourMs }];
  const answer = why(events, { at, node: service("cart"), signal: "availability" });
  expect(answer).toMatchObject({
    verdict: "cause",
    newestTelemetryAt: shopAt - hourMs,
    causes: [{ node: "workload:shop/cart", kind: "schedule.replicas_zero" }],
  });
});

test("that somebody complained hours ago is no object that contradicts itself", () => {
  const shop = new ShopCluster().tell({
    ...{ type: "alert", node: service("cart"), signal: "errors", title: "cart fails" },
  });
  const at = shopAt + 6 * hourMs;
  const old = { ...traffic(0, { caller: "front", callee: "cart" }), at: shopAt, untilAt: shopAt };
  const about = { at, node: service("cart"), signal: "errors" } as const;
  expect(why(shop.events(), about).verdict).toBe("cause");
  expect(why([...shop.events(), old], about).verdict).toBe("insufficient");
});

test("a deploy near a silence is shown, and is not enough", () => {
  const deploy: ModelEvent = {
    ...{ type: "change", id: "d", ...told, at: symptomAt + 7 * hourMs - 60_000 },
    ...{ change: "deploy:front-2", kind: "deploy", targets: [service("front")], title: "front 2" },
  };
  expect(later([...broken, deploy], 7)).toMatchObject({
    verdict: "insufficient",
    causes: [{ change: "deploy:front-2" }],
  });
});
