/** The gateway's eye on the kill switch: how soon it sees, what it does when it cannot, and what the record keeps. */
import { expect, test } from "vitest";
import type { Entry } from "../../../src/audit/index.ts";
import { KillWatch } from "../../../src/gateway/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import type { Ledger } from "../../../src/ledger/index.ts";
import {
  killKey,
  killStateJson,
  nothingStopped,
  type Switch,
  throwSwitch,
} from "../../../src/limits/index.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDatabase,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { someone } from "./fake-spine.ts";

const away = { ...noStoreFaults, refused: 1 };
const pause: Switch = {
  id: "k-1",
  mode: "pause",
  scope: { agent: someone.agent },
  reason: "runaway",
  by: "sre",
  since: "2026-01-01T00:00:00Z",
};

function world() {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(1), clock);
  const entries: Entry[] = [];
  const ledger = {
    append: async (entry: Entry) => ok({ index: entries.push(entry) - 1, treeSize: 1 }),
  } as unknown as Ledger;
  const watch = new KillWatch({
    ...{ clock, ledger, log: recordingLog(), telemetry: recordingTelemetry() },
    state: new SharedState(database.open(), { process: "gateway/g" }),
    origin: { instance: "g", site: "s", epoch: 0 },
    tenant: "t",
    leaseMs: 5_000,
    pollMs: 200,
  });
  const operator = new SharedState(database.open());
  const store = (value: unknown) =>
    operator.transact([killKey], () => ({
      writes: new Map([[killKey, value as never]]),
      result: undefined,
    }));
  const held = (effect: "read" | "write") =>
    watch.hold(
      { identity: someone, face: "mcp", method: "tools/call", tool: "pay:create", args: {} },
      { id: "pay:create", effect } as never,
    )?.kind;
  return { clock, database, entries, watch, operator, store, held };
}

function paused() {
  const thrown = throwSwitch(nothingStopped, pause);
  if (!thrown.ok) throw new Error(thrown.error);
  return killStateJson(thrown.value);
}

test("before the first look nothing is written, and reads go on", async () => {
  const { clock, watch, held } = world();
  expect([held("write"), held("read")]).toEqual(["kill_state_unknown", undefined]);
  await clock.run(watch.refresh());
  expect([held("write"), held("read")]).toEqual([undefined, undefined]);
});

test("a thrown switch is in force within a second, and lifted as soon", async () => {
  const { clock, watch, store, held, entries } = world();
  const stop = new AbortController();
  const following = watch.follow(stop.signal);
  await clock.advance(1_000);
  expect(held("write")).toBeUndefined();
  await clock.run(store(paused()));
  await clock.advance(1_000);
  expect([held("write"), held("read")]).toEqual(["paused", "paused"]);
  await clock.run(store({ serial: 2, switches: [] }));
  await clock.advance(1_000);
  expect(held("write")).toBeUndefined();
  stop.abort();
  await clock.run(following);
  expect(entries).toMatchObject([
    { kind: "kill", serial: 1, switches: [{ id: "k-1", by: "sre", reason: "runaway" }] },
    { kind: "kill", serial: 2, switches: [] },
  ]);
});

test("a store that is away: writes go on for the lease, then stop; they begin again when it is back", async () => {
  const { clock, database, watch, held } = world();
  const stop = new AbortController();
  const following = watch.follow(stop.signal);
  await clock.advance(1_000);
  database.faults = away;
  await clock.advance(4_500);
  expect(held("write")).toBeUndefined();
  await clock.advance(1_000);
  expect([held("write"), held("read")]).toEqual(["kill_state_unknown", undefined]);
  expect(watch.status.error).toContain("refused");
  database.faults = noStoreFaults;
  await clock.advance(500);
  expect(held("write")).toBeUndefined();
  expect(watch.status.error).toBeNull();
  stop.abort();
  await clock.run(following);
});

test("a state that is not understood is unknown, not empty; what was known stays", async () => {
  const { clock, watch, store, held } = world();
  await clock.run(store(paused()));
  await clock.run(watch.refresh());
  await clock.run(store({ serial: 2, switches: [{ mode: "freeze" }] }));
  await clock.run(watch.refresh());
  expect([held("write"), held("read")]).toEqual(["paused", "paused"]);
  await clock.advance(6_000);
  expect([held("write"), held("read")]).toEqual(["kill_state_unknown", "paused"]);
});

test("a wall clock that jumps moves no lease", async () => {
  const { clock, watch, held } = world();
  await clock.run(watch.refresh());
  clock.jumpWall(7_200_000);
  expect(held("write")).toBeUndefined();
  clock.jumpWall(-14_400_000);
  expect(held("write")).toBeUndefined();
});

test("a gateway says that it is there, and which state it obeys, until it goes", async () => {
  const { clock, watch, operator, store } = world();
  const stop = new AbortController();
  const following = watch.follow(stop.signal);
  await clock.advance(500);
  await clock.run(store(paused()));
  await clock.advance(500);
  const listed = await clock.run(operator.list("gateway/", 10));
  expect(listed.ok && listed.value).toMatchObject([
    { key: "gateway/g", value: { kill_serial: 1 } },
  ]);
  stop.abort();
  await clock.run(following);
  const after = await clock.run(operator.list("gateway/", 10));
  expect(after.ok && after.value).toEqual([]);
});

test("the first look goes on until the state is known, and ends with the lease when it cannot be", async () => {
  const { clock, database, watch, held } = world();
  database.faults = away;
  const looking = watch.firstLook();
  await clock.advance(1_000);
  database.faults = noStoreFaults;
  await clock.run(looking);
  expect(clock.monotonicMs()).toBeLessThan(2_000);
  expect(held("write")).toBeUndefined();
  const other = world();
  other.database.faults = away;
  await other.clock.run(other.watch.firstLook());
  expect(other.clock.monotonicMs()).toBeGreaterThanOrEqual(5_000);
  expect(other.held("write")).toBe("kill_state_unknown");
});

test("a process that was stopped and goes on looks before it refuses what has waited, and not for long", async () => {
  const { clock, database, watch, held } = world();
  await clock.run(watch.refresh());
  expect(watch.looked()).toBeUndefined();
  await clock.run(clock.sleep(6_000));
  expect(held("write")).toBe("kill_state_unknown");
  await clock.run(Promise.all([watch.looked(), watch.looked()]));
  expect(held("write")).toBeUndefined();
  await clock.run(clock.sleep(6_000));
  database.faults = { ...noStoreFaults, delayMsMax: 100_000 };
  const began = clock.monotonicMs();
  await clock.run(watch.looked() ?? Promise.resolve());
  expect(clock.monotonicMs() - began).toBeLessThanOrEqual(500);
});
