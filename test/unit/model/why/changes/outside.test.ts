/** Trouble that nobody here made is told from what merely was deployed before it. */
import { expect, test } from "vitest";
import { nodeId } from "../../../../../src/model/index.ts";
import { trendOf } from "../../../../../src/model/why/changes/climb.ts";
import { effectOf } from "../../../../../src/model/why/changes/diff.ts";
import { part, Story } from "./story.ts";

const startAt = 1_800_000_000_000;
const minute = 60_000;
const harmless = part("api/pages.go", "page := first(ctx)", "page := head(ctx)");
const settings = part("api/app.yaml", "  workers: 4", "  workers: 6");

test("what served well for a while, when nothing grew or came, did not do it; what just came may have", () => {
  const story = (at: number) => new Story(60).deploys("api", at, "pages", [harmless]);
  expect(story(30).culprit("api fails")).toBe("external.unknown");
  expect(story(59).culprit("api fails")).toBe("c1");
});

test("what grew, or more requests, can have made a change fail that had served well", () => {
  const busier = new Story(60)
    .measured("web", "requests", "rps", (at) => (at < 50 ? 100 : 170))
    .deploys("api", 30, "pages", [harmless]);
  expect(busier.culprit("api fails")).toBe("c1");
  const grown = new Story(60)
    .measured("api", "memory", "rss", (at) => 100 + Math.max(0, at - 32) * 9)
    .deploys("api", 30, "pages", [harmless]);
  expect(grown.culprit("api fails")).toBe("c1");
});

/** Noise that comes again the same. */
const jitter = (at: number): number => (at * 7) % 5;

test("what climbed already when a change came is older than the change", () => {
  const climbed = (at: number): number => (at < 45 ? Math.max(0, at - 10) / 2 : (at - 45) * 2);
  const story = new Story(70)
    .measured("api", "latency", "connections", (at) => 5 + jitter(at) / 3 + climbed(at))
    .deploys("api", 9, "early return", [part("api/hold.go", "return held(x)", "return kept(x)")])
    .deploys("api", 45, "wait less", [settings])
    .says("api", "no connection left");
  const { causes } = story.answer("api has no connection left");
  expect(causes[0]?.change).toBe("commit:c1");
  const second = causes.find(({ change }) => change === "commit:c2");
  expect(second?.evidence[0]?.says).toContain("climbed before it came");
});

test("a trend is told from a step and from noise", () => {
  const rising = Array.from({ length: 20 }, (_, i) => i + jitter(i));
  expect(trendOf(rising)).toBeGreaterThan(4);
  expect(Math.abs(trendOf(Array.from({ length: 20 }, (_, i) => jitter(i))))).toBeLessThan(1);
  expect(trendOf(rising.map((value) => -value))).toBeLessThan(-4);
});

test("what a line names for its own use changes nothing when it is named otherwise, or not at all", () => {
  const inlined = part("tls/build.go", "cfg := build()\nreturn cfg, nil", "return build(), nil");
  expect(effectOf([inlined])).toMatchObject({ takes: false, brings: false });
  const lost = part("tls/build.go", "cfg := build()\nguard(cfg)\nreturn cfg", "return build()");
  expect(effectOf([lost])).toMatchObject({ takes: true });
});

test("an alert of TLS from the other side is no change of ours, though its builder was tidied", () => {
  const story = new Story(60)
    .deploys("api", 45, "tidy the TLS builder", [
      part("tls/build.go", "cfg := &tls.Config{}\nreturn cfg", "return &tls.Config{}"),
    ])
    .says("api", "dial hub.partner.example:443: remote error: tls: expired certificate");
  expect(story.culprit("api cannot open sessions")).toBe("external.certificate");
});

test("a change that names the party that fails is likelier to have done it", () => {
  const story = (diff: string) =>
    new Story(60)
      .deploys("api", 55, "client", [part("api/client.ts", "const base = old;", diff)])
      .says("api", "GET https://rates.bank.example/v1/fx -> 503 Service Unavailable");
  expect(story("const base = fresh;").culprit("api fails")).toBe("external.provider");
  expect(story('const base = "https://rates.bank.example";').culprit("api fails")).toBe("c1");
});

