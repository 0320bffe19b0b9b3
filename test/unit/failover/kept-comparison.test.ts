/** AG-403 4.8: what a standby compared last survives its guard, is never older than declared, and is in the log with its end. */
import { afterEach, describe, expect, test } from "vitest";
import { ageMs, ageMsMax, type Comparison } from "../../../src/failover/index.ts";
import { GuardTown, type TownOptions } from "./guard-town.ts";

const towns: GuardTown[] = [];
afterEach(async () => {
  for (const town of towns.splice(0)) await town.end();
});

/** Both sites run, `fra` acts, and `dub` has compared itself with it. */
async function compared(options: TownOptions = {}): Promise<GuardTown> {
  const town = new GuardTown({ compares: true, ...options });
  towns.push(town);
  for (const id of ["fra", "dub"]) town.files[id] = { "service.env": "sha256:1" };
  await town.start("fra");
  await town.start("dub");
  await town.reaches("fra", "ready");
  await town.clock.advance(12_000);
  return town;
}

async function begin(town: GuardTown, id: string): Promise<void> {
  const begun = town.guard(id).begin({
    ...{ deployment: "town", tenant: "t", site: id, target_site: id, source_site: "fra" },
    ...{ mechanism: "manual", cause: "asked", detector: "test", planned: false },
    initiated: new Date(town.clockOf(id).wallMs()).toISOString(),
  });
  await town.clock.run(begun);
}

const failing = (town: GuardTown): string =>
  town
    .guard("dub")
    .state.failing.map(({ component, because }) => `${component}: ${because}`)
    .join("; ");

/** What its log says of comparisons: when it drifted, and when no more. */
async function findings(town: GuardTown): Promise<readonly number[]> {
  const steps = await town.steps("dub");
  return steps.flatMap(({ step, about }) =>
    step === "compared" && Array.isArray(about["drifts"]) ? [about["drifts"].length] : [],
  );
}

describe("a standby whose guard begins anew after the other site has died", () => {
  test("takes over by what it had compared before", async () => {
    const town = await compared();
    town.crash("fra");
    await town.clock.advance(3_000);
    town.crash("dub");
    // However long it takes: a site that is dead changes nothing any more.
    await town.clock.advance(3_600_000);
    await town.start("dub");
    await begin(town, "dub");
    await town.reaches("dub", "ready");
    expect(town.guard("dub").permit()?.tier).toBe("full");
  });

  test("also when it dies once more after it took the lease", async () => {
    const town = await compared();
    town.crash("fra");
    town.crash("dub");
    await town.start("dub");
    await begin(town, "dub");
    await town.reaches("dub", "validating");
    town.crash("dub");
    await town.start("dub");
    await town.reaches("dub", "ready");
  });

  test("does not when it had drifted", async () => {
    const town = await compared();
    town.files["fra"] = { "service.env": "sha256:2" };
    await town.clock.advance(6_000);
    town.crash("fra");
    town.crash("dub");
    await town.start("dub");
    await begin(town, "dub");
    await town.reaches("dub", "blocked");
    expect(failing(town)).toContain("service.env is sha256:1 here and sha256:2 there");
  });

  test("does not when it has changed meanwhile", async () => {
    const town = await compared();
    town.crash("fra");
    town.crash("dub");
    town.files["dub"] = { "service.env": "sha256:3" };
    await town.start("dub");
    await begin(town, "dub");
    await town.reaches("dub", "blocked");
    expect(failing(town)).toContain("it has changed since it was compared");
  });

  test("does not when the other site lived on for longer than declared", async () => {
    const town = await compared({ manifest: { objectives: objectives(20) } });
    town.crash("dub");
    await town.clock.advance(60_000);
    town.crash("fra");
    await town.start("dub");
    await begin(town, "dub");
    await town.reaches("dub", "blocked");
    expect(failing(town)).toMatch(/fra may have acted for \d+ s after that; 20 s are allowed/);
  });

  test("does not by what it compared with the site under an epoch before the last", async () => {
    const town = await compared();
    town.crash("dub");
    town.crash("fra");
    await town.start("fra");
    await town.until(
      () => town.guard("fra").state.epoch === 2 && town.guard("fra").permit() !== undefined,
    );
    town.crash("fra");
    await town.start("dub");
    await begin(town, "dub");
    await town.reaches("dub", "blocked");
    expect(failing(town)).toContain("nobody knows for how long fra acted after that");
  });
});

test("a crash before every operation of its disk: what counts after it is what the log says, and the log says it once", async () => {
  let at = 0;
  while (await survives(at)) at++;
  expect(at).toBeGreaterThan(20);
});

/** The standby drifts, is the same again, and dies before operation `at`, and the other site with it; false when there was none. */
async function survives(at: number): Promise<boolean> {
  let operations = 0;
  let isOver = false;
  const town: GuardTown = new GuardTown({
    compares: true,
    beforeDisk: (id) => {
      if (id === "dub" && !isOver && town.lives.has("dub") && operations++ === at)
        for (const each of ["dub", "fra"]) town.crash(each);
      return undefined;
    },
  });
  towns.push(town);
  for (const id of ["fra", "dub"]) town.files[id] = { "service.env": "sha256:1" };
  await town.start("fra");
  await town.reaches("fra", "ready");
  await town.start("dub");
  for (const version of ["sha256:1", "sha256:2", "sha256:1"]) {
    town.files["fra"] = { "service.env": version };
    await town.clock.advance(6_000);
  }
  isOver = true;
  if (operations <= at) {
    expect(await findings(town)).toEqual([0, 1, 0]);
    return false;
  }
  const { parityWatch } = await town.start("dub");
  const found = await findings(town);
  expect([0, 1, 0].slice(0, found.length), `before operation ${at}`).toEqual(found);
  expect(parityWatch.status.drifts?.length, `before operation ${at}`).toBe(found.at(-1));
  return true;
}

function objectives(parity_age_seconds?: number): GuardTown["manifest"]["objectives"] {
  const { objectives: usual } = new GuardTown().manifest;
  return { ...usual, ...(parity_age_seconds === undefined ? {} : { parity_age_seconds }) };
}

test("the age is counted in beats of the other site's lease, or on the clock of whoever saw both", () => {
  const comparison = { acting: { site: "fra", epoch: 4, beat: 10 } } as Comparison;
  const last = { site: "fra", epoch: 4, beat: 13 };
  expect(ageMs(comparison, last, 10_000)).toBe(30_000);
  expect(ageMs(comparison, last, 10_000, { comparedMs: 5_000, lastMs: 9_000 })).toBe(4_000);
  expect(ageMs(comparison, { ...last, epoch: 5 }, 10_000)).toBeUndefined();
  expect(ageMs(comparison, { ...last, epoch: 5 }, 10_000, { comparedMs: 5, lastMs: 9 })).toBe(4);
  expect(
    ageMs(comparison, { ...last, site: "dub" }, 10_000, { comparedMs: 5, lastMs: 9 }),
  ).toBeUndefined();
  expect(ageMsMax(objectives())).toBe(300_000);
  expect(ageMsMax({ ...objectives(), parity_seconds: 100 })).toBe(600_000);
  expect(ageMsMax(objectives(7))).toBe(7_000);
});
