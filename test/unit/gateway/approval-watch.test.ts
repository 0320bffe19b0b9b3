/** The gateway's eye on its questions: waking, ending, recording what people said, and forgetting. */
import { expect, test } from "vitest";
import {
  type Approval,
  approvalIn,
  approvalKeys,
  approvalWrites,
  asked,
  claimed,
  newestKey,
  type Question,
  settled,
  unrecordedPrefix,
  vote,
} from "../../../src/approvals/index.ts";
import type { Entry } from "../../../src/audit/index.ts";
import { ApprovalWatch } from "../../../src/gateway/index.ts";
import { err, type JsonObject, ok } from "../../../src/kernel/index.ts";
import type { Ledger } from "../../../src/ledger/index.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDatabase,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const question: Question = {
  ...{ tenant: "t", agent: "a", delegation: [], principal: null, tool: "pay:create" },
  ...{ args_digest: "sha256:1", model: null, effect: "write", risk: "high", args_redacted: {} },
  ...{ cost_estimate_micro_usd: 0, definition_digest: null, policy_version: "r1" },
  ...{ determining_rules: ["p/large"], reason: "large", batch: false },
  requirements: [{ groups: [], count: 1 }],
};
const day = 86_400_000;

function world() {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(1), clock, noStoreFaults);
  const entries: Entry[] = [];
  const it = { broken: false };
  const ledger = {
    append: async (entry: Entry) =>
      it.broken
        ? err({ kind: "stopped", detail: "the test says so" })
        : ok({ index: entries.push(entry) - 1, treeSize: 1 }),
  } as unknown as Ledger;
  const state = new SharedState(database.open());
  const watch = new ApprovalWatch({
    ...{ state, ledger, clock, log: recordingLog(), telemetry: recordingTelemetry() },
    origin: { instance: "g", site: "s", epoch: 0 },
  });
  const put = (approval: Approval, more: readonly (readonly [string, JsonObject])[] = []) => {
    const { open, closed } = approvalKeys(approval.id);
    return clock.run(
      state.transact([open, closed, ...more.map(([key]) => key)], () => ({
        writes: new Map([...approvalWrites(approval), ...more]),
        result: undefined,
      })),
    );
  };
  const ask = async (id: string, validMs: number | null = 60_000): Promise<Approval> => {
    const asking = { id, instance: "g", validMs, useWithinMs: 60_000, afterUnknown: null };
    const made = asked(question, asking, clock.wallMs());
    await put(made, [
      [unrecordedPrefix("g") + id, { state: "pending" }],
      [newestKey(question), { id }],
    ]);
    return made;
  };
  const yes = (approval: Approval): Approval => {
    const ballot = { verdict: "approve", reason: "fine", channel: "cli", jti: "j" } as const;
    const cast = vote(approval, { id: "bob", groups: [], alsoKnownAs: [] }, ballot, clock.wallMs());
    if (!cast.ok) throw new Error(cast.error.detail);
    return cast.value;
  };
  const stored = (id: string): Approval | undefined => {
    const values = new Map(
      [...database.present].map(([key, text]) => [key, JSON.parse(text) as JsonObject]),
    );
    return approvalIn(values, approvalKeys(id));
  };
  const look = () => clock.run(watch.recordAnswers());
  return { clock, database, entries, it, watch, put, ask, yes, stored, look };
}

const told = (entries: readonly Entry[]): readonly unknown[] =>
  entries.map((entry) => (entry.kind === "approval" ? entry.state : entry.kind));

test("a yes is recorded once, with who and why; also when it is used before anybody looks", async () => {
  const { entries, put, ask, yes, look, database } = world();
  const first = await ask("apr-1");
  await look();
  expect(entries).toEqual([]);
  await put(yes(first));
  await look();
  await look();
  expect(entries).toMatchObject([
    {
      ...{ kind: "approval", state: "granted", approval_id: "apr-1" },
      votes: [{ approver: "bob", verdict: "approve", reason: "fine", channel: "cli" }],
    },
  ]);
  const second = yes(await ask("apr-2"));
  const used = settled(claimed(second, { call: "c", instance: "g", run: "1" }), "c", "done", 2);
  await put(used);
  await look();
  expect(told(entries)).toEqual(["granted", "granted"]);
  expect([...database.present.keys()].filter((key) => key.includes("unrecorded"))).toEqual([
    `${unrecordedPrefix("g")}apr-1`,
  ]);
});

test("what waits too long ends here, is recorded, and wakes whoever waits", async () => {
  const { clock, entries, ask, watch, look, stored } = world();
  await ask("apr-1", 5_000);
  const over = new AbortController();
  const following = watch.follow(over.signal);
  const answered = watch.answered("apr-1", 60_000, over.signal);
  await clock.advance(7_000);
  expect(await answered).toBe(true);
  expect([stored("apr-1")?.state, told(entries)]).toEqual(["expired", ["expired"]]);
  over.abort();
  await clock.run(following);
  await look();
  expect(told(entries)).toEqual(["expired"]);
});

test("nobody is woken while people think, and nobody waits longer than asked", async () => {
  const { clock, ask, watch } = world();
  await ask("apr-1", null);
  const over = new AbortController();
  const following = watch.follow(over.signal);
  const late = watch.answered("apr-1", 3_000, over.signal);
  await clock.advance(3_000);
  expect(await late).toBe(false);
  const gone = new AbortController();
  const left = watch.answered("apr-1", 60_000, gone.signal);
  gone.abort();
  await clock.advance(1_000);
  expect(await left).toBe(false);
  over.abort();
  await clock.run(following);
});

test("a log that takes nothing: tried again until it does", async () => {
  const { entries, it, put, ask, yes, look } = world();
  await put(yes(await ask("apr-1")));
  it.broken = true;
  await look();
  expect(entries).toEqual([]);
  it.broken = false;
  await look();
  expect(told(entries)).toEqual(["granted"]);
});

test("what ended is kept for thirty days; a newer question of the same action stays known", async () => {
  const { clock, database, ask, watch, look } = world();
  await ask("apr-1", 1_000);
  await clock.run(clock.sleep(2_000));
  await look();
  await clock.run(clock.sleep(29 * day));
  await clock.run(watch.sweep());
  expect(database.present.has(approvalKeys("apr-1").closed)).toBe(true);
  await ask("apr-2", null);
  await clock.run(clock.sleep(2 * day));
  await clock.run(watch.sweep());
  expect(database.present.has(approvalKeys("apr-1").closed)).toBe(false);
  expect(database.present.get(newestKey(question))).toBe('{"id":"apr-2"}');
});
