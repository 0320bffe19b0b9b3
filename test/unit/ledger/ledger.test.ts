/** One writer, its runs, its receipts, and what it refuses. */
import { expect, test } from "vitest";
import {
  checkpointPath,
  encodeRecord,
  HashTree,
  leafHash,
  noteVerifier,
  openCheckpoint,
  resolveEntry,
  type StartEntry,
  segmentPath,
  signCheckpoint,
  verifyReceipt,
} from "../../../src/audit/index.ts";
import { type Ledger, openLedger } from "../../../src/ledger/index.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { decisionEntry, outcomeEntry, policyEntry } from "./entries.ts";
import { World } from "./world.ts";

async function opened(world: World): Promise<Ledger> {
  const result = await world.clock.run(world.open());
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
}

async function append(world: World, ledger: Ledger, entry: Parameters<Ledger["append"]>[0]) {
  const result = await world.clock.run(ledger.append(entry));
  if (!result.ok) throw new Error(result.error.detail);
  return result.value;
}

const revisions = (world: World) => world.verify().then(({ counts }) => counts);

test("a run begins with a start entry; the next names the checkpoint before it and the unknown calls", async () => {
  const world = new World(1);
  const first = await opened(world);
  expect(first.head().size).toBe(1);
  const a = await append(world, first, decisionEntry("call-a"));
  await append(world, first, decisionEntry("call-b"));
  await append(world, first, decisionEntry("call-c", "deny"));
  await append(world, first, outcomeEntry("call-a", a.index));
  const before = first.head().checkpoint;
  world.disk.crash();
  const second = await opened(world);
  const start = await startOf(world, second);
  expect(start).toMatchObject({
    previous: { origin: "gateway.example/log", checkpoint: before },
    unknown_calls: ["call-b"],
  });
  await world.clock.run(second.close());
  const report = await world.verify();
  expect(report.findings).toEqual([]);
  expect(report.unknownCalls.map(({ call }) => call)).toEqual(["call-b"]);
  // A call is told as unknown by the start that found it, not by every later one.
  const third = await opened(world);
  expect((await startOf(world, third)).unknown_calls).toEqual([]);
});

test("the highest serial of a policy bundle is remembered from run to run", async () => {
  const world = new World(1);
  const first = await opened(world);
  expect(first.bundleSerial).toBe(0);
  await append(world, first, policyEntry("r1", 0, 7));
  await append(world, first, policyEntry("r2", 0, 9));
  world.disk.crash();
  const second = await opened(world);
  expect(second.bundleSerial).toBe(9);
  await world.clock.run(second.close());
  // Nothing decided in the second run; its start entry carries the serial over.
  const third = await opened(world);
  expect([third.bundleSerial, (await startOf(world, third)).bundle_serial]).toEqual([9, 9]);
  expect((await world.verify()).findings).toEqual([]);
  await append(world, third, policyEntry("r1", 0, 7));
  await world.clock.run(third.close());
  const codes = (await world.verify()).findings.map(({ code }) => code);
  expect(codes).toEqual(["policy_rolled_back"]);
});

async function startOf(world: World, ledger: Ledger): Promise<StartEntry> {
  const receipt = ledger.receipt(ledger.head().size - 1) ?? "";
  const proven = verifyReceipt(receipt, world.verifier);
  if (!proven.ok) throw new Error(proven.error);
  const entry = await world.clock.run(resolveEntry(world.disk.mount(), proven.value.entry));
  if (!entry.ok || entry.value.kind !== "start") throw new Error("no start entry");
  return entry.value;
}

