/** The client of a bundle server: what it asks, when it asks again, and what it tells of it. Time is simulated. */
import { expect, test } from "vitest";
import { BundleSubscription } from "../../../src/gateway/index.ts";
import { recordingLog, recordingTelemetry, SimClock } from "../../../src/sim/index.ts";
import { type FakeAnswer, fakeTransport } from "./fake-spine.ts";

const longPolling = "application/vnd.openpolicyagent.bundles";

interface Options {
  readonly answers: readonly FakeAnswer[];
  readonly waitSecondsMax?: number;
  readonly token?: () => Promise<string | undefined>;
  /** The highest two bytes of chance; 0 is the shortest delay. */
  readonly chance?: number;
  readonly offer?: (archive: string) => "activated" | "unchanged" | "refused";
}

/** Answers come in order; the last one stays. */
function world({ answers, waitSecondsMax = 0, chance = 0, ...options }: Options) {
  const clock = new SimClock();
  const log = recordingLog();
  const atMs: number[] = [];
  const offered: string[] = [];
  const http = fakeTransport(() => {
    atMs.push(clock.monotonicMs());
    return answers[Math.min(atMs.length, answers.length) - 1] as FakeAnswer;
  });
  const subscription = new BundleSubscription({
    ...{ clock, http, log, telemetry: recordingTelemetry(), waitSecondsMax },
    entropy: { bytes: (count) => new Uint8Array(count).fill(chance) },
    url: "https://control.test/bundles/holdfast",
    token: options.token ?? (async () => undefined),
    ...{ delayMsMin: 10_000, delayMsMax: 20_000, staleAfterMs: 60_000, bytesMax: 100 },
    source: {
      lastError: "the signature does not fit",
      refresh: async () => "absent",
      offer: async (archive) => {
        offered.push(Buffer.from(archive).toString());
        return options.offer?.(Buffer.from(archive).toString()) ?? "activated";
      },
    },
  });
  const live = async (ms: number): Promise<void> => {
    const stop = new AbortController();
    const following = subscription.follow(stop.signal);
    await clock.advance(ms);
    stop.abort();
    await clock.run(following);
  };
  return { subscription, atMs, offered, http, log, live };
}

test("a bundle is offered once, then asked for by its ETag, at the chosen pace", async () => {
  const { subscription, atMs, offered, http, live } = world({
    answers: [{ headers: { etag: '"e1"' }, body: "bundle 1" }, { status: 304 }],
  });
  expect(subscription.status).toMatchObject({ confirmedSecondsAgo: null, stale: false });
  await live(25_000);
  expect(atMs).toEqual([0, 10_000, 20_000]);
  expect(offered).toEqual(["bundle 1"]);
  expect(http.sent.map(({ headers }) => headers["if-none-match"])).toEqual([
    ...[undefined, '"e1"', '"e1"'],
  ]);
  expect(http.sent[0]?.headers).toEqual({ prefer: "modes=snapshot" });
  expect(subscription.status).toMatchObject({ confirmedSecondsAgo: 5, stale: false, error: null });
});

test("the pace is chosen between the two bounds", async () => {
  const { atMs, live } = world({ answers: [{ status: 200 }], chance: 128 });
  await live(16_000);
  expect(atMs[1]).toBeGreaterThan(15_000);
  expect(atMs[1]).toBeLessThan(15_100);
});

test("a server that holds requests is asked again at once, but never in a storm", async () => {
  const { atMs, http, live } = world({
    answers: [{ headers: { "content-type": longPolling, etag: '"e"' } }],
    waitSecondsMax: 30,
  });
  await live(3_500);
  expect(atMs).toEqual([0, 1_000, 2_000, 3_000]);
  expect(http.sent[1]?.headers["prefer"]).toBe("modes=snapshot;wait=30");
  expect(http.sent[1]?.headTimeoutMs).toBe(60_000);
});

test("while the server fails the pauses grow to the bound, and the policy is told as stale", async () => {
  const error = { kind: "not_sent", reason: "refused", detail: "ECONNREFUSED" } as const;
  const { subscription, atMs, log, live } = world({ answers: [{ status: 200 }, { error }] });
  await live(59_000);
  const pauses = atMs.slice(1).map((at, i) => at - (atMs[i] ?? 0));
  expect(pauses.slice(0, 6)).toEqual([10_000, 1_000, 1_000, 2_000, 4_000, 8_000]);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(10_000);
  expect(subscription.status).toMatchObject({ stale: false, error: "refused: ECONNREFUSED" });
  await live(30_000);
  expect(subscription.status.stale).toBe(true);
  const events = log.lines.map(({ event }) => event);
  expect(events.filter((event) => event === "bundle_stale")).toHaveLength(1);
});

test.each<[string, FakeAnswer, string]>([
  ["an error status", { status: 403 }, "answered 403"],
  ["304 that was not asked for", { status: 304 }, "304 without having asked"],
  ["too much", { body: "x".repeat(101) }, "larger than 100 bytes"],
  ["a bundle that is refused", { body: "old", headers: { etag: '"o"' } }, "signature does not fit"],
])("%s confirms nothing", async (_, answer, why) => {
  const { subscription, http, live } = world({ answers: [answer], offer: () => "refused" });
  await live(2_500);
  expect(subscription.status).toMatchObject({ confirmedSecondsAgo: null });
  expect(subscription.status.error).toContain(why);
  expect(http.sent.every(({ headers }) => headers["if-none-match"] === undefined)).toBe(true);
});

test("the token is read for each request; one that cannot be read sends nothing", async () => {
  const tokens = ["first", "second"];
  const { subscription, http, live } = world({
    answers: [{ status: 200 }],
    token: async () => {
      const token = tokens.shift();
      if (token === undefined) throw new Error("ENOENT");
      return token;
    },
  });
  await live(25_000);
  expect(http.sent.map(({ headers }) => headers["authorization"])).toEqual([
    ...["Bearer first", "Bearer second"],
  ]);
  expect(subscription.status.error).toContain("token of the bundle server cannot be read");
});
