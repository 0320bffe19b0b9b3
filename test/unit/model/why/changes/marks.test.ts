/** What measurements and structure say of a change, where words say nothing or mislead. */
import { expect, test } from "vitest";
import { effectOf, fileKind } from "../../../../../src/model/why/changes/diff.ts";
import { limitChanges } from "../../../../../src/model/why/changes/limits.ts";
import { part, Story } from "./story.ts";

const harmless = part("api/list.go", "rows := query(ctx)", "rows := query(ctx, orders)");
const other = part("api/pages.go", "page := first(ctx)", "page := head(ctx)");

test("a step that came with a deploy, the way that the trouble went later, is its mark", () => {
  const story = new Story(60)
    .measured("api", "latency", "hold_ms", (at) => (at < 20 ? 70 : at < 60 ? 190 : 9_000))
    .deploys("api", 20, "one", [part("api/tail.go", "page := last(ctx)", "page := tail(ctx)")])
    .deploys("api", 50, "two", [other]);
  expect(story.culprit("api is slow")).toBe("c1");
});

test("without a step, the later of two alike is as good as before", () => {
  const story = new Story(60)
    .measured("api", "latency", "hold_ms", (at) => (at < 60 ? 70 : 9_000))
    .deploys("api", 20, "one", [part("api/tail.go", "page := last(ctx)", "page := tail(ctx)")])
    .deploys("api", 50, "two", [other]);
  expect(story.culprit("api is slow")).toBe("c2");
});

test("limits of time are read with their units", () => {
  const read = (removed: string, added: string) => limitChanges([part("a.yaml", removed, added)]);
  expect(read("timeout: 8s", "timeout: 5s")[0]).toMatchObject({ beforeMs: 8_000, afterMs: 5_000 });
  expect(
    read("ShardTimeout: 2500 * time.Millisecond,", "ShardTimeout: 1500 * time.Millisecond,")[0],
  ).toMatchObject({
    beforeMs: 2_500,
    afterMs: 1_500,
  });
  expect(read("const TIMEOUT = 5_000", "const TIMEOUT = 30_000")[0]).toMatchObject({
    beforeMs: 5_000,
    afterMs: 30_000,
  });
  expect(read("workers: 4", "workers: 5")).toEqual([]);
});

const shorter = (from: string, to: string) => [
  part("api/app.yaml", `  timeout: ${from}`, `  timeout: ${to}`),
];

test("a limit below what is usual fails what is well; one that trouble exceeds before and after did nothing", () => {
  const story = (from: string, to: string) =>
    new Story(60)
      .calls("api", "db")
      .measured("db", "latency", "query_ms", (at) => (at < 60 ? 400 : 4_000))
      .deploys("api", 40, "list", [harmless])
      .deploys("api", 42, "budget", shorter(from, to))
      .says("api", "call of db failed: context canceled");
  expect(story("800ms", "200ms").culprit("api fails")).toBe("c2");
  expect(story("3s", "2s").culprit("api fails")).not.toBe("c2");
});

test("requests that a caller makes, without getting more, are the caller's doing and not the world's", () => {
  const story = (callers: number) =>
    new Story(60)
      .measured("api", "requests", "rps", (at) => (at < 55 ? 100 : 900))
      .measured("web", "requests", "rps", (at) => (at < 55 ? 50 : callers))
      .deploys("web", 54, "budget", [part("web/client.go", "attempts: 2", "attempts: 9")])
      .deploys("api", 53, "list", [harmless])
      .says("api", "queue is full");
  expect(story(52).culprit("api is slow")).toBe("c1");
  expect(story(450).culprit("api is slow")).toBe("external.traffic");
});

test("what came to all instances of which one suffers did not do it", () => {
  const story = new Story(60)
    .calls("api", "shard-0")
    .calls("api", "shard-1")
    .measured("shard-0", "latency", "fetch_ms", () => 40)
    .measured("shard-1", "latency", "fetch_ms", (at) => (at < 60 ? 40 : 4_000))
    .measured("n1", "disk", "node_disk_io", (at) => (at < 59 ? 0.1 : 1), "host")
    .deploys("shard-0", 50, "directory of stored fields", [other])
    .deploys("shard-1", 51, "directory of stored fields", [other])
    .tell({
      type: "log",
      at: 1_800_000_000_000 + 60 * 60_000,
      untilAt: 1_800_000_000_000 + 61 * 60_000,
      node: "object:Component/kernel",
      severity: "error",
      template: "nvme <*> timeout, aborting",
      example: "nvme nvme1 timeout, aborting",
      entry: "",
      count: 3,
    });
  expect(story.culprit("api has timeouts of a shard")).toBe("host.saturated");
});

test("one of two partners fails, called by the same code: it is the partner", () => {
  const story = (diff: string) =>
    new Story(60)
      .measured("api", "errors", "acme_5xx_ratio", (at) => (at < 60 ? 0.001 : 0.5))
      .measured("api", "errors", "zenith_5xx_ratio", () => 0.001)
      .deploys("api", 55, "clients", [part("api/clients.go", "a := old()", diff)])
      .says("api", "acme authorize failed: 503 Service Unavailable");
  expect(story("acme := shared()\nzenith := shared()").culprit("api fails")).toBe(
    "external.provider",
  );
  expect(story("acme := shared()").culprit("api fails")).toBe("c1");
});

