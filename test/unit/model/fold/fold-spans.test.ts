/** Traces become traffic: by operation, with self time, whatever is odd about the spans. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../../fixtures/fixed-seed.ts";
import { foldSpans, type Span, type SpanFolding } from "../../../../src/model/index.ts";
import { runsOf } from "../../../fixtures/effort.ts";

const folding: SpanFolding = { id: "f", source: "test", window: { ms: 60_000 } };

/** `[id, parent, service, operation, start ms, duration ms]` of one trace. */
type Row = readonly [string, string | null, string, string, number, number];

const span = (
  [id, parent, service, operation, start, duration]: Row,
  more: Partial<Span> = {},
): Span => ({
  trace: "t",
  ...{ id, parent, service, operation },
  startUs: start * 1_000,
  durationUs: duration * 1_000,
  ...more,
});

const shop: readonly Span[] = [
  span(["1", null, "gateway", "/*", 0, 100]),
  span(["2", "1", "gateway", "HTTP POST", 5, 90]),
  span(["3", "2", "cart", "POST /checkout", 10, 80]),
  span(["4", "3", "cart", "HTTP GET", 20, 30]),
  span(["5", "4", "price", "GET /price", 25, 20], { isError: true }),
  span(["6", "3", "stock", "GET /stock", 40, 40]),
];

const short = (spans: Iterable<Span>, more: Partial<SpanFolding> = {}) =>
  foldSpans(spans, { ...folding, ...more }).traffic.map((each) => ({
    way: `${each.caller ?? "-"} ${each.callerOperation} > ${each.callee} ${each.operation}`,
    entry: each.entry,
    count: each.count,
    errors: each.errors,
    total: each.totalMs?.max,
    self: each.selfMs?.max,
    ...(each.wayMs && { way_ms: each.wayMs.max }),
  }));

test("a step that waits without blocking has its call beside it; what it waited for is not its own time", () => {
  const found = short([
    span(["1", null, "gateway", "/*", 0, 100]),
    span(["2", "1", "gateway", "filter", 1, 98]),
    span(["3", "1", "gateway", "HTTP GET", 5, 90]),
    span(["4", "3", "cart", "GET /cart", 10, 80]),
    span(["5", "1", "gateway", "log", 99, 1]),
  ]);
  const of = (operation: string) => found.find(({ way }) => way.endsWith(` ${operation}`));
  expect(of("filter")?.self).toBe(8);
  expect(of("log")?.self).toBe(1);
  expect(of("GET /cart")).toMatchObject({ way_ms: 10, self: 80 });
});

describe("one trace", () => {
  const found = short(shop);
  const of = (operation: string) => found.find(({ way }) => way.endsWith(` ${operation}`));

  test("names caller, operation and the entry behind the front door", () => {
    expect(of("POST /checkout")?.way).toBe(
      "service:gateway HTTP POST > service:cart POST /checkout",
    );
    expect(of("/*")?.way).toBe("-  > service:gateway /*");
    expect(new Set(found.map(({ entry }) => entry))).toEqual(new Set(["cart POST /checkout"]));
    expect(of("GET /price")).toMatchObject({ count: 1, errors: 1, total: 20 });
  });

  test("self time is without children, and children that overlap count once", () => {
    expect(of("POST /checkout")).toMatchObject({ total: 80, self: 20, way_ms: 10 });
    expect(of("/*")?.self).toBe(10);
    // Its time is the way and the callee's; nothing of it is its own.
    expect(of("HTTP GET")?.self).toBeUndefined();
    expect(of("GET /price")).toMatchObject({ self: 20, way_ms: 10 });
  });

  test("windows are those of the start, or the one that is given", () => {
    const late = shop.map((each) => ({ ...each, startUs: each.startUs + 120_000_000 }));
    expect(foldSpans(late, folding).traffic[0]).toMatchObject({
      at: 120_000,
      untilAt: 180_000,
      knownAt: 180_000,
    });
    const given = { window: { at: 7, untilAt: 9 }, knownAt: 11 };
    expect(foldSpans(shop, { ...folding, ...given }).traffic[0]).toMatchObject({
      at: 7,
      untilAt: 9,
      knownAt: 11,
    });
  });
});

