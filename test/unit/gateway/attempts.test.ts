/** What is sent again, in which form, and what is said of it. */
import { expect, test } from "vitest";
import {
  type AttemptParts,
  attemptsText,
  sendWithAttempts,
  type UpstreamRules,
} from "../../../src/gateway/attempts.ts";
import type { Forwarded, Judged } from "../../../src/gateway/call.ts";
import { healthOfFailure, healthOfStatus } from "../../../src/gateway/health.ts";
import { Directory } from "../../../src/gateway/index.ts";
import { asking } from "../../../src/gateway/judge.ts";
import type { TransportError } from "../../../src/ports.ts";
import { recordingTelemetry, SimClock } from "../../../src/sim/index.ts";
import { engineOf } from "./authzen/real-spine.ts";
import { someone } from "./fake-spine.ts";

const policy = `
policy: pay
tools:
  pay:create: { effect: write, risk: high }
  pay:look: { effect: read, risk: low }
rules:
  - { id: all, match: { agents: "*" }, outcome: allow }
  - id: no-test-mode
    match: { tools: pay:create, agents: no-dry-runs }
    when: has(args.body.dry_run)
    outcome: deny
    reason: this agent makes no dry runs
`;
const engine = engineOf(policy);

const rules: UpstreamRules = {
  attemptsMax: 3,
  backoff: { baseMs: 100, maxMs: 1_000 },
  honoursIdempotency: false,
  dryRuns: new Map(),
};
const dryRuns: UpstreamRules["dryRuns"] = new Map([
  ["create", { path: ["body", "dry_run"], value: true }],
]);

function lost(
  reason: TransportError["reason"],
  kind: TransportError["kind"] = "unknown",
): Forwarded<string> {
  const error = { kind, reason, detail: "x" };
  return {
    outcome: kind,
    detail: `${reason}: x`,
    health: healthOfFailure(error),
    resultBytes: 0,
    answer: reason,
  };
}
const refused = lost("refused", "not_sent");
const broken = lost("broken");
const status = (code: number): Forwarded<string> => ({
  outcome: code < 400 ? "ok" : "tool_error",
  statusCode: code,
  ...(code < 400 ? {} : { detail: `status ${code}` }),
  health: healthOfStatus(code, {}),
  resultBytes: 2,
  answer: "{}",
});

interface Played {
  readonly tool?: "pay:create" | "pay:look";
  readonly agent?: string;
  readonly own?: Partial<UpstreamRules>;
  /** What each sending comes to, in order; the last again and again. */
  readonly plays: readonly Forwarded<string>[];
  readonly isStopped?: () => boolean;
  readonly mayRepeat?: () => boolean;
  readonly took?: number;
}

async function play({ tool = "pay:create", agent = "desk", own = {}, plays, ...world }: Played) {
  const clock = new SimClock();
  const sent: Parameters<Parameters<typeof sendWithAttempts>[1]["send"]>[0][] = [];
  const reported: string[] = [];
  const parts: AttemptParts = {
    ...{ clock, telemetry: recordingTelemetry() },
    entropy: { bytes: (count) => new Uint8Array(count).fill(255) },
    breakers: {
      report: (_asked, { kind }) => reported.push(kind),
      mayRepeat: world.mayRepeat ?? (() => true),
    },
    rules: new Map([["pay", { ...rules, ...own }]]),
  };
  const args = { path: {}, query: {}, body: { amount: 5 } };
  const request = {
    ...{ face: "http" as const, method: "POST", tool, args },
    identity: { ...someone, agent },
  };
  const around = { site: "s", kill: { hold: () => undefined }, directory: new Directory() };
  const forwarded = await clock.run(
    sendWithAttempts<string>(parts, {
      ...{ asked: asking(request, engine, "call-1", 0), around, args },
      isStopped: world.isStopped ?? (() => false),
      send: async (form) => {
        sent.push(form);
        if (world.took !== undefined) await clock.sleep(world.took, form.timeUp);
        return plays[Math.min(sent.length, plays.length) - 1] ?? broken;
      },
    }),
  );
  const forms = sent.map(({ isDryRun }) => (isDryRun === true ? "dry run" : "as judged"));
  return { forwarded, sent: sent as readonly Partial<Judged>[], forms, reported, clock };
}

test("an answer is sent once, and nothing is said of attempts", async () => {
  for (const code of [200, 404, 409, 429, 500, 503]) {
    const { forwarded, forms } = await play({ plays: [status(code)] });
    expect([forms, forwarded]).toEqual([["as judged"], status(code)]);
  }
});

test("a read is sent again after no answer, with growing waits, at most so often", async () => {
  const again = await play({ tool: "pay:look", plays: [broken, refused, status(200)] });
  expect(again.forms.length).toBe(3);
  expect(again.forwarded).toMatchObject({
    outcome: "ok",
    attempts: [
      { outcome: "unknown", startedMs: 0 },
      { outcome: "not_sent", startedMs: 99 },
      { outcome: "ok", startedMs: 298 },
    ],
  });
  expect(again.reported).toEqual(["failed", "failed", "answered"]);
  const never = await play({ tool: "pay:look", plays: [broken] });
  expect([never.forms.length, never.forwarded.outcome]).toEqual([3, "unknown"]);
});

