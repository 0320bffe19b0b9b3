/** How full limits are, as metrics tell it, and that counters which count nothing go away. */
import { expect, test } from "vitest";
import { LimitWatch } from "../../../src/gateway/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { type Cap, counterKey, counterPrefix, take } from "../../../src/limits/index.ts";
import { compile, type Engine, loadPolicySet } from "../../../src/policy/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

function engineOf(...ids: readonly string[]): Engine {
  const limits = ids.map((id) => `- { id: ${id}, budget_calls: 9, period: day }\n`).join("");
  const { set } = loadPolicySet([{ path: "p.yaml", text: `limits:\n${limits}` }]);
  if (set === undefined) throw new Error("not loaded");
  return compile(set, "r");
}

function world(engine: Engine | undefined) {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(1), clock, noStoreFaults);
  const policy: { engine: Engine | undefined } = { engine };
  const gauges = new Map<string, number>();
  const watch = new LimitWatch({
    state: new SharedState(database.open()),
    policy: { current: () => policy.engine },
    clock,
    telemetry: { gauge: (name, labels, value) => gauges.set(`${name} ${labels["limit"]}`, value) },
    pollMs: 10_000,
  });
  /** Counts so many calls against a limit at this moment. */
  const count = (limit: string, cap: Cap, calls: number, agent = "desk"): string => {
    const counter = { limit, cap, each: { agent } };
    let stored: JsonObject | undefined;
    for (let i = 0; i < calls; i++) {
      const taker = { call: `c${i}`, amount: 1, instance: "g", run: "1" };
      const taken = take(counter, stored, clock.wallMs(), taker);
      if (taken?.ok !== true) throw new Error("full");
      stored = taken.stored;
    }
    const key = counterKey(counter);
    database.commit(new Map([[key, stored ?? {}]]));
    return key;
  };
  return { clock, database, policy, gauges, watch, count };
}

const perDay: Cap = { kind: "budget", unit: "calls", max: 10, period: "day" };
const perMinute: Cap = { kind: "rate", callsMax: 4, windowSeconds: 60 };

test("of each declared limit the fullest counter, and no label that policy does not name", async () => {
  const { clock, gauges, watch, count, policy } = world(engineOf("a", "b", "unused"));
  count("a", perDay, 3);
  count("a", perDay, 7, "other");
  count("b", perMinute, 4);
  count("elsewhere", perDay, 9);
  await clock.run(watch.look());
  const told = { "limit_used_ratio a": 0.7, "limit_used_ratio b": 1, "limit_used_ratio unused": 0 };
  expect(Object.fromEntries(gauges)).toEqual(told);
  // A limit that is declared no more is told as long as it counts.
  policy.engine = engineOf("a");
  await clock.run(clock.sleep(62_000));
  await clock.run(watch.look());
  expect(Object.fromEntries(gauges)).toEqual({ ...told, "limit_used_ratio b": 0 });
});

test("a counter that counts nothing any more is removed; what is not ours stays", async () => {
  const { clock, database, watch, count } = world(undefined);
  const day = count("a", perDay, 1);
  const minute = count("b", perMinute, 1);
  const foreign = `${counterPrefix}foreign`;
  database.commit(new Map([[foreign, { of: "another Holdfast" }]]));
  await clock.run(watch.look());
  expect([...database.present.keys()]).toEqual(expect.arrayContaining([day, minute, foreign]));
  await clock.run(clock.sleep(62_000));
  await clock.run(watch.look());
  expect(database.present.has(minute)).toBe(false);
  expect([database.present.has(day), database.present.has(foreign)]).toEqual([true, true]);
});

test("more counters than one page holds are all looked at", async () => {
  const { clock, gauges, watch, count } = world(engineOf("z"));
  for (let i = 0; i < 1_100; i++) count("a", perDay, 1, `agent-${i}`);
  count("z", perDay, 5);
  await clock.run(watch.look());
  expect(gauges.get("limit_used_ratio z")).toBe(0.5);
});

test("a store that is away leaves the metrics as they were", async () => {
  const { clock, database, gauges, watch, count } = world(engineOf("a"));
  count("a", perDay, 5);
  await clock.run(watch.look());
  database.faults = { ...noStoreFaults, refused: 1 };
  await clock.run(watch.look());
  expect(gauges.get("limit_used_ratio a")).toBe(0.5);
});