test("one record that fails again and again, and that another names, came in", () => {
  const story = new Story(60)
    .deploys("api", 50, "chunks", [part("api/chunks.py", "CHUNK = 1000", "CHUNK = 500")])
    .notes("queue", 58, "new object feeds/2026-02-18.csv")
    .says("api", "chunk failed file=feeds/2026-02-18.csv line=48211: text cannot contain NUL");
  expect(story.culprit("api fails")).toBe("external.data");
});

test("a certificate whose last moment is the first of the trouble leaves no doubt", () => {
  const end = "Fri Jan 15 09:00:00 UTC 2027";
  const story = new Story(60)
    .deploys("api", 57, "load trust from a mounted path", [
      part("api/tls.java", "trust(path)", "trust(mounted)"),
    ])
    .says("api", `handshake failed: peer certificate CN=gw notAfter=${end}`);
  const [cause] = story.answer("api fails in handshake").causes;
  expect(cause?.kind).toBe("external.certificate");
  expect(cause?.confidence).toBeGreaterThan(0.8);
});

test("a migration that drops takes away; a line of a log and other environments change nothing", () => {
  const dropped = part("migrations/1.sql", "", "DROP INDEX entries_open_idx");
  expect(effectOf([dropped])).toMatchObject({ takes: true });
  expect(effectOf([dropped]).lost).toContain("index");
  const logged = part(
    "a.cs",
    'log.LogError("failed: {s}", s);',
    'log.LogError("failed: {s} at {n}", s, n);',
  );
  expect(effectOf([logged])).toMatchObject({ takes: false, brings: false });
  for (const path of [
    "deploy/staging/tls.yaml",
    "alerts/http.yaml",
    ".circleci/config.yml",
    ".golangci.yml",
  ])
    expect(fileKind(path)).toBe("aside");
});

test("where only a number differs, its factor counts", () => {
  expect(effectOf([part("a.rb", "workers 4", "workers 5")]).factor).toBeCloseTo(1.25);
  expect(effectOf([part("a.go", "block = 10_000", "block = 100_000")]).factor).toBeCloseTo(10);
  expect(effectOf([part("a.go", "block = 10", "size = 100")]).factor).toBeUndefined();
});

test("a pattern that repeats what repeats is told when its service is busy", () => {
  const pattern = part("rules/link.ts", "LINK = /https?:[^ ]+/", "LINK = /((\\w+\\.)+)+com/");
  const story = new Story(60)
    .measured("api", "cpu", "cores", (at) => (at < 60 ? 0.3 : 1))
    .deploys("api", 10, "links", [pattern])
    .deploys("api", 50, "list", [other]);
  expect(story.culprit("api hangs")).toBe("c1");
});

test("a coined name that a change brings, and that a new error says, gives it away though its service only calls", () => {
  const story = new Story(60)
    .deploys("web", 20, "partial picks", [
      part("core/State.java", "NEW, PICKED", "NEW, PART_PICKED, PICKED"),
    ])
    .deploys("api", 50, "seek to the offset", [
      part("api/offset.go", "seek(end)", "seek(committed)"),
    ])
    .says("api", 'cannot deserialize value from "PART_PICKED": seek past the record');
  expect(story.culprit("api lags")).toBe("c1");
});

test("a machine whose like are well, with a word of the platform's before, outweighs a deploy", () => {
  const story = new Story(60)
    .measured("n1", "disk", "node_clock_offset", (at) => (at < 56 ? 0.001 : 97), "host")
    .measured("n2", "disk", "node_clock_offset", () => 0.001, "host")
    .deploys("api", 54, "tokens v5", [
      part("api/verify.go", "parse(token)", "parse(token, strict)"),
    ])
    .tell({
      type: "log",
      at: 1_800_000_000_000 + 55 * 60_000,
      untilAt: 1_800_000_000_000 + 56 * 60_000,
      node: "object:Component/systemd",
      severity: "warn",
      template: "chronyd.service: main process exited",
      example: "chronyd.service: main process exited",
      entry: "",
      count: 1,
    })
    .says("api", "token rejected: used before issued");
  expect(story.culprit("api rejects tokens")).toBe("host.saturated");
});

test("a partner that is named by what it is, and is no service of ours, fails by itself", () => {
  const story = new Story(60)
    .deploys("api", 50, "ask once more", [
      part("api/geo.ts", "find(q)", "find(q) ?? find(near(q))"),
    ])
    .says("api", "geocode failed provider=mapario status=429 over daily limit");
  expect(story.culprit("api cannot place jobs")).toBe("external.provider");
});

test("a first number may break who uses it; the package of a class that throws accuses nobody", () => {
  const raised = (to: string) =>
    effectOf([part("poetry.lock", 'version = "1.26.18"', `version = "${to}"`)]);
  expect(raised("2.2.2")).toMatchObject({ isBreaking: true, isLargeStep: true });
  expect(raised("1.27.0")).toMatchObject({ isBreaking: false, isLargeStep: true });
  for (const path of ["build.gradle.kts", "app.csproj", "pyproject.toml"])
    expect(fileKind(path)).toBe("dependency");
});

test("where a caller is not measured, nobody is said to make the requests", () => {
  const story = new Story(60)
    .calls("edge", "api")
    .measured("api", "requests", "rps", (at) => (at < 55 ? 100 : 900))
    .measured("web", "requests", "rps", () => 50)
    .deploys("web", 54, "budget", [part("web/client.go", "attempts: 2", "attempts: 9")])
    .says("api", "queue is full");
  expect(story.culprit("api is slow")).toBe("external.traffic");
});
