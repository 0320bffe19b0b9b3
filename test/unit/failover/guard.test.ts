/** What a guard does, in a simulated world. */
import { afterEach, describe, expect, test } from "vitest";
import {
  breakGlassType,
  cosignEnvelope,
  manifestDigest,
  signEnvelope,
} from "../../../src/failover/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { component, GuardTown, type TownOptions } from "./guard-town.ts";

const towns: GuardTown[] = [];
afterEach(async () => {
  for (const town of towns.splice(0)) await town.end();
});

function townOf(options: TownOptions = {}): GuardTown {
  const made = new GuardTown(options);
  towns.push(made);
  return made;
}

/** A gateway comes for its permit. */
function act(town: GuardTown, id: string): string | undefined {
  return town.guard(id).permit()?.tier;
}

describe("AG-403 4.2, 4.9: a failover", () => {
  test("is validated before anyone acts, and takes no longer than the lease of the dead site and the validation", async () => {
    const town = townOf();
    await town.start("fra");
    await town.start("dub");
    await town.reaches("fra", "ready");
    expect(act(town, "fra")).toBe("full");
    town.crash("fra");
    const startMs = town.clock.monotonicMs();
    await begin(town, "dub", "manual");
    await town.reaches("dub", "ready");
    expect(town.guard("dub").state.epoch).toBe(2);
    expect(town.clock.monotonicMs() - startMs).toBeLessThan(12_000);
    await town.clock.run(town.guard("dub").close("resumed", "permit", "gw"));
    const [record] = await town.records("dub");
    expect(record).toMatchObject({
      outcome: "resumed",
      source_site: "fra",
      epoch: 2,
      phase: "ready",
    });
    expect(record?.answers.map((each) => each.component)).toEqual(["audit", "gateway"]);
    expect(record?.grt_ms).toBeLessThan(12_000);
    expect(record?.validation_started).not.toBeNull();
    expect(record?.manifest_digest).toBe(manifestDigest(town.manifest));
  });

  test("has the recovery of its application beside that of its governance, also when that comes later", async () => {
    const town = townOf();
    await town.start("fra");
    await town.reaches("fra", "ready");
    await town.clock.run(town.guard("fra").close("resumed", "permit", "gw"));
    await town.clock.advance(700);
    expect(await town.clock.run(town.guard("fra").appReady("patroni"))).toBe(true);
    await town.clock.advance(700);
    await town.clock.run(town.guard("fra").appReady("patroni"));
    const [record] = await town.records("fra");
    expect(record?.rto_ms).toBeGreaterThan(700);
    expect(record?.rto_ms).toBeLessThan(1_400);
    expect(record?.grt_ms).toBeLessThan(700);
    expect(record?.outcome).toBe("resumed");
  });

  test("to a site that acts already is validated as well, and each record ends under its own name", async () => {
    const town = townOf();
    await town.start("fra");
    await town.reaches("fra", "ready");
    await town.clock.run(town.guard("fra").close("resumed", "permit", "gw"));
    await begin(town, "fra", "patroni");
    expect(act(town, "fra")).toBeUndefined();
    await town.reaches("fra", "ready");
    await town.clock.run(town.guard("fra").close("resumed", "permit", "gw"));
    const records = await town.records("fra");
    expect(records.map(({ mechanism }) => mechanism)).toEqual(["start", "patroni"]);
    expect(records.every(({ outcome, grt_ms }) => outcome === "resumed" && grt_ms !== null)).toBe(
      true,
    );
    expect(town.guard("fra").state.epoch).toBe(2);
  });

  test("that is planned lets the other site act as soon as nobody acts here any more", async () => {
    const town = townOf();
    await town.start("fra");
    await town.start("dub");
    await town.reaches("fra", "ready");
    await town.clock.advance(3_000);
    expect(act(town, "fra")).toBe("full");
    await begin(town, "dub", "blue-green");
    void town.guard("fra").standDown("a planned switch");
    await town.until(() => act(town, "fra") === undefined);
    await town.reaches("dub", "ready", 13_000);
    expect(act(town, "fra")).toBeUndefined();
  });
});