test("a receipt proves its entry against the newest durable checkpoint, until it left memory", async () => {
  const world = new World(2);
  const ledger = await opened(world);
  const { index, treeSize } = await append(world, ledger, policyEntry("r1"));
  expect(index).toBeLessThan(treeSize);
  const proven = verifyReceipt(ledger.receipt(index) ?? "", world.verifier);
  expect(proven).toMatchObject({ ok: true, value: { index, checkpoint: { size: treeSize } } });
  expect(ledger.receipt(treeSize)).toBeUndefined();
  expect(ledger.receipt(-1)).toBeUndefined();
  for (let i = 0; i < 400; i += 8)
    await world.clock.run(
      Promise.all(Array.from({ length: 8 }, (_, j) => ledger.append(policyEntry(`x${i + j}`)))),
    );
  await world.clock.advance(500);
  await append(world, ledger, policyEntry("last"));
  expect(ledger.receipt(index)).toBeUndefined();
  const last = ledger.receipt(ledger.head().size - 1) ?? "";
  expect(verifyReceipt(last, world.verifier).ok).toBe(true);
});

test("a large entry is in the log by digest, its content beside it, and verified with it", async () => {
  const world = new World(3);
  const ledger = await opened(world);
  await append(world, ledger, policyEntry("large", 80_000));
  await world.clock.run(ledger.close());
  const disk = world.disk.mount();
  expect(await revisions(world)).toMatchObject({ policy: 1 });
  const [name = ""] = await world.clock.run(disk.list("blobs")).then((r) => (r.ok ? r.value : []));
  await world.clock.run(disk.replace(`blobs/${name}`, Buffer.from("other")));
  expect((await world.verify()).findings).toMatchObject([{ code: "bad_entry", index: 1 }]);
  await world.clock.run(disk.remove(`blobs/${name}`));
  expect((await world.verify()).findings).toMatchObject([{ code: "bad_entry", index: 1 }]);
});

test("one log has one writer", async () => {
  const world = new World(4);
  const ledger = await opened(world);
  const second = await world.clock.run(world.open());
  expect(second).toMatchObject({ ok: false, error: { kind: "locked" } });
  await world.clock.run(ledger.close());
  expect(await ledger.append(policyEntry("late"))).toMatchObject({
    ok: false,
    error: { kind: "stopped" },
  });
  await world.clock.run((await opened(world)).close());
});

test("a key that is gone stops the ledger; nobody waits for ever", async () => {
  const world = new World(8);
  const ledger = await opened(world);
  Object.assign(world.signer, {
    sign: () => {
      throw new Error("the key is gone");
    },
  });
  const [first, second] = await world.clock.run(
    Promise.all([ledger.append(policyEntry("a")), ledger.append(policyEntry("b"))]),
  );
  expect([first, second]).toMatchObject([
    { ok: false, error: { kind: "failed", detail: expect.stringContaining("the key is gone") } },
    { ok: false, error: { kind: "failed" } },
  ]);
  expect(ledger.healthy()).toBe(false);
});

test("the queue is bounded: what does not fit was not recorded, and the next may fit", async () => {
  const world = new World(5);
  const ledger = await opened(world);
  const many = Array.from({ length: 17_000 }, (_, i) => ledger.append(policyEntry(`r${i}`)));
  const results = await world.clock.run(Promise.all(many));
  const full = results.filter((result) => !result.ok && result.error.kind === "full").length;
  expect(full).toBe(17_000 - 16_384);
  expect(ledger.healthy()).toBe(true);
  await append(world, ledger, policyEntry("after"));
  expect(ledger.head().size).toBe(1 + 16_384 + 1);
});

test("memory is bounded in bytes too: large entries wait for publication, and none is lost", async () => {
  const world = new World(9);
  const ledger = await opened(world);
  const large = Array.from({ length: 160 }, (_, i) => ledger.append(policyEntry(`l${i}`, 60_000)));
  const results = await world.clock.run(Promise.all(large));
  expect(results.every((result) => result.ok)).toBe(true);
  const none = await world.clock.run(
    Promise.all(Array.from({ length: 200 }, (_, i) => ledger.append(policyEntry(`m${i}`, 60_000)))),
  );
  expect(none.some((result) => !result.ok && result.error.kind === "full")).toBe(true);
  await world.clock.advance(1_000);
  expect(ledger.receipt(1)).toBeUndefined();
  await world.clock.run(ledger.close());
  expect((await world.verify()).findings).toEqual([]);
});

