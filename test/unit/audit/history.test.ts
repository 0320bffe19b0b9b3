/** What the entries of a log say of one another: runs continue, calls are told once; and how a difference is described. */
import { expect, test } from "vitest";
import {
  CallTrail,
  type Entry,
  emptyRoot,
  encodeEntry,
  formatProof,
  inclusionProof,
  type LogReport,
  leafHash,
  type StartEntry,
  signCheckpoint,
  verifyLog,
} from "../../../src/audit/index.ts";
import {
  decisionEntry,
  outcomeEntry,
  policyEntry,
  searchEntry,
  startEntry,
} from "../ledger/entries.ts";
import {
  checkpointOf,
  type Files,
  filesOf,
  type Leaves,
  leavesOf,
  readerOf,
  signer,
  thief,
  treeOf,
  verifier,
} from "./log-folder.ts";

const encoded = (entries: readonly Entry[]): Leaves =>
  entries.map((each) => encodeEntry(each).bytes);

async function reportOf(entries: readonly Entry[]): Promise<LogReport> {
  return verifyLog({ files: readerOf(await filesOf(encoded(entries))), verifier });
}
const messages = async (files: Files, evidence: object = {}): Promise<readonly string[]> =>
  (await verifyLog({ files: readerOf(files), verifier, ...evidence })).findings.map(
    ({ code, index, message }) => `${code}@${index ?? "-"}: ${message}`,
  );
const found = async (entries: readonly Entry[]): Promise<readonly string[]> =>
  messages(await filesOf(encoded(entries)));

/** A start entry that continues the log of these entries. */
function restart(before: readonly Entry[], changed: Partial<StartEntry> = {}): StartEntry {
  const previous = { origin: signer.name, checkpoint: checkpointOf(encoded(before)) };
  return { ...startEntry(), previous, ...changed };
}

test("a log begins with a start, and each further start continues what precedes it", async () => {
  expect(await found([policyEntry("r1")])).toEqual([
    "bad_start@0: the first entry is no start entry",
  ]);
  const run = [startEntry(), policyEntry("r1")];
  expect(await found([...run, restart(run)])).toEqual([]);
  const bad = async (start: StartEntry): Promise<string> =>
    (await found([...run, start])).join().replace("bad_start@2: entry 2: ", "");
  expect(await bad(startEntry())).toBe("it names no previous checkpoint");
  expect(await bad(restart(run.slice(0, 1)))).toBe(
    "its previous checkpoint has 1 entries, 2 precede it",
  );
  expect(await bad(restart([startEntry(), policyEntry("other")]))).toBe(
    "its previous checkpoint has another root",
  );
  const stolen = { origin: signer.name, checkpoint: checkpointOf(encoded(run), thief) };
  expect(await bad(restart(run, { previous: stolen }))).toMatch(
    /^its previous checkpoint: not signed by the key of/,
  );
  const unknown = "its list of unknown calls is not that of the entries before it";
  expect(await bad(restart(run, { unknown_calls: ["call-x"] }))).toBe(unknown);
  const takenOver = { origin: "elsewhere.example", checkpoint: "of another key" };
  expect(await found([restart([], { previous: takenOver })])).toEqual([]);
});

test("calls without an outcome are open, and unknown once their run has ended", async () => {
  const run = [
    startEntry(),
    decisionEntry("a"),
    decisionEntry("b", "sanitize"),
    decisionEntry("c", "deny"),
  ];
  const open = (call: string, index: number) => ({
    call,
    index,
    agentId: "agent-1",
    tool: "files:read",
  });
  expect(await reportOf(run)).toMatchObject({
    ok: true,
    openCalls: [open("a", 1), open("b", 2)],
    unknownCalls: [],
    counts: { start: 1, allow: 1, sanitize: 1, deny: 1 },
  });
  const unknown =
    "bad_start@4: entry 4: its list of unknown calls is not that of the entries before it";
  expect(await found([...run, restart(run, { unknown_calls: ["a"] })])).toEqual([unknown]);
  expect(await found([...run, restart(run, { unknown_calls: ["a", "c"] })])).toEqual([unknown]);
  const second = [...run, restart(run, { unknown_calls: ["b", "a"] })];
  const settled = [...second, outcomeEntry("a", 1), decisionEntry("d")];
  expect(await reportOf(settled)).toMatchObject({
    ok: true,
    openCalls: [open("d", 6)],
    unknownCalls: [open("b", 2)],
  });
});

test("faces that forward nothing leave no call open", () => {
  const trail = new CallTrail();
  for (const [i, face] of (["authzen", "opa"] as const).entries())
    expect(trail.next(i, { ...decisionEntry(`c${i}`), face })).toEqual([]);
  expect(trail.open).toEqual([]);
  trail.next(2, { ...decisionEntry("c2"), face: "http" });
  expect(trail.open.map(({ call }) => call)).toEqual(["c2"]);
});