test("a guard that begins anew after another site took over stands by, and its closed record stays as it was", async () => {
  const town = townOf();
  await town.start("fra");
  await town.start("dub");
  await town.reaches("fra", "ready");
  await town.clock.run(town.guard("fra").close("resumed", "permit", "gw"));
  const before = (await town.records("fra"))[0];
  town.crash("fra");
  await begin(town, "dub", "manual");
  await town.reaches("dub", "ready");
  await town.start("fra");
  await town.reaches("fra", "standby");
  town.crash("dub");
  await town.clock.advance(30_000);
  expect(town.guard("fra").state.phase).toBe("standby");
  const [after] = await town.records("fra");
  expect({ ...after, last_index: 0 }).toEqual({ ...before, last_index: 0 });
});

describe("AG-403 4.3: a component that is not shown to be intact", () => {
  for (const answer of ["fail", "inconclusive", "silent", "other_site", "other_question"] as const)
    test(`blocks when it answers ${answer}`, async () => {
      const town = townOf();
      town.script = (_, name) => (name === "audit" ? answer : "pass");
      await town.start("fra");
      await town.reaches("fra", "blocked");
      expect(town.guard("fra").state.failing.map((each) => each.component)).toEqual(["audit"]);
      expect(act(town, "fra")).toBeUndefined();
    });

  test("is not asked when what it depends on is broken, and blocks as well", async () => {
    const audit = component("audit", { depends_on: ["gateway"] });
    const town = townOf({ components: [component("gateway"), audit] });
    town.script = (_, name) => (name === "gateway" ? "fail" : "pass");
    await town.start("fra");
    await town.reaches("fra", "blocked");
    expect(town.probes["fra"]?.asked.map((each) => each.component)).toEqual(["gateway"]);
    expect(town.guard("fra").state.failing).toHaveLength(2);
  });

  test("takes the permit away from a site that acts", async () => {
    const town = townOf();
    await town.start("fra");
    await town.reaches("fra", "ready");
    town.script = () => "fail";
    await town.reaches("fra", "blocked", 6_000);
    expect(act(town, "fra")).toBeUndefined();
  });
});

describe("AG-403 4.10: remediation", () => {
  const repairable = component("audit", {
    remediation: { command: ["repair", "audit"], timeout_seconds: 2, attempts_max: 2 },
  });

  test("that helps within the budget leads to a new validation, and is in the record", async () => {
    const town = townOf({ components: [component("gateway"), repairable] });
    let repaired = false;
    town.script = (_, name) => (name === "audit" && !repaired ? "fail" : "pass");
    town.repair = () => {
      repaired = true;
      return 0;
    };
    await town.start("fra");
    await town.reaches("fra", "ready");
    const [record] = await town.records("fra");
    expect(record?.reinitialised).toEqual(["audit"]);
    expect(record?.remediation).toMatchObject([{ component: "audit", attempt: 1, result: "done" }]);
  });

  test("that does not help blocks after its attempts; one over its budget blocks too", async () => {
    const town = townOf({ components: [component("gateway"), repairable] });
    town.script = (_, name) => (name === "audit" ? "fail" : "pass");
    await town.start("fra");
    await town.reaches("fra", "blocked");
    expect(town.repaired).toHaveLength(2);
    const slow = townOf({ components: [repairable] });
    slow.script = () => "silent";
    slow.repair = () => null;
    await slow.start("fra");
    await slow.reaches("fra", "blocked", 20_000);
    const [record] = await slow.records("fra");
    expect(record?.remediation.every((each) => each.result === "timed_out")).toBe(true);
  });
});