test("a damaged, foreign or incomplete log is refused, and nothing is changed", async () => {
  const tamperings: Readonly<Record<string, (world: World) => Promise<void>>> = {
    "a record in the middle": async (world) => {
      const disk = world.disk.mount();
      const path = segmentPath(0);
      const read = await disk.read(path);
      if (!read.ok) throw new Error(read.error.code);
      const bytes = Buffer.from(read.value);
      bytes[400] = (bytes[400] ?? 0) ^ 1;
      await disk.replace(path, bytes);
    },
    "another key": async (world) => {
      const thief = simSigner(world.signer.name, new Random(99));
      const entries = [Buffer.from("{}")];
      const tree = new HashTree();
      for (const entry of entries) tree.append(leafHash(entry));
      const checkpoint = signCheckpoint(1, tree.root(), thief);
      const record = encodeRecord({ first: 0, checkpoint, entries });
      await world.disk.mount().replace(segmentPath(0), record);
    },
    "entries gone": async (world) => {
      const disk = world.disk.mount();
      const read = await disk.read(segmentPath(0));
      if (!read.ok) throw new Error(read.error.code);
      await disk.remove(segmentPath(0));
      await disk.replace(segmentPath(7), read.value);
    },
  };
  for (const [what, tamper] of Object.entries(tamperings)) {
    const world = new World(6);
    const ledger = await opened(world);
    for (let i = 0; i < 5; i++) await append(world, ledger, policyEntry(`r${i}`));
    world.disk.crash();
    await world.clock.run(tamper(world));
    const operations = async (): Promise<unknown> =>
      world.clock.run(world.disk.mount().list("journal"));
    const before = await operations();
    const refused = await world.clock.run(world.open());
    expect(refused, what).toMatchObject({ ok: false, error: { kind: "damaged" } });
    expect(await operations()).toEqual(before);
  }
});

test("taking over: the first entry names the last checkpoint of the other instance", async () => {
  const world = new World(7);
  const previous = { origin: "gateway-0.example/log", checkpoint: "whatever it signed last" };
  const result = await world.clock.run(
    openLedger({
      disk: world.disk.mount(),
      signer: world.signer,
      clock: world.clock,
      tenant: "t",
      origin: { instance: "i-2", site: "b", epoch: 2 },
      holdfastVersion: "0.1.0",
      takesOver: previous,
    }),
  );
  if (!result.ok) throw new Error(result.error.detail);
  expect(await startOf(world, result.value)).toMatchObject({ previous, site: "b", epoch: 2 });
  const verifier = noteVerifier(world.signer.name, world.signer.publicKey);
  expect(openCheckpoint(result.value.head().checkpoint, verifier)).toMatchObject({ ok: true });
});

test("what is committed while others are published is published in its turn, also when nothing follows", async () => {
  const world = new World(8);
  const disk = world.disk.mount();
  const slow: typeof disk = {
    ...disk,
    replace: async (path, bytes) => {
      if (path === checkpointPath) await world.clock.sleep(100);
      return await disk.replace(path, bytes);
    },
  };
  const result = await world.clock.run(world.open(slow));
  if (!result.ok) throw new Error(result.error.detail);
  await append(world, result.value, policyEntry("r1"));
  await world.clock.advance(50);
  await append(world, result.value, policyEntry("r2"));
  await world.clock.advance(1_000);
  const file = await world.clock.run(disk.read(checkpointPath));
  if (!file.ok) throw new Error(file.error.code);
  const published = openCheckpoint(Buffer.from(file.value).toString(), world.verifier);
  expect(published).toMatchObject({ ok: true, value: { size: result.value.head().size } });
});
