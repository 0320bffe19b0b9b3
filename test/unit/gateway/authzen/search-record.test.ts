/** A search is one recorded question: durable before its results are known, and bounded in count and time. */
import { expect, test } from "vitest";
import { digestOf } from "../../../../src/kernel/index.ts";
import type { Clock } from "../../../../src/ports.ts";
import { frontRequest } from "../fake-spine.ts";
import { known, realSpine } from "./real-spine.ts";
import { authZenWorld } from "./world.ts";

const policy = `
tools: { "record:read": { effect: read, risk: low } }
policy: all
rules: [{ id: even, match: { tools: "record:read" }, when: "resource.properties.even == true", outcome: allow }]
`;
const count = 40;
const resources = Array.from({ length: count }, (_, at) =>
  known("record", `r${String(at).padStart(2, "0")}`, { even: at % 2 === 0 }),
);
const question = {
  subject: { type: "user", id: "ann", properties: { secret: "s3cr3t" } },
  action: { name: "read", properties: { secret: "s3cr3t" } },
  resource: { type: "record" },
  context: { secret: "s3cr3t" },
};
const path = "search/resource";

/** A clock that only moves when somebody sleeps, or as told with each look at it. */
function countingClock(msPerLook: number): Clock & { slept: number } {
  let nowMs = 0;
  const clock = {
    slept: 0,
    wallMs: () => 1_790_000_000_000,
    monotonicMs: () => {
      nowMs += msPerLook;
      return nowMs;
    },
    sleep: async (ms: number) => {
      clock.slept += 1;
      nowMs += ms;
    },
  };
  return clock;
}

function world(text: string | undefined = policy, clock?: Clock, perAgentMax?: number) {
  const real = realSpine(text, { resources }, clock, perAgentMax);
  const parts = { directory: real.directory, searchCandidatesMax: 1000 };
  return { real, ...authZenWorld(real.spine, parts), parts };
}

test("one entry for each page: who asked what, how many, and a digest of what was given out", async () => {
  const { real, post } = world();
  const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const body = { ...question, page: { limit: 3 } };
  const { json } = await post(path, body, { traceparent: trace });
  const results = json["results"] as never;
  expect(results).toHaveLength(3);
  expect(real.entries).toEqual([
    {
      ...{ v: 1, kind: "search", instance: "i", site: "s", epoch: 0, tenant: "acme" },
      time: expect.any(String),
      call: expect.any(String),
      face: "authzen",
      method: "search/resource",
      agent_id: "pep",
      identity: "development_token",
      principal: null,
      question: {
        subject: { type: "user", id: "ann" },
        action: { name: "read" },
        resource: { type: "record" },
      },
      question_digest: expect.stringMatching(/^sha256:/),
      policy_version: "rev-1",
      judged: 5,
      withheld: 0,
      results: 3,
      results_digest: digestOf(results),
      trace,
    },
  ]);
  expect(json["context"]).toEqual({
    call_id: (real.entries[0] as { call: string }).call,
    policy_version: "rev-1",
    judged: 5,
    receipt: "receipt 0",
  });
  expect(real.counts).toEqual({ searches: 1, search_candidates: 5 });
  expect(JSON.stringify(real.entries)).not.toContain("s3cr3t");
  expect(JSON.stringify(json)).not.toContain("s3cr3t");
});

test("what cannot be recorded is not given out", async () => {
  const { real, post } = world();
  real.broken = true;
  const { status, json } = await post(path, question);
  expect(status).toBe(503);
  expect(json).toMatchObject({ type: "urn:holdfast:problem:record_failed" });
  expect(json).not.toHaveProperty("results");
});

