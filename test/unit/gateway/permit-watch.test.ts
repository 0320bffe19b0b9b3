/** AG-403 4.2, 4.3: whatever the guard answers, a gateway acts only on a permit that is good now. */
import { describe, expect, test } from "vitest";
import { noteVerifier } from "../../../src/audit/index.ts";
import { type Permit, permitType, signEnvelope } from "../../../src/failover/index.ts";
import { type PermitAnswer, PermitWatch } from "../../../src/gateway/index.ts";
import { err, type JsonValue, ok } from "../../../src/kernel/index.ts";
import type { Ledger } from "../../../src/ledger/index.ts";
import type { Signer } from "../../../src/ports.ts";
import {
  Random,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDatabase,
  simEntropy,
  simSigner,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const random = new Random(403);
const guard = simSigner("fra.guard", random);
const stranger = simSigner("fra.guard", random);

interface World {
  readonly clock: SimClock;
  readonly watch: PermitWatch;
  readonly origin: { instance: string; site: string; epoch: number };
  readonly entries: object[];
  readonly database: SimDatabase;
  answer: (nonce: string) => PermitAnswer;
  /** Calls whose decision was told. */
  readonly told: () => readonly unknown[];
}

function worldOf(): World {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(1), clock);
  const entries: object[] = [];
  const origin = { instance: "gw", site: "fra", epoch: 0 };
  const log = recordingLog();
  const world: World = {
    told: () =>
      log.lines.flatMap(({ event, fields }) =>
        event === "decision_under_enhanced_monitoring" ? [fields?.["call"]] : [],
      ),
    ...{ clock, origin, entries, database },
    answer: (nonce) => permit(nonce),
    watch: new PermitWatch({
      askGuard: async ({ nonce }) => world.answer(String(nonce)),
      ...{ deployment: "d", tenant: "t", site: "fra", fenceKey: "failover/d/fence", origin, clock },
      manifest: async () =>
        ok({
          ...{ digest: "sha256:aa", ttlMs: 10_000 },
          guardKey: noteVerifier(guard.name, guard.publicKey),
        }),
      state: new SharedState(database.open()),
      ledger: ledgerOf(entries),
      ...{
        entropy: simEntropy(new Random(2)),
        log,
        telemetry: recordingTelemetry(),
      },
      acknowledged: () => ({}),
      policyVersion: () => "p-1",
    }),
  };
  return world;
}

function ledgerOf(entries: object[]): Ledger {
  return {
    append: async (entry: object) => {
      entries.push(entry);
      return ok({ index: entries.length - 1, treeSize: entries.length });
    },
  } as unknown as Ledger;
}

function permit(nonce: string, more: Partial<Permit> = {}, signer: Signer = guard): PermitAnswer {
  const payload: Permit = {
    ...{ format: "holdfast.permit/v1", deployment: "d", tenant: "t", site: "fra" },
    ...{ jurisdiction: "DE", manifest_digest: "sha256:aa", epoch: 1, failover: "fo-1", nonce },
    ...{ instance: "gw", lifetime_ms: 9_000, tier: "full", monitoring: "normal", issued: "-" },
    ...more,
  };
  return ok({
    open: true,
    envelope: signEnvelope(permitType, { ...payload }, signer) as unknown as JsonValue,
  });
}

const write = { tool: { effect: "write" } } as never;
const read = { tool: { effect: "read" } } as never;

async function asked(world: World): Promise<string | undefined> {
  await world.clock.run(world.watch.refresh());
  return world.watch.recheck(write)?.kind;
}

