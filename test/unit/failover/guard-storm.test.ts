/**
 * AG-403 4.2, 4.3, 4.6 by seed: guards crash, the arbiter refuses, delays and loses answers, components answer anything,
 * clocks run apart and are set. Gateways hold each permit for as long as it says, on clocks of their own.
 */
import { expect, test } from "vitest";
import { Random, type StoreFaults, seededProbe } from "../../../src/sim/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { component, GuardTown } from "./guard-town.ts";

const sites = ["fra", "dub"] as const;
const stepMs = 50;

interface Storm {
  readonly town: GuardTown;
  /** Until when the gateway of each site may act, in the time of the world. */
  readonly permitEndsMs: Map<string, number>;
  readonly problems: string[];
  acted: number;
}

/** A gateway asks, and believes the answer from when it asked, on a clock that runs up to 2 % off. */
function act(storm: Storm, id: string): void {
  const gatewayRate = id === "fra" ? 0.99 : 1.01;
  const { town, permitEndsMs, problems } = storm;
  const guard = town.lives.get(id)?.guard;
  const permit = guard?.permit();
  if (guard === undefined || permit === undefined) return;
  const nowMs = town.clock.monotonicMs();
  permitEndsMs.set(id, Math.max(permitEndsMs.get(id) ?? 0, nowMs + permit.leftMs / gatewayRate));
  storm.acted += 1;
  const { phase, epoch } = guard.state;
  const { answers } = guard.evidence.newest;
  const settled = phase === "ready" && guard.state.check === null && guard.state.passed === null;
  const bad = answers.filter((each) => each.verdict !== "pass" || each.epoch !== epoch);
  if (settled && bad.length > 0)
    problems.push(`${id} is ready although ${bad.map((each) => each.component).join(", ")} is not`);
  const acting = sites.filter((each) => (permitEndsMs.get(each) ?? 0) > nowMs);
  if (acting.length > 1) problems.push(`both sites may act at ${nowMs}`);
}

async function storm(seed: number): Promise<Storm> {
  const random = new Random(seed);
  const town = stormyTown(seed, random);
  const world: Storm = { town, permitEndsMs: new Map(), problems: [], acted: 0 };
  for (let ms = 0; ms < 120_000; ms += stepMs) {
    for (const id of sites) await happen(town, id, random);
    for (const id of sites.filter(() => random.chance(0.2))) act(world, id);
    if (ms % 10_000 === 0) town.arbiter.faults = arbiterFaults(random);
    await town.clock.advance(stepMs);
  }
  for (const id of town.lives.keys()) await checkRecords(world, id);
  await town.end();
  return world;
}

function stormyTown(seed: number, random: Random): GuardTown {
  const clock = (): { rate: number; wallOffMs: number } => ({
    ...{ rate: 0.98 + random.below(40) / 1_000, wallOffMs: random.below(120_000) - 60_000 },
  });
  const town = new GuardTown({
    ...{ seed, automatic: random.chance(0.5), clocks: { fra: clock(), dub: clock() } },
    components: [component("gateway"), component("audit", { depends_on: ["gateway"] })],
  });
  const script = seededProbe(random.fork(), probeFaults);
  town.script = () => script({} as never, 1);
  return town;
}

const probeFaults = {
  ...{ fail: 0.02, inconclusive: 0.02, silent: 0.01, other_site: 0.01, other_question: 0.01 },
  ...{ late: 0.1, lateMsMax: 800 },
};
const arbiterFaults = (random: Random): StoreFaults => ({
  ...{ commitLost: 0.02, answerLost: 0.02, delayMsMax: 150 },
  refused: random.chance(0.3) ? 1 : 0.05,
});

/** What may befall a site in one step. */
async function happen(town: GuardTown, id: string, random: Random): Promise<void> {
  const guard = town.lives.get(id)?.guard;
  if (guard === undefined) {
    if (random.chance(0.02)) await town.start(id);
  } else if (guard.failed || random.chance(0.0015)) town.crash(id);
  else if (random.chance(0.001)) void guard.standDown("a person says so");
  else if (random.chance(0.002)) void begin(town, id);
}

async function checkRecords({ town, problems }: Storm, id: string): Promise<void> {
  const steps = await town.steps(id);
  for (const { failover } of await town.records(id))
    for (const once of ["opened", "closed"])
      if (steps.filter((each) => each.failover === failover && each.step === once).length > 1)
        problems.push(`${failover} is ${once} twice`);
}

async function begin(town: GuardTown, id: string): Promise<void> {
  await town.guard(id).begin({
    ...{ deployment: "town", tenant: "t", site: id, target_site: id, source_site: null },
    ...{ mechanism: "storm", cause: "chance", detector: "test", planned: false },
    initiated: new Date(town.clockOf(id).wallMs()).toISOString(),
  });
}

test("never two sites, never without every component, in every storm", async () => {
  let acted = 0;
  for (let seed = 1; seed <= runsOf(12); seed++) {
    const { problems, acted: times } = await storm(seed);
    expect(problems, `seed ${seed}`).toEqual([]);
    acted += times;
  }
  // Storms in which nobody ever acts would show nothing.
  expect(acted).toBeGreaterThan(100);
});
