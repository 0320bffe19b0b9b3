/** Limits counted in shared state by several gateways, with faults and crashes: nothing is overspent. */
import { expect, inject, test } from "vitest";
import { Reservations } from "../../../src/gateway/index.ts";
import type { Asked } from "../../../src/gateway/judge.ts";
import { compile, loadPolicySet } from "../../../src/policy/index.ts";
import {
  noStoreFaults,
  Random,
  recordingLog,
  SimClock,
  SimDatabase,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { someone } from "./fake-spine.ts";

const policy = `
policy: pay
tools:
  pay:create: { effect: write, risk: high, cost_estimate_micro_usd: 100 }
  pay:look: { effect: read, risk: low }
agents:
  desk: { budget_micro_usd_per_day: 1000 }
  "de*": { budget_micro_usd_per_day: 5000, calls_per_minute_max: 30 }
  boss: { calls_per_minute_max: 3 }
rules:
  - { id: all, match: { agents: "*" }, outcome: allow }
`;
const { set, diagnostics } = loadPolicySet([{ path: "pay.yaml", text: policy }]);
if (set === undefined) throw new Error(JSON.stringify(diagnostics));
const engine = compile(set, "r1");

let calls = 0;
function asked(agent: string, costMicroUsd = 100, delegation: readonly string[] = []): Asked {
  calls += 1;
  return {
    callId: `call-${calls}`,
    engine,
    request: { identity: { ...someone, agent, delegation } },
    tool: { id: "pay:create", effect: "write", risk: "high", costMicroUsd },
  } as unknown as Asked;
}

function world(seed = 1, faults = noStoreFaults) {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(seed), clock, faults);
  const gateway = (instance: string, run = "1") =>
    new Reservations({
      run,
      state: new SharedState(database.open()),
      log: recordingLog(),
      origin: { instance, site: "s", epoch: 0 },
    });
  const stored = (key: string) => JSON.parse(database.present.get(key) ?? "null");
  return { clock, database, gateway, stored };
}

const budget = "limits/budget/acme/desk";

test("an agent without a limit is not counted, and costs no transaction", async () => {
  const { clock, database, gateway } = world();
  const reserved = await clock.run(gateway("g").reserve(asked("nobody")));
  expect([reserved.ok, database.commits]).toEqual([true, 0]);
});

test("three gateways and sixty-four callers: exactly as many pass as the budget holds", async () => {
  const { clock, gateway, stored } = world(2, { ...noStoreFaults, delayMsMax: 4 });
  const gateways = ["a", "b", "c"].map((name) => gateway(name));
  const reserved = await clock.run(
    Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        (gateways[i % 3] ?? gateway("d")).reserve(asked("desk")),
      ),
    ),
  );
  const passed = reserved.filter(({ ok }) => ok).length;
  expect(passed).toBe(10);
  expect(Object.keys(stored(budget).reserved).length).toBe(10);
  const refused = reserved.find(({ ok }) => !ok);
  expect(refused).toMatchObject({ hold: { kind: "over_budget", max: 1_000, leftMicroUsd: 0 } });
});

test("a call that was not sent gives its money back; one that may have acted does not", async () => {
  const { clock, gateway, stored } = world();
  const one = gateway("g");
  for (const [outcome, spent] of [
    ["ok", 100],
    ["not_sent", 100],
    ["unknown", 200],
    ["tool_error", 300],
  ] as const) {
    const call = asked("desk");
    const reserved = await clock.run(one.reserve(call));
    await clock.run(one.settle(reserved, call.callId, outcome));
    expect(stored(budget)).toMatchObject({ spent_micro_usd: spent, reserved: {} });
  }
});

test("the chain counts: a delegated call has no more room than any agent it came through", async () => {
  const { clock, gateway, stored } = world();
  const one = gateway("g");
  for (let i = 0; i < 3; i++)
    expect((await clock.run(one.reserve(asked("desk", 0, ["boss"])))).ok).toBe(true);
  const fourth = await clock.run(one.reserve(asked("desk", 100, ["boss"])));
  expect(fourth).toMatchObject({ ok: false, hold: { kind: "over_rate", agent: "boss", max: 3 } });
  // Refused by one limit, it is counted by none.
  expect(stored(budget)).toBeNull();
});

test("a store that is away, or holds what is not ours, refuses whoever has a limit", async () => {
  const { clock, database, gateway } = world();
  database.faults = { ...noStoreFaults, refused: 1 };
  const away = await clock.run(gateway("g").reserve(asked("desk")));
  expect(away).toMatchObject({ ok: false, hold: { kind: "limits_unknown" } });
  database.faults = noStoreFaults;
  database.commit(new Map([[budget, { day: "monday" }]]));
  const strange = await clock.run(gateway("g").reserve(asked("desk")));
  expect(strange).toMatchObject({ ok: false, hold: { kind: "limits_unknown" } });
});

test("a gateway that died is charged for what it left, when it calls again; its neighbour is not", async () => {
  const { clock, gateway, stored } = world();
  await clock.run(gateway("dies").reserve(asked("desk")));
  await clock.run(gateway("lives").reserve(asked("desk")));
  await clock.run(gateway("dies", "2").reserve(asked("desk")));
  const { spent_micro_usd: spent, reserved } = stored(budget);
  expect(spent).toBe(100);
  expect(Object.values(reserved)).toMatchObject([
    { instance: "lives", run: "1" },
    { instance: "dies", run: "2" },
  ]);
});

test("theorem: with lost commits and lost answers, what passes never exceeds the budget", async () => {
  for (let seed = 1; seed <= 20 * inject("effort"); seed++) {
    const faults = { refused: 0.1, commitLost: 0.15, answerLost: 0.15, delayMsMax: 5 };
    const { clock, gateway } = world(seed, faults);
    const gateways = ["a", "b", "c"].map((name) => gateway(name));
    const passed = await clock.run(
      Promise.all(
        Array.from({ length: 45 }, async (_, i) => {
          const one = gateways[i % 3] ?? gateway("d");
          const call = asked("desk");
          const reserved = await one.reserve(call);
          if (!reserved.ok) return 0;
          await one.settle(reserved, call.callId, "ok");
          return 1;
        }),
      ),
    );
    expect(
      passed.reduce<number>((sum, each) => sum + each, 0),
      `seed ${seed}`,
    ).toBeLessThanOrEqual(10);
  }
});