describe("a permit", () => {
  test("lets calls through, and its epoch goes into every entry, the store first", async () => {
    const world = worldOf();
    expect(world.watch.recheck(write)?.kind).toBe("no_permit");
    expect(await asked(world)).toBeUndefined();
    expect(world.origin.epoch).toBe(1);
    expect(world.database.present.get("failover/d/fence")).toBe('{"epoch":1}');
    expect(world.entries).toMatchObject([{ kind: "permit", state: "held", epoch: 1 }]);
  });

  test("counts from when it was asked for, on the monotonic clock, whatever the wall clock does", async () => {
    const world = worldOf();
    const slow = world.answer;
    world.answer = (nonce) => slow(nonce);
    await asked(world);
    world.clock.jumpWall(-3_600_000);
    await world.clock.advance(8_999);
    expect(world.watch.recheck(write)).toBeUndefined();
    await world.clock.advance(2);
    expect(world.watch.recheck(write)?.kind).toBe("no_permit");
    expect(world.watch.recheck(read)?.kind).toBe("no_permit");
  });

  const bad: Readonly<Record<string, (nonce: string) => PermitAnswer>> = {
    "for another site": (nonce) => permit(nonce, { site: "dub" }),
    "for another gateway": (nonce) => permit(nonce, { instance: "other" }),
    "for another deployment": (nonce) => permit(nonce, { deployment: "e" }),
    "for another tenant": (nonce) => permit(nonce, { tenant: "u" }),
    "under another manifest": (nonce) => permit(nonce, { manifest_digest: "sha256:bb" }),
    "of another question": () => permit("an-old-nonce"),
    "that lives too long": (nonce) => permit(nonce, { lifetime_ms: 60_000 }),
    "without an epoch": (nonce) => permit(nonce, { epoch: 0 }),
    "of a tier nobody knows": (nonce) => permit(nonce, { tier: "all" as never }),
    "of another key of the same name": (nonce) => permit(nonce, {}, stranger),
    "that is no envelope": () => ok({ open: true, envelope: { payload: "x" } }),
    "that is nothing": () => ok({ open: true, envelope: null }),
    "that did not come": () => err("the guard does not answer"),
  };
  for (const [name, answer] of Object.entries(bad))
    test(`${name} is none`, async () => {
      const world = worldOf();
      world.answer = answer;
      expect(await asked(world)).toBe("no_permit");
    });

  test("of an older epoch is a zombie's", async () => {
    const world = worldOf();
    world.answer = (nonce) => permit(nonce, { epoch: 7 });
    await asked(world);
    world.answer = (nonce) => permit(nonce, { epoch: 6 });
    await asked(world);
    await world.clock.advance(9_001);
    expect(world.watch.recheck(write)?.kind).toBe("no_permit");
  });

  test("does not count while a newer epoch writes to the store", async () => {
    const world = worldOf();
    world.database.commit(new Map([["failover/d/fence", { epoch: 9 }]]));
    expect(await asked(world)).toBe("no_permit");
    expect(world.watch.status.error).toContain("epoch 9");
  });
});

test("under enhanced monitoring every decision is told", async () => {
  const world = worldOf();
  const asking = {
    callId: "c-1",
    tool: { id: "pay:charge", effect: "read" },
    request: { identity: { agent: "a" } },
  };
  const judgement = { decision: { decision: "allow" } };
  await asked(world);
  world.watch.enter(asking as never, judgement as never);
  expect(world.told()).toEqual([]);
  world.answer = (nonce) => permit(nonce, { monitoring: "enhanced" });
  await asked(world);
  world.watch.enter(asking as never, judgement as never);
  expect(world.told()).toEqual(["c-1"]);
});

describe("a closed gate", () => {
  test("takes the permit away at once, and is recorded once", async () => {
    const world = worldOf();
    await asked(world);
    world.answer = () => ok({ open: false, why: "the gate is blocked (audit: it is broken)" });
    expect(await asked(world)).toBe("no_permit");
    expect(await asked(world)).toBe("no_permit");
    expect(world.entries.map((each) => (each as { state: string }).state)).toEqual([
      "held",
      "lost",
    ]);
  });

  test("is not the same as no answer: the permit runs out by itself", async () => {
    const world = worldOf();
    await asked(world);
    world.answer = () => err("unreachable");
    expect(await asked(world)).toBeUndefined();
    await world.clock.advance(9_001);
    expect(await asked(world)).toBe("no_permit");
  });
});

describe("degraded tiers", () => {
  test("reads only, escrow, stop", async () => {
    const world = worldOf();
    world.answer = (nonce) => permit(nonce, { tier: "reads_only", monitoring: "enhanced" });
    expect(await asked(world)).toBe("degraded");
    expect(world.watch.recheck(read)).toBeUndefined();
    world.answer = (nonce) => permit(nonce, { tier: "escrow" });
    expect(await asked(world)).toBeUndefined();
    expect(world.watch.escrow()).toMatchObject({ mode: "escrow", by: "guard/fra" });
    world.answer = (nonce) => permit(nonce, { tier: "stop" });
    expect(await asked(world)).toBe("degraded");
    expect(world.watch.recheck(read)?.kind).toBe("degraded");
  });
});