test("what the kill switch stops is no result, is counted, and is no permitted evaluation", async () => {
  const { real, post } = world();
  real.hold = ({ resource }) =>
    ["r00", "r02"].includes(resource?.id ?? "")
      ? { kind: "kill_state_unknown", detail: "the test says so" }
      : undefined;
  const { json } = await post(path, { ...question, page: { limit: 1 } });
  expect(json["results"]).toEqual([{ type: "record", id: "r04" }]);
  expect(json["context"]).toMatchObject({ judged: 5, withheld: 2 });
  expect(real.entries).toMatchObject([{ judged: 5, withheld: 2, results: 1 }]);
  const stopped = { ...question, resource: { type: "record", id: "r02" } };
  const { json: said } = await post("evaluation", stopped);
  expect(said).toMatchObject({ decision: false, context: { refusal: "kill_state_unknown" } });
});

test("without a policy nothing is searched, and the question is recorded", async () => {
  const real = realSpine(undefined, { resources });
  const { post } = authZenWorld(real.spine, { directory: real.directory });
  const { status, json, headers } = await post(path, question);
  expect([status, headers["retry-after"]]).toEqual([503, "5"]);
  expect(json).toMatchObject({ type: "urn:holdfast:problem:no_policy" });
  expect(real.entries).toMatchObject([{ kind: "search", policy_version: "none", judged: 0 }]);
});

test("a search takes the room of one call, and gives it back", async () => {
  const { real, post } = world(policy, undefined, 1);
  const leave = real.inFlight.enter(JSON.stringify(["acme", "pep"]));
  expect((await post(path, question)).status).toBe(429);
  leave?.();
  expect((await post(path, question)).status).toBe(200);
  real.broken = true;
  await post(path, question);
  expect(real.inFlight.total).toBe(0);
  real.inFlight.stop();
  const { status, json } = await post(path, question);
  expect([status, json["type"]]).toEqual([503, "urn:holdfast:problem:stopping"]);
  expect(real.entries).toHaveLength(1);
});

test("it steps aside for everything else, again and again", async () => {
  const clock = countingClock(0.25);
  const { post } = world(policy, clock);
  expect((await post(path, question)).json["results"]).toHaveLength(count / 2);
  // A candidate is two looks at the clock at most, half a millisecond; two milliseconds are a turn.
  expect(clock.slept).toBeGreaterThanOrEqual(count / 8 - 1);
});

test("a number of candidates ends a page, and its token goes on", async () => {
  const { real } = world();
  const { post } = authZenWorld(real.spine, { directory: real.directory, searchCandidatesMax: 7 });
  const judged: unknown[] = [];
  const ids: unknown[] = [];
  for (let page = {}; judged.length < count; ) {
    const { json } = await post(path, { ...question, page });
    ids.push(...(json["results"] as { id: string }[]).map(({ id }) => id));
    judged.push((json["context"] as { judged: number }).judged);
    const { next_token: token } = json["page"] as { next_token: string };
    if (token === "") break;
    page = { token };
  }
  expect(judged).toEqual([7, 7, 7, 7, 7, 5]);
  expect(new Set(ids).size).toBe(count / 2);
});

test("time ends a page, never before one candidate was judged", async () => {
  const { real } = world(policy, countingClock(400));
  const { post } = authZenWorld(real.spine, { directory: real.directory, searchTimeMsMax: 1 });
  const ids: unknown[] = [];
  let pages = 0;
  for (let page = {}; pages < 100; pages++) {
    const { json } = await post(path, { ...question, page });
    ids.push(...(json["results"] as { id: string }[]).map(({ id }) => id));
    expect(json["context"]).toMatchObject({ judged: 1 });
    const { next_token: token } = json["page"] as { next_token: string };
    if (token === "") break;
    page = { token };
  }
  expect(pages).toBe(count - 1);
  expect(ids).toHaveLength(count / 2);
});

test("when nobody waits any more, it ends", async () => {
  const { real, face } = world(policy);
  const gone = new AbortController();
  gone.abort();
  const request = frontRequest("POST", `/access/v1/${path}`, question, {
    authorization: "Bearer pep",
  });
  await face({ ...request, signal: gone.signal });
  expect(real.entries).toMatchObject([{ judged: 1 }]);
});