test("what tells no spans of its own is known by its callers", () => {
  const found = short([
    span(["1", null, "cart", "GET /cart", 0, 50]),
    span(["2", "1", "cart", "redis GET", 10, 30], { peer: "database:redis", isError: true }),
  ]);
  expect(found).toContainEqual({
    way: "service:cart redis GET > database:redis redis GET",
    ...{ entry: "cart GET /cart", count: 1, errors: 1, total: 30, self: 30 },
  });
  // What failed there is told of there, and once; the caller's own step tells what came of it.
  expect(found.filter(({ errors }) => errors > 0)).toHaveLength(1);
});

test("work that nobody waits for takes no time away", () => {
  const found = short([
    span(["1", null, "shop", "order", 0, 50]),
    span(["2", "1", "mail", "send", 500, 900], { isDetached: true }),
    span(["3", "1", "bill", "write", 10, 10]),
  ]);
  expect(found[0]).toMatchObject({ self: 40 });
});

describe("odd spans are bounded and reported", () => {
  test("cycles are cut, however long", () => {
    const ring = ["a", "b", "c", "d"].map((id, at, all) =>
      span([id, all[(at + 1) % 4] ?? "", "s", id, 0, 10]),
    );
    const own = span(["x", "x", "s", "x", 0, 1]);
    const folded = foldSpans([...ring, own, ...shop], folding);
    expect(folded.faults).toEqual({ repeated: 0, orphaned: 0, cyclic: 2, skewed: 0, lumped: 0 });
    expect(folded.traffic.filter(({ entry }) => entry === "")).toHaveLength(5);
  });

  test("a span told twice counts once, an orphan has no entry", () => {
    const folded = foldSpans([...shop, ...shop, span(["9", "lost", "ads", "GET", 0, 1])], folding);
    expect(folded.faults).toMatchObject({ repeated: 6, orphaned: 1 });
    expect(folded.traffic.find(({ operation }) => operation === "GET")).toMatchObject({
      caller: null,
      entry: "",
    });
    expect(folded.entries.get("t")).toBe("cart POST /checkout");
  });

  test("a child on another clock is waited for all the same", () => {
    const found = foldSpans(
      [
        span(["1", null, "web", "GET", 0, 100]),
        span(["2", "1", "a", "A", 40_000, 30]),
        span(["3", "1", "b", "B", 80, 10]),
      ],
      folding,
    );
    expect(found.faults.skewed).toBe(1);
    expect(found.traffic[0]?.selfMs?.max).toBe(60);
  });

  test("more operations than are told apart are lumped together", () => {
    const many = Array.from({ length: 50 }, (_, at) =>
      span([`${at}`, null, "s", `op ${at}`, 0, 1]),
    );
    const folded = foldSpans(many, { ...folding, linksMax: 10 });
    expect(folded.faults.lumped).toBe(40);
    expect(folded.traffic).toHaveLength(11);
    expect(folded.traffic.reduce((sum, { count }) => sum + count, 0)).toBe(50);
  });

  test("a trace of a million spans, one below the other, is folded", () => {
    function* deep(): Iterable<Span> {
      for (let at = 0; at < 1_000_000; at++)
        yield span([`${at}`, at === 0 ? null : `${at - 1}`, `s${at % 3}`, "op", at / 1e4, 1e5]);
    }
    const folded = foldSpans(deep(), folding);
    expect(folded.traffic.reduce((sum, { count }) => sum + count, 0)).toBe(1_000_000);
    expect(folded.traffic.length).toBeLessThan(100);
  });
});

test("any order of any spans gives the same traffic, every span counted once", () => {
  const id = fc.constantFrom("1", "2", "3", "4", "5", "6");
  const any = fc
    .tuple(id, fc.option(id), fc.constantFrom("a", "b"), id, fc.nat(200), fc.nat(100))
    .map((row) => span(row));
  const orders = fc
    .array(any, { maxLength: 12 })
    .chain((spans) =>
      fc.tuple(fc.constant(spans), fc.shuffledSubarray(spans, { minLength: spans.length })),
    );
  fc.assert(
    fc.property(orders, ([spans, others]) => {
      const folded = foldSpans(spans, folding);
      expect(foldSpans(others, folding)).toEqual(folded);
      const counted = folded.traffic.reduce((sum, { count }) => sum + count, 0);
      expect(counted + folded.faults.repeated).toBe(spans.length);
    }),
    { numRuns: runsOf(300) },
  );
});