test("a write that may have happened is never sent again; one that surely was not, is", async () => {
  const { forms, forwarded } = await play({ plays: [broken, status(200)] });
  expect([forms, forwarded]).toEqual([["as judged"], broken]);
  const down = await play({ plays: [refused, refused, status(200)] });
  expect([down.forms.length, down.forwarded.outcome]).toEqual([3, "ok"]);
  const halfway = await play({ plays: [refused, broken, status(200)] });
  expect([halfway.forms.length, halfway.forwarded.outcome]).toEqual([2, "unknown"]);
});

test("where keys are honoured a write is sent again with the same key; what it may have done is not told as undone", async () => {
  const own = { honoursIdempotency: true };
  const once = await play({ own, plays: [broken, status(201)] });
  expect(once.sent.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["call-1", "call-1"]);
  expect(once.sent.map(({ isRepeat }) => isRepeat === true)).toEqual([false, true]);
  expect(once.forwarded.outcome).toBe("ok");
  const gone = await play({ own, plays: [broken, refused] });
  expect(gone.forwarded).toMatchObject({
    outcome: "unknown",
    detail: "an earlier attempt may have taken effect; refused: x",
  });
  // 409: the upstream is still at work on the request of this key.
  const working = await play({ own, plays: [broken, status(409), status(201)] });
  expect([working.forms.length, working.forwarded.outcome]).toEqual([3, "ok"]);
  const still = await play({ own, plays: [broken, status(409)] });
  expect([still.forms.length, still.forwarded.outcome]).toEqual([3, "unknown"]);
});

test("the form that changes nothing is sent where the write itself may not be, and the answer says what it came to", async () => {
  const own = { dryRuns };
  const fine = await play({ own, plays: [broken, status(200)] });
  expect(fine.forms).toEqual(["as judged", "dry run"]);
  expect(fine.sent[1]).toMatchObject({
    args: { body: { amount: 5, dry_run: true } },
    idempotencyKey: "call-1-dry-run",
  });
  expect(fine.forwarded).toMatchObject({ outcome: "unknown", answer: "broken" });
  expect(attemptsText(fine.forwarded)).toBe("It was not sent again. A dry run of it now succeeds.");
  const no = await play({ own, plays: [broken, status(422)] });
  expect(attemptsText(no.forwarded)).toContain("A dry run of it is now refused: status 422.");
  const dead = await play({ own, plays: [broken, refused] });
  expect(attemptsText(dead.forwarded)).toContain("A dry run of it now fails too: refused: x.");
  expect(dead.forwarded.outcome).toBe("unknown");
});

test("no dry run: after an answer, for what was not sent, for a read, or where policy forbids it", async () => {
  const own = { dryRuns };
  for (const plays of [[status(500)], [status(200)], [refused]])
    expect((await play({ own, plays })).forms).not.toContain("dry run");
  const read = await play({ own, tool: "pay:look", plays: [broken] });
  expect(read.forms).not.toContain("dry run");
  const forbidden = await play({ own, agent: "no-dry-runs", plays: [broken, status(200)] });
  expect(forbidden.forms).toEqual(["as judged"]);
});

test("a caller that left, a person who stopped it, an open breaker: nothing more is sent", async () => {
  const left = await play({ tool: "pay:look", plays: [lost("aborted")] });
  expect(left.forms.length).toBe(1);
  const own = { dryRuns };
  for (const against of [{ isStopped: () => true }, { mayRepeat: () => false }]) {
    expect((await play({ ...against, tool: "pay:look", plays: [broken] })).forms.length).toBe(1);
    expect((await play({ ...against, own, plays: [broken] })).forms.length).toBe(1);
  }
  let asked = 0;
  const meanwhile = await play({
    ...{ tool: "pay:look", plays: [broken] },
    // Not before the wait, but after it.
    isStopped: () => asked++ > 0,
  });
  expect(meanwhile.forms.length).toBe(1);
  const begun = await play({ tool: "pay:look", plays: [{ ...broken, hasBegun: true }] });
  expect(begun.forms.length).toBe(1);
});

test("all attempts together end with the time of the call", async () => {
  const own = { callTimeoutMs: 250, attemptsMax: 10 };
  const { forms, clock } = await play({ own, tool: "pay:look", took: 120, plays: [broken] });
  expect([forms.length, clock.monotonicMs() <= 250]).toEqual([2, true]);
  const slow = await play({ own, tool: "pay:look", took: 10_000, plays: [lost("timeout")] });
  const reason: unknown = slow.sent[0]?.timeUp?.reason;
  expect([slow.forms.length, slow.clock.monotonicMs()]).toEqual([1, 250]);
  expect([(reason as DOMException).name, String(reason)]).toEqual([
    "TimeoutError",
    "TimeoutError: no answer came within 250 ms (call_timeout_ms)",
  ]);
});
