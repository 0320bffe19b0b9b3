/** Load that hurts nobody: what runs every few minutes, and what nothing is joined to. */
import { describe, expect, test } from "vitest";
import { nodeId, type Series } from "../../../../../src/model/index.ts";
import { ask, calls, nodesOf, series, service, symptomAt } from "./shop.ts";

const [front, cart, report] = [service("front"), service("cart"), service("report")];
const minuteMs = 60_000;
const events = [calls(front, cart), series(cart, "cpu", 0.1, [0.3, 0.3, 0.3])];
const burning = series(report, "cpu", 0.02, [0.9, 0.9, 0.9]);

/** As hard as now, every `period` minutes, for one. */
const everyFew = (period: number): Series => ({
  ...burning,
  points: burning.points.map(([at, value]) => {
    const minute = Math.round((at - symptomAt) / minuteMs);
    return [at, minute < 0 && minute % period === 0 ? 0.9 : value] as const;
  }),
});

describe("a job that burns the processor", () => {
  test("every few minutes does so as usual: what is new elsewhere is the cause", () => {
    const joined = calls(front, report);
    expect(nodesOf(ask([...events, joined, everyFew(5)]))[0]).toBe(cart);
    expect(nodesOf(ask([...events, joined, burning]))[0]).toBe(report);
    expect(nodesOf(ask([...events, joined, everyFew(5)], {}, "time"))[0]).toBe(report);
  });

  test("is ruled out where calls are seen, none of them its own, and nothing joins it to anybody", () => {
    const answer = ask([...events, burning]);
    expect(nodesOf(answer)).toEqual([cart]);
    expect(answer.ruledOut.find(({ node }) => node === report)?.because).toMatch(/connects it/);
  });

  test("may be the cause on a machine that is known, where no calls are seen, or where it is asked about", () => {
    const shared = calls(report, nodeId("host", "node-1"), "runs_on");
    expect(nodesOf(ask([...events, shared, burning]))[0]).toBe(report);
    expect(nodesOf(ask([...events.slice(1), burning]))[0]).toBe(report);
    expect(nodesOf(ask([...events, burning], { node: report }))[0]).toBe(report);
  });
});
