/** The change that did it is told from those beside it, and from what no change explains. */
import { expect, test } from "vitest";
import { remedyOf } from "../../../../../src/model/index.ts";
import { effectOf, fileKind } from "../../../../../src/model/why/changes/diff.ts";
import { departureOf } from "../../../../../src/model/why/changes/onset.ts";
import { wordsOf } from "../../../../../src/model/why/changes/words.ts";
import { part, Story } from "./story.ts";

const moved = part(
  "api/orders.go",
  "rows := query(ctx, orders)\nreturn rows, nil",
  "func list(ctx) { rows := query(ctx, orders)\nreturn rows, nil }",
);
const unguarded = part("api/cache.go", "mu sync.Mutex\nc.mu.Lock()\ndefer c.mu.Unlock()", "");

test("identifiers fall into words; number and tense are folded", () => {
  expect(wordsOf("registerPredefinedAgents(HTTPServer, retried_queries)")).toEqual([
    "register",
    "predefin",
    "agent",
    "http",
    "server",
    "retri",
    "query",
  ]);
});

test("what only moved is not lost; a setting whose value differs is, by name", () => {
  expect(effectOf([moved]).takes).toBe(false);
  expect(effectOf([unguarded]).lost).toContain("mutex");
  expect(effectOf([part("app.yaml", "  level: info", "  level: debug")]).lost).toContain("level");
  expect(effectOf([part("api/a.go", "// a mutex guards it", "")]).lost).toEqual([]);
});

test.each([
  ["docs/run.md", "aside"],
  ["pkg/a_test.go", "aside"],
  ["go.mod", "dependency"],
  ["deploy/app.yaml", "config"],
  ["src/a.ts", "code"],
])("%s is %s", (path, kind) => {
  expect(fileKind(path)).toBe(kind);
});

test("a leak began where it left its past, not where it was noticed", () => {
  const series = (value: (i: number) => number) => ({
    type: "series" as const,
    id: "s",
    at: 0,
    knownAt: 0,
    origin: { source: "test", reference: "s" },
    node: "service:a",
    signal: "memory" as const,
    name: "rss",
    points: Array.from({ length: 100 }, (_, i) => [i, value(i)] as const),
  });
  const leak = departureOf(series((i) => 100 + (i % 2) + Math.max(0, i - 40) * 3));
  expect(leak?.at).toBeGreaterThan(40);
  expect(leak?.at).toBeLessThan(46);
  expect(departureOf(series((i) => 100 + (i % 2)))).toBeUndefined();
});

test("of two deploys, the one whose loss brings such trouble; not the latest", () => {
  const story = new Story(60)
    .deploys("api", 50, "refactor: simplify the cache", [unguarded])
    .deploys("api", 57, "refactor: list orders", [moved])
    .says("api", "fatal error: concurrent map writes");
  expect(story.culprit("api fails")).toBe("c1");
});

test("a deploy after the onset did not do it, and is ruled out", () => {
  const story = new Story(60)
    .deploys("api", 64, "drop the lock", [unguarded])
    .deploys("api", 55, "list orders", [moved])
    .says("api", "fatal error: concurrent map writes");
  expect(story.culprit("api fails")).not.toBe("c1");
  expect(story.answer("api fails").ruledOut.map(({ node }) => node)).toContain("commit:c1");
});

test("a literal of the diff that an error quotes gives its change away, also when another brought it", () => {
  const renamed = part("schema/order.go", 'Total int `json:"sum"`', 'Total int `json:"total"`');
  const story = new Story(60)
    .deploys("billing", 40, "schema: tidy names", [renamed])
    .deploys("api", 57, "raise the schema", [
      part("go.mod", "shop/schema v0.1.1", "shop/schema v0.2.0"),
    ])
    .says("api", "cannot decode order: missing required field 'sum'");
  expect(story.culprit("api fails to decode")).toBe("c1");
});

test.each([
  [
    "external.dns",
    ["dial: lookup pay.example on 10.0.0.2:53: no such host", "getaddrinfo ENOTFOUND mail.example"],
  ],
  ["external.certificate", ["x509: certificate has expired or is not yet valid"]],
  ["external.provider", ["POST https://api.payments.example.com/charge: 503 service unavailable"]],
  [
    "external.data",
    [
      "validation: field 'age' out of range [0,150] got 912 record_id=evt-77 offset=1200",
      "redelivering the same offset=1200, validation failed",
    ],
  ],
  ["external.region", ["eu-west-1 unreachable: timeout", "replica in eu-west-1a unavailable"]],
])("%s is a cause without code, though something harmless was deployed", (kind, lines) => {
  const story = new Story(60).deploys("api", 55, "list orders", [moved]);
  for (const [i, line] of lines.entries()) story.says(i === 0 ? "api" : "web", line);
  expect(story.culprit("api fails")).toBe(kind);
});

test("requests that double just before make it traffic; a busy neighbour makes it the machine", () => {
  const crowd = new Story(60)
    .deploys("api", 30, "list orders", [moved])
    .measured("api", "requests", "rps", (at) => (at < 55 ? 100 : 900))
    .says("api", "queue is full, shedding load");
  expect(crowd.culprit("api fails")).toBe("external.traffic");
  const neighbour = new Story(60)
    .deploys("api", 30, "list orders", [moved])
    .measured("n1", "cpu", "node_cpu", (at) => (at < 59 ? 0.3 : 0.98), "host")
    .says("api", "scheduler runqueue delayed (cpu contended)")
    .says("kubelet", "node n1 under memory pressure, evicting");
  expect(neighbour.culprit("api fails")).toBe("host.saturated");
});

test("the next step follows from the cause", () => {
  const story = new Story(60)
    .deploys("api", 57, "favorites", [
      part("api/db.py", "", "SELECT id FROM favorites WHERE user = :uid"),
    ])
    .says("api", 'relation "favorites" does not exist');
  const [cause] = story.answer("api fails").causes;
  expect(cause === undefined ? "" : remedyOf(cause)).toBe("roll-forward");
});
