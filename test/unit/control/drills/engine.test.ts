/**
 * AG-403 4.7, 8.7 (our reading of AG-403): a planted broken control makes its drill fail, the rollback always restores
 * the state that was found, and an engine that dies at any step is rolled back by the next.
 */
import { expect, test } from "vitest";
import { readJournals } from "../../../../src/control/index.ts";
import { action, experiment, probe } from "../../failover/drill/experiments.ts";
import { type Death, type Plants, Town } from "./town.ts";

async function verdictWith(plants: Plants, value = experiment()) {
  const town = new Town(plants);
  const result = await town.run(value);
  if (!result?.ok) throw new Error(JSON.stringify(result));
  return { town, journal: result.value.journal, ...result.value.journal.holdfast };
}

test("a drill runs unattended: fault proven, control held, state restored, journal signed and found again", async () => {
  const { town, journal, verdict, score } = await verdictWith({});
  expect({ verdict, score, status: journal.status, deviated: journal.deviated }).toEqual({
    ...{ verdict: "pass", score: 1, status: "completed", deviated: false },
  });
  expect(town.broken).toBe(false);
  expect(journal.holdfast.state.before).toBe(journal.holdfast.state.after);
  expect(town.steps.map(({ step, verdict }) => [step, verdict])).toEqual([
    ["opened", null],
    ["closed", "pass"],
  ]);
  const read = await readJournals(town.disk.inspect(), [town.verifier]);
  expect(read).toEqual({ ok: true, value: { journals: [journal], refused: [] } });
});

test("the journal is one of Chaos Toolkit's, and holds no secret", async () => {
  const value = experiment({
    secrets: { guard: { token: { type: "env", key: "TOKEN" } } },
  });
  const { journal } = await verdictWith({}, value);
  expect(Object.keys(journal)).toEqual(
    expect.arrayContaining([
      ...["chaoslib-version", "platform", "node", "experiment", "start", "end", "duration"],
      ...["status", "deviated", "steady_states", "run", "rollbacks"],
    ]),
  );
  expect(journal.steady_states.before?.probes[0]).toMatchObject({
    activity: { name: "nothing ungoverned" },
    status: "succeeded",
    tolerance_met: true,
  });
  expect(journal.run.map(({ activity }) => activity["name"])).toEqual(["break"]);
  expect(JSON.stringify(journal)).not.toContain("s3cret");
  expect(JSON.stringify(journal)).toContain("broken=false ***");
});

test("processes find only the paths they may change, and no more of the environment than is given", async () => {
  const { town } = await verdictWith({});
  expect(town.environments[0]).toEqual({ PATH: "/bin", HOLDFAST_DRILL_PATHS: '["/srv/dub"]' });
});

test.each<[string, Plants, string, RegExp]>([
  ["the gate stays open", { gateStaysOpen: true }, "fail", /"gate is closed" did not hold/],
  [
    "something ungoverned happens",
    { ungoverned: true },
    "fail",
    /"nothing ungoverned" did not hold/,
  ],
  ["it never recovers", { neverRecovers: true }, "fail", /"gate is open again" did not hold/],
  ["the rollback does nothing", { rollbackDoesNothing: true }, "fail", /did not restore the state/],
  ["the rollback fails", { rollbackFails: true }, "fail", /the rollback "mend" failed/],
  ["the fault does nothing", { faultDoesNothing: true }, "inconclusive", /did not take effect/],
])("planted: %s: the drill says so", async (_, plants, verdict, because) => {
  const found = await verdictWith(plants);
  expect(found.verdict).toBe(verdict);
  expect(found.because.join("; ")).toMatch(because);
});

test("a probe of the method that does not hold leaves doubt, as a failed action does", async () => {
  const method = [action("break"), probe("fault is there"), action("break")];
  expect((await verdictWith({}, experiment({ method }))).verdict).toBe("pass");
  const early = [probe("fault is there"), action("break")];
  const found = await verdictWith({}, experiment({ method: early }));
  expect(found.verdict).toBe("inconclusive");
  expect(found.because.join("; ")).toContain('"fault is there" of the method failed');
});

test("not steady before: nothing is done at all", async () => {
  const { town, verdict, journal } = await verdictWith({ unsteady: true });
  expect(verdict).toBe("inconclusive");
  expect(journal.run).toEqual([]);
  expect(town.argv.filter((line) => line.startsWith("do "))).toEqual([]);
});

test("a fault that is there already proves nothing: nothing is done", async () => {
  const town = new Town();
  town.broken = true;
  const result = await town.run(experiment());
  expect(result).toMatchObject({ ok: true, value: { journal: { holdfast: { began: false } } } });
  expect(town.argv.filter((line) => line.startsWith("do "))).toEqual([]);
});