test("files and classes are no parties", () => {
  const story = new Story(60)
    .deploys("api", 59, "decode", [part("api/frame.rs", "match block", "block.unwrap()")])
    .says("api", "thread decode panicked at src/frame.rs:61: unwrap on a None value")
    .says("api", "javax.net.ssl.SSLException: closed");
  const kinds = story.answer("api panics").causes.map(({ kind }) => kind);
  expect(kinds).not.toContain("external.provider");
});

test("of several tenants that one service serves, one alone fails", () => {
  const story = (others: boolean) => {
    const told = new Story(60)
      .servesAllAlong("api", "stored rows tenant=acme", 59)
      .deploys("api", 52, "pages", [harmless])
      .says("api", "cannot store rows tenant=acme");
    return others ? told.servesAllAlong("api", "stored rows tenant=zenith") : told;
  };
  expect(story(true).culprit("api fails")).toBe("external.provider");
  expect(story(false).culprit("api fails")).not.toBe("external.provider");
});

test.each([
  ["external.provider", "cannot decrypt: ThrottlingException: Rate exceeded"],
  ["external.certificate", "token refused: the client secret has expired"],
  ["host.saturated", "fsync /data/wal: input/output error"],
])("%s by what a standard or a platform calls it", (kind, line) => {
  const story = new Story(60).deploys("api", 50, "pages", [harmless]).says("api", line);
  expect(story.culprit("api fails")).toBe(kind);
});

test("a machine that was in trouble before any service on it was not brought there by them", () => {
  const story = (hostAt: number) =>
    new Story(60)
      .measured("n1", "disk", "node_disk_io", (at) => (at < hostAt ? 0.1 : 1), "host")
      .deploys("api", 50, "pages", [settings]);
  const weightOf = (hostAt: number): number =>
    story(hostAt)
      .answer("api fails")
      .causes.find(({ kind }) => kind === "host.saturated")?.evidence[0]?.weight ?? 0;
  expect(weightOf(56)).toBeGreaterThan(weightOf(60));
});

test("what a provider tells of its own trouble counts at the time, by the words it shares with ours", () => {
  const story = (at: number) =>
    new Story(60)
      .deploys("api", 58, "pages", [harmless])
      .says("api", "labels cannot be bought: bad gateway")
      .tell({
        type: "condition",
        at: startAt + at * minute,
        node: nodeId("external", "parcels"),
        name: "investigating",
        status: "true",
        message: "elevated errors when labels are bought, gateway affected",
      });
  const kinds = (at: number) =>
    story(at)
      .answer("api fails")
      .causes.map(({ kind }) => kind);
  expect(kinds(65)).toContain("external.provider");
  expect(kinds(65 - 24 * 60)).not.toContain("external.provider");
});

test("what was closed by itself and is not any more leaks", () => {
  const leaky = part("api/hold.java", "try (var conn = open()) {\n}", "var conn = open();");
  const story = new Story(60)
    .measured("api", "latency", "connections", (at) => 5 + Math.max(0, at - 31))
    .deploys("api", 30, "pages", [harmless])
    .deploys("api", 30, "early return", [leaky]);
  expect(story.culprit("api has no connection left")).toBe("c2");
});

test("the same told backwards is answered alike", () => {
  const story = new Story(60)
    .servesAllAlong("api", "stored rows tenant=zenith")
    .measured("n1", "disk", "node_disk_io", (at) => (at < 58 ? 0.1 : 1), "host")
    .measured("api", "latency", "connections", (at) => 5 + Math.max(0, at - 31))
    .deploys("api", 30, "pages", [harmless])
    .deploys("web", 50, "workers", [settings])
    .says("api", "cannot store rows tenant=acme: hub.partner.example:443 refused")
    .says("web", "dial hub.partner.example:443: connection refused");
  expect(story.answerBackwards("api fails")).toEqual(story.answer("api fails"));
});