describe("degraded", () => {
  test("the strictest tier of what fails; alert goes on under enhanced monitoring", async () => {
    const town = townOf({
      components: [
        component("gateway"),
        component("queue", { class: "escalation", on_failure: { degrade: "escrow" } }),
        component("pager", { class: "escalation", on_failure: "alert" }),
        component("vault", { class: "secrets", on_failure: { degrade: "reads_only" } }),
      ],
    });
    const broken = new Set(["pager"]);
    town.script = (_, name) => (broken.has(name) ? "fail" : "pass");
    await town.start("fra");
    await town.reaches("fra", "degraded");
    expect(town.guard("fra").permit()).toMatchObject({ tier: "full", enhanced: true });
    broken.add("queue");
    await town.until(() => act(town, "fra") === "escrow");
    broken.add("vault");
    await town.until(() => act(town, "fra") === "reads_only");
    broken.clear();
    await town.reaches("fra", "ready");
    expect(town.guard("fra").permit()).toMatchObject({ tier: "full", enhanced: false });
  });
});

describe("AG-403 4.4: lost records", () => {
  test("a log that is kept elsewhere may come a little later while its site acts, and not when another one is to", async () => {
    const town = townOf();
    await town.start("fra");
    await town.reaches("fra", "ready");
    town.guard("fra").witness(new Map([["ledger/fra.gateway", 40]]));
    town.observed = new Map([["ledger/fra.gateway", 39]]);
    await town.clock.advance(20_000);
    expect(act(town, "fra")).toBe("full");
    town.crash("fra");
    await town.start("dub");
    await begin(town, "dub", "manual");
    await town.reaches("dub", "blocked");
    expect(town.guard("dub").state.failing[0]?.because).toContain("ledger/fra.gateway: 40");
  });

  test("that were witnessed block the candidate, by name", async () => {
    const town = townOf();
    await town.start("fra");
    await town.reaches("fra", "ready");
    town.guard("fra").witness(new Map([["watermark/gateway/a", 85]]));
    await town.clock.advance(5_000);
    town.crash("fra");
    town.observed = new Map([["watermark/gateway/a", 1]]);
    await town.start("dub");
    await begin(town, "dub", "patroni");
    await town.reaches("dub", "blocked");
    const { failing } = town.guard("dub").state;
    expect(failing.map((each) => each.component)).toEqual(["holdfast.watermark"]);
    expect(failing[0]?.because).toContain("85 was witnessed, 1 is here");
    town.observed = new Map([["watermark/gateway/a", 90]]);
    await town.reaches("dub", "ready");
  });
});

describe("AG-403 4.8: a standby that has drifted", () => {
  test("is no candidate", async () => {
    const town = townOf();
    town.parity = "fail";
    await town.start("dub");
    await begin(town, "dub", "manual");
    await town.reaches("dub", "blocked");
    expect(town.guard("dub").state.failing.map((each) => each.component)).toEqual([
      "holdfast.parity",
    ]);
  });
});