test("contradictions about a call name the call and the entries", async () => {
  const about = async (...entries: readonly Entry[]): Promise<string> =>
    (await found([startEntry(), ...entries]))
      .join()
      .replace(/^call_order@(\d+): entry \1: /, "$1: ");
  expect(await about(outcomeEntry("a", 0))).toBe("1: outcome of call a, which no entry decided");
  expect(await about(decisionEntry("a"), decisionEntry("a"))).toBe(
    "2: call a was already decided by entry 1",
  );
  expect(await about(decisionEntry("a"), outcomeEntry("a", 1), outcomeEntry("a", 1))).toBe(
    "3: a second outcome of call a, or one of a refused call",
  );
  expect(await about(decisionEntry("a"), outcomeEntry("a", 7))).toBe(
    "2: names decision 7; call a was decided by 1",
  );
});

test("policies, searches, the kill switch and large entries say nothing of calls", () => {
  const trail = new CallTrail();
  for (const [i, entry] of [policyEntry("r1"), searchEntry("c1")].entries())
    expect(trail.next(i, entry)).toEqual([]);
  expect(trail.next(2, { ...policyEntry("r1"), kind: "kill" } as unknown as Entry)).toEqual([]);
  const stub = JSON.parse(Buffer.from(encodeEntry(policyEntry("r1", 66_000)).bytes).toString());
  expect(trail.next(1, stub)).toEqual([]);
});

const leaves = leavesOf(600);

/** The message about a bundle whose entries were changed under the old tiles. */
async function described(changed: Leaves): Promise<string> {
  const files = await filesOf(leaves.slice(0, 6));
  const bundle = (await filesOf(changed)).get(`tile/entries/000.p/${changed.length}`);
  files.set("tile/entries/000.p/6", bundle ?? new Uint8Array(0));
  return (await messages(files)).find((each) => each.startsWith("entry_differs")) ?? "nothing";
}

test("what was done to a bundle is guessed in words", async () => {
  const [a, b, c, d, e, f] = leaves.slice(0, 6) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const x = encodeEntry(policyEntry("x")).bytes;
  const of = async (...changed: Leaves): Promise<string> =>
    (await described(changed)).replace("entry_differs@", "");
  expect(await of(a, b, x, d, e, f)).toBe("2: entry 2 was edited");
  expect(await of(a, b, x, c, d, e, f)).toBe("2: entry 2 was inserted");
  expect(await of(a, b, a, c, d, e, f)).toBe("2: entry 2 is a duplicate put in");
  expect(await of(a, b, c, d, e, f, x)).toBe("6: entry 6 was inserted");
  expect(await of(a, b, c, d, e, f, a)).toBe("6: entry 6 is a duplicate put in");
  expect(await of(a, b, d, e, f)).toBe("2: entry 2 was deleted, and the next stands in its place");
  expect(await of(a, b, c, d, e)).toBe("5: entry 5 is missing");
  expect(await of(a, b, a, d, e, f)).toBe(
    "2: entry 2 was overwritten by a duplicate of an earlier one",
  );
  expect(await of(a, b, e, d, c, f)).toBe("2: entry 2 was moved");
});

test("tiles that are missing, cut or not made of their entries are named, with the entry they begin at", async () => {
  const fresh = (): Promise<Files> => filesOf(leaves);
  const changed = async (path: string, bytes?: Uint8Array): Promise<readonly string[]> => {
    const files = await fresh();
    if (bytes === undefined) files.delete(path);
    else files.set(path, bytes);
    return messages(files);
  };
  const tile = (await fresh()).get("tile/1/000.p/2") ?? new Uint8Array(0);
  expect(await messages(await fresh())).toEqual([]);
  expect(await changed("tile/1/000.p/2")).toEqual(["missing_file@0: tile/1/000.p/2: ENOENT"]);
  const unlike = "tile_differs@0: tile/1/000.p/2 is not made of its entries";
  expect(await changed("tile/1/000.p/2", tile.with(40, (tile[40] ?? 0) ^ 1))).toEqual([unlike]);
  expect(await changed("tile/1/000.p/2", tile.subarray(0, 32))).toEqual([unlike]);
  expect(await changed("tile/1/000.p/2", Buffer.concat([tile, tile]))).toEqual([unlike]);
  expect(await changed("tile/0/001")).toEqual(["missing_file@256: tile/0/001: ENOENT"]);
  expect(await changed("tile/0/001", tile)).toEqual([
    "tile_differs@256: tile/0/001 does not have 256 hashes",
  ]);
  expect(await changed("tile/entries/001")).toContainEqual(
    "missing_file@256: tile/entries/001 cannot be read (ENOENT)",
  );
  const files = await fresh();
  files.delete("tile/entries/001");
  files.delete("tile/0/001");
  expect((await messages(files)).slice(0, 2)).toEqual([
    "missing_file@256: tile/entries/001 cannot be read (ENOENT)",
    "missing_file@256: tile/0/001: ENOENT",
  ]);
});