test.each<[string, Plants]>([
  ["agents act there", { acting: 200 }],
  ["nobody knows whether agents act there", { acting: 0 }],
])("refused before anything is done: %s", async (_, plants) => {
  const town = new Town(plants);
  expect(await town.run(experiment())).toMatchObject({ ok: false, error: { kind: "refused" } });
  expect(town.argv).toEqual([]);
  const allowed = await town.run(experiment({}, { allow_ready_site: true }), { allowReady: true });
  expect(allowed).toMatchObject({ ok: true });
});

test("a beginning that cannot be recorded does not begin", async () => {
  const town = new Town({ unrecorded: true });
  expect(await town.run(experiment())).toMatchObject({ ok: false, error: { kind: "unrecorded" } });
  expect(town.argv.filter((line) => line.startsWith("do "))).toEqual([]);
});

test("the abort condition stops it in mid-method, and it is rolled back", async () => {
  const method = [action("break"), action("second")];
  const value = experiment(
    { method },
    {
      abort: [probe("nothing ungoverned")],
      reach: { break: { site: "dub" }, mend: { site: "dub" }, second: { site: "dub" } },
    },
  );
  const { town, journal, verdict } = await verdictWith({ ungoverned: true }, value);
  expect(journal.status).toBe("aborted");
  expect(verdict).toBe("fail");
  expect(town.argv).not.toContain("do second");
  expect(town.broken).toBe(false);
});

test("a drill over its time is stopped and rolled back", async () => {
  const { town, journal } = await verdictWith(
    { gateStaysOpen: true },
    experiment(
      {},
      {
        duration_seconds_max: 2,
        expect: [{ probe: probe("gate is closed"), within_seconds: 3_600 }],
      },
    ),
  );
  expect(journal.holdfast.aborted).toBe("its time is over");
  expect(town.broken).toBe(false);
});

test("asked to stop, it rolls back first", async () => {
  const town = new Town();
  const asked = new AbortController();
  asked.abort();
  const result = await town.run(experiment(), { signal: asked.signal });
  expect(result).toMatchObject({
    ok: true,
    value: { journal: { holdfast: { aborted: "it was asked to" } } },
  });
  expect(town.broken).toBe(false);
});

test("two drills at a time are refused", async () => {
  const town = new Town();
  const held = await town.disk.mount().lock("lock");
  expect(await town.run(experiment())).toMatchObject({ ok: false, error: { kind: "busy" } });
  expect(held.ok).toBe(true);
});

/** Every effect of a whole run is a step at which the engine may die. */
async function effectsOf(): Promise<number> {
  const town = new Town();
  await town.run(experiment());
  return town.effects;
}

test.each(["before", "after"] as const)(
  "AG-403 8.7: killed at any step (right %s an effect), the next start restores the state and each drill ends once",
  async (when) => {
    const effects = await effectsOf();
    expect(effects).toBeGreaterThan(12);
    for (let at = 0; at < effects; at++) {
      const town = new Town();
      await town.run(experiment(), {}, { at, when });
      const brokenAtDeath = town.broken;
      const recovered = await town.rollBack();
      expect(recovered?.ok, `died ${when} effect ${at}`).toBe(true);
      expect(town.broken, `died ${when} effect ${at}`).toBe(false);
      const read = await readJournals(town.disk.inspect(), [town.verifier]);
      const journals = read.ok ? read.value.journals : [];
      const opened = town.steps.filter(({ step }) => step === "opened");
      const closed = town.steps.filter(({ step }) => step === "closed");
      expect(new Set(closed.map((step) => JSON.stringify(step))).size).toBeLessThanOrEqual(1);
      if (brokenAtDeath) expect([opened.length, journals.length]).toEqual([1, 1]);
      // Open on the disk is open in the log: none is left.
      if (journals.length > 0 && opened.length > 0) expect(closed.length).toBeGreaterThan(0);
    }
  },
);

test("killed again and again while rolling back, it is restored in the end", async () => {
  const death: Death = { at: 8, when: "after" };
  const town = new Town();
  await town.run(experiment(), {}, death);
  expect(town.broken).toBe(true);
  for (let at = 0; at < 6; at++) await town.rollBack({ at, when: "before" });
  expect(await town.rollBack()).toMatchObject({ ok: true });
  expect(town.broken).toBe(false);
});

test("what could not be restored stays open: the next drill is refused until it is", async () => {
  const town = new Town({ rollbackDoesNothing: true });
  await town.run(experiment());
  expect(await town.run(experiment())).toMatchObject({ ok: false, error: { kind: "stuck" } });
  town.broken = false;
  expect(await town.rollBack()).toMatchObject({ ok: true });
  expect(await town.run(experiment())).toMatchObject({ ok: true });
});