describe("break-glass", () => {
  const order = (town: GuardTown, more: JsonObject = {}): JsonObject => ({
    ...{ format: "holdfast.break-glass/v1", deployment: "town", tenant: "t", site: "fra" },
    ...{
      manifest_digest: manifestDigest(town.manifest),
      reason: "the market opens",
      tier: "reads_only",
    },
    ...{ seconds: 30, not_after: "2026-01-01T00:10:00Z", nonce: "n-1" },
    ...more,
  });
  const signed = (town: GuardTown, people: number, more: JsonObject = {}): JsonObject => {
    const [first, ...others] = town.people.slice(0, people);
    if (first === undefined) throw new Error("nobody");
    let envelope = signEnvelope(breakGlassType, order(town, more), first);
    for (const other of others) envelope = cosignEnvelope(envelope, other);
    return { ...envelope, signatures: envelope.signatures.map((each) => ({ ...each })) };
  };

  test("needs its quorum, is recorded first, ends by itself, and counts once", async () => {
    const town = townOf();
    town.script = (_, name) => (name === "audit" ? "fail" : "pass");
    await town.start("fra");
    await town.reaches("fra", "blocked");
    const { desk } = town.life("fra");
    expect((await town.clock.run(desk.take(signed(town, 1)))).status).toBe(403);
    expect((await town.clock.run(desk.take(signed(town, 2, { site: "dub" })))).status).toBe(403);
    expect((await town.clock.run(desk.take(signed(town, 2, { seconds: 3_600 })))).status).toBe(403);
    expect((await town.clock.run(desk.take(signed(town, 2)))).status).toBe(202);
    await town.reaches("fra", "degraded");
    expect(town.guard("fra").permit()).toMatchObject({ tier: "reads_only", enhanced: true });
    expect((await town.clock.run(desk.take(signed(town, 2)))).status).toBe(409);
    const [record] = await town.records("fra");
    expect(record?.break_glass).toMatchObject([{ reason: "the market opens" }]);
    await town.reaches("fra", "blocked", 45_000);
    expect(act(town, "fra")).toBeUndefined();
  });

  test("ends with its guard: what is left of its time is known to no other process, and it was signed for this one", async () => {
    const town = townOf();
    town.script = (_, name) => (name === "audit" ? "fail" : "pass");
    await town.start("fra");
    await town.reaches("fra", "blocked");
    const granted = town.life("fra").desk.take(signed(town, 2));
    expect((await town.clock.run(granted)).status).toBe(202);
    await town.reaches("fra", "degraded");
    town.crash("fra");
    const { guard, desk } = await town.start("fra");
    await town.reaches("fra", "blocked");
    for (let ms = 0; ms < 30_000; ms += 100) {
      expect(guard.permit()).toBeUndefined();
      await town.clock.advance(100);
    }
    expect((await town.clock.run(desk.take(signed(town, 2)))).status).toBe(409);
    const [record] = await town.records("fra");
    expect(record).toMatchObject({ restarts: 1, break_glass: [{ reason: "the market opens" }] });
    const again = desk.take(signed(town, 2, { nonce: "n-2" }));
    expect((await town.clock.run(again)).status).toBe(202);
    await town.reaches("fra", "degraded");
  });

  test("does not override a jurisdiction that is denied, unless the manifest says so", async () => {
    const residency = [{ data_class: "phi", jurisdictions: ["FR"], transfers: [] }];
    const strict = townOf({ manifest: { residency } });
    await strict.start("fra");
    await strict.reaches("fra", "blocked");
    expect((await strict.clock.run(strict.life("fra").desk.take(signed(strict, 2)))).status).toBe(
      202,
    );
    await strict.clock.advance(20_000);
    expect(act(strict, "fra")).toBeUndefined();
    const break_glass = { quorum: 2, keys: [], seconds_max: 600, overrides_residency: true };
    const named = townOf({ manifest: { residency, break_glass } });
    await named.start("fra");
    await named.reaches("fra", "blocked");
    const taken = named.life("fra").desk.take(signed(named, 2));
    expect((await named.clock.run(taken)).status).toBe(202);
    await named.reaches("fra", "degraded");
  });
});

describe("active-active", () => {
  test("each site has a permit of its own", async () => {
    const town = townOf({ manifest: { mode: "active_active" } });
    await town.start("fra");
    await town.start("dub");
    await begin(town, "dub", "start");
    await town.reaches("fra", "ready");
    await town.reaches("dub", "ready");
    expect([act(town, "fra"), act(town, "dub")]).toEqual(["full", "full"]);
  });
});

async function begin(town: GuardTown, id: string, mechanism: string): Promise<void> {
  const begun = town.guard(id).begin({
    ...{ deployment: "town", tenant: "t", site: id, target_site: id, source_site: "fra" },
    ...{ mechanism, cause: "asked", detector: "test", planned: false },
    initiated: new Date(town.clockOf(id).wallMs()).toISOString(),
  });
  await town.clock.run(begun);
}