test("evidence kept elsewhere: each piece is named by its number", async () => {
  const files = await filesOf(leaves.slice(0, 6));
  const proofOf = (all: Leaves, index: number): string =>
    formatProof({
      index,
      proof: inclusionProof(index, all.length, treeOf(all).node),
      checkpoint: checkpointOf(all),
      ...{ extra: all[index] ?? new Uint8Array(0) },
    });
  const good = proofOf(leaves.slice(0, 6), 2);
  expect(
    await messages(files, { receipts: [good], checkpoints: [checkpointOf(leaves.slice(0, 3))] }),
  ).toEqual([]);
  expect(await messages(files, { checkpoints: [checkpointOf(leaves.slice(0, 3)), "x"] })).toEqual([
    "unreadable@-: retained checkpoint 2: the note has no signature block",
  ]);
  expect(await messages(files, { receipts: [good, "x"] })).toEqual([
    "unreadable@-: receipt 2 proves nothing: no empty line before the checkpoint",
  ]);
  expect(await messages(files, { receipts: [proofOf(leaves.slice(0, 9), 7)] })).toEqual([
    "rolled_back@6: receipt 1 (entry 7) covers 9 entries, the log has 6: entries 6 to 8 are missing",
  ]);
  const fork = leaves.slice(0, 6).with(4, encodeEntry(policyEntry("fork")).bytes);
  expect(
    await messages(files, { checkpoints: [checkpointOf(leaves.slice(0, 3)), checkpointOf(fork)] }),
  ).toEqual([
    "forked@3: retained checkpoint 2 has another root at 6 entries: something in 3 to 5 was changed",
  ]);
});

test("evidence is weighed by size, in whatever order it comes; a checkpoint of nothing agrees with every log", async () => {
  const files = await filesOf(leaves.slice(0, 6));
  const fork = leaves.slice(0, 5).with(4, encodeEntry(policyEntry("fork")).bytes);
  const checkpoints = [
    checkpointOf(fork),
    checkpointOf(leaves.slice(0, 3)),
    signCheckpoint(0, emptyRoot, signer),
  ];
  expect(await messages(files, { checkpoints })).toEqual([
    "forked@3: retained checkpoint 1 has another root at 5 entries: something in 3 to 4 was changed",
  ]);
  expect(await messages(files, { checkpoints: [checkpointOf(fork)] })).toEqual([
    "forked@0: retained checkpoint 1 has another root at 5 entries: something in 0 to 4 was changed",
  ]);
});

test("a tree forgets whole tiles that no later proof needs, and nothing else", () => {
  const tree = treeOf(leaves);
  tree.forgetBefore(255);
  expect(tree.node(0, 0)).toEqual(leafHash(leaves[0] ?? new Uint8Array(0)));
  tree.forgetBefore(300);
  expect(() => tree.node(0, 255)).toThrow("node 255 of level 0 is kept (size 600)");
  expect(tree.node(0, 256)).toEqual(leafHash(leaves[256] ?? new Uint8Array(0)));
  expect(tree.root()).toEqual(treeOf(leaves).root());
  tree.forgetBefore(100);
  expect(tree.node(0, 256)).toEqual(leafHash(leaves[256] ?? new Uint8Array(0)));
});

test("every finding says what to do; further ones than a hundred say nothing new", async () => {
  const none: Entry[] = [startEntry(), ...Array.from({ length: 150 }, () => outcomeEntry("a", 0))];
  const { findings, ok } = await reportOf(none);
  expect([findings.length, ok]).toEqual([100, false]);
  expect(new Set(findings.map(({ action }) => action))).toEqual(
    new Set(["look at the call with `holdfast audit show --call`"]),
  );
});

test("malformed entries are named and passed over; each entry is handed on with its place", async () => {
  const bad = leaves.slice(0, 4).with(1, Buffer.from("{}"));
  const files = readerOf(await filesOf(bad));
  const seen: unknown[] = [];
  const onEntry = (index: number, leaf: Uint8Array, entry: Entry | undefined): void =>
    void seen.push([index, leaf.length, entry?.kind]);
  const report = await verifyLog({ files, verifier, onEntry });
  expect(report.findings).toMatchObject([
    { code: "bad_entry", index: 1, message: "entry 1: format version undefined is not known" },
  ]);
  expect(seen).toEqual(
    bad.map((leaf, i) => [i, leaf.length, ["start", undefined, "decision", "outcome"][i]]),
  );
  const opaque = await verifyLog({ files, verifier, entries: "opaque" });
  expect(opaque).toMatchObject({ ok: true, size: 4, counts: {} });
});
