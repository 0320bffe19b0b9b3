/**
 * AG-403 4.2, 4.3; our reading of AG-403 8.2 in a simulated world: the leader dies under load while two components of the
 * target are broken, for every pair of a manifest with every class. Nothing executes there, and the gate says which
 * components they are.
 */
import { afterEach, describe, expect, test } from "vitest";
import { type ComponentClass, componentClasses } from "../../../src/failover/index.ts";
import type { SimProbeAnswer } from "../../../src/sim/index.ts";
import { component, GuardTown } from "./guard-town.ts";

/** Each class by a component of its name. A ledger that lost its audit, or identity without secrets, is not even asked. */
const needs: Readonly<Partial<Record<ComponentClass, readonly ComponentClass[]>>> = {
  audit: ["ledger"],
  identity: ["secrets"],
  enforcement: ["identity", "kill_switch"],
};
const components = componentClasses.map((name) =>
  component(name, { class: name, depends_on: needs[name] ?? [] }),
);

type Broken = readonly ComponentClass[];
const pairs: readonly Broken[] = componentClasses.flatMap((one, at) =>
  componentClasses.slice(at + 1).map((other): Broken => [one, other]),
);
/** Everything that is no PASS, in turn, so that a pair rarely fails in one way only. */
const ways: readonly SimProbeAnswer[] = [
  ...(["fail", "inconclusive", "silent", "other_site", "other_question"] as const),
  { lateMs: 5_000 },
];

interface Load {
  readonly attempts: Record<string, number>;
  readonly executed: Record<string, number>;
}

const towns: GuardTown[] = [];
afterEach(async () => {
  for (const town of towns.splice(0)) await town.end();
});

/** An agent at each site, every 20 ms, through a gateway that holds each permit for as long as it says. */
async function underLoad(town: GuardTown, load: Load, lastMs: number): Promise<void> {
  const heldUntilMs = new Map<string, number>();
  for (let ms = 0; ms < lastMs; ms += 20) {
    for (const [id, { guard }] of town.lives) {
      const nowMs = town.clock.monotonicMs();
      const permit = guard.permit();
      if (permit !== undefined && permit.tier !== "stop")
        heldUntilMs.set(id, nowMs + permit.leftMs);
      load.attempts[id] = (load.attempts[id] ?? 0) + 1;
      if ((heldUntilMs.get(id) ?? 0) > nowMs) load.executed[id] = (load.executed[id] ?? 0) + 1;
    }
    await town.clock.advance(20);
  }
}

/** The leader dies while `broken` are broken at the target, which is told to take over. */
async function killed(broken: Broken): Promise<{ readonly town: GuardTown; readonly load: Load }> {
  const town = new GuardTown({ components });
  towns.push(town);
  const load: Load = { attempts: {}, executed: {} };
  await town.start("fra");
  await town.start("dub");
  await town.reaches("fra", "ready");
  await underLoad(town, load, 400);
  town.script = (site, name) => {
    const at = broken.indexOf(name as ComponentClass);
    return site === "dub" && at >= 0 ? (ways[waysFrom(broken) + at] ?? "fail") : "pass";
  };
  town.crash("fra");
  const begun = town.guard("dub").begin({
    ...{ deployment: "town", tenant: "t", site: "dub", target_site: "dub", source_site: "fra" },
    ...{ mechanism: "patroni", cause: "the leader died", detector: "test", planned: false },
    initiated: new Date(town.clockOf("dub").wallMs()).toISOString(),
  });
  await town.clock.run(begun);
  // The lease of the dead site runs out after 11 s, a validation takes up to 4 s, and then it is tried again.
  await underLoad(town, load, 24_000);
  return { town, load };
}

/** Which two ways a pair fails in: another place of the list for each pair. */
function waysFrom(broken: Broken): number {
  return pairs.findIndex((pair) => pair.join() === broken.join()) % (ways.length - 1);
}

/** They, and whatever cannot be asked without them. */
function brokenWith(broken: Broken): readonly string[] {
  const all = new Set<string>(broken);
  for (let before = -1; before !== all.size; ) {
    before = all.size;
    for (const { name, depends_on } of components)
      if (depends_on.some((each) => all.has(each))) all.add(name);
  }
  return [...all].sort();
}

test("with nothing broken the target takes over, so that zero means something", async () => {
  const { load, town } = await killed([]);
  expect(load.executed["fra"]).toBeGreaterThan(10);
  expect(load.executed["dub"]).toBeGreaterThan(100);
  expect(town.guard("dub").state.phase).toBe("ready");
});

describe("AG-403 8.2: the leader is killed under load while", () => {
  test.each(pairs)("%s and %s are broken", async (one, other) => {
    const { load, town } = await killed([one, other]);
    expect(load.attempts["dub"]).toBeGreaterThan(1_000);
    expect(load.executed["dub"] ?? 0).toBe(0);
    const { failing, epoch } = town.guard("dub").state;
    expect(epoch).toBeGreaterThan(1);
    expect(failing.map((each) => each.component).sort()).toEqual(brokenWith([one, other]));
    // What was not asked says of what it depends.
    const names = failing.map((each) => each.component);
    for (const { component: name, because } of failing) {
      const missing = (needs[name as ComponentClass] ?? []).filter((each) => names.includes(each));
      const [said] = missing.filter((each) => because.includes(`it depends on ${each},`));
      expect(said !== undefined, `${name}: ${because}`).toBe(missing.length > 0);
    }
    const [record] = await town.records("dub");
    expect(record).toMatchObject({ outcome: null, traffic_resumed: null, source_site: "fra" });
  });
});

test("every pair of classes is in the table", () => {
  expect(pairs).toHaveLength((componentClasses.length * (componentClasses.length - 1)) / 2);
  expect(new Set(pairs.map((pair) => [...pair].sort().join(" "))).size).toBe(pairs.length);
});
