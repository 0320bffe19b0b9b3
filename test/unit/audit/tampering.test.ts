/** Every way to tamper with a log, at random places in random logs; and what no checkpoint can show. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  encodeEntry,
  type Finding,
  formatProof,
  inclusionProof,
  verifyLog,
} from "../../../src/audit/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { decisionEntry, outcomeEntry, startEntry } from "../ledger/entries.ts";
import {
  checkpointOf,
  type Files,
  filesOf,
  type Leaves,
  leavesOf,
  readerOf,
  thief,
  treeOf,
  verifier,
} from "./log-folder.ts";

async function findings(
  files: Files,
  checkpoints: readonly string[] = [],
): Promise<readonly Finding[]> {
  return (await verifyLog({ files: readerOf(files), verifier, checkpoints })).findings;
}

/** The entries of `changed` under the tiles and the checkpoint of `original`. */
async function bundlesOf(changed: Leaves, original: Leaves): Promise<Files> {
  const files = await filesOf(original);
  const bundles = await filesOf(changed);
  const isBundle = (path: string): boolean => path.startsWith("tile/entries/");
  for (const path of [...files.keys()].filter(isBundle)) {
    // The bundle keeps its name, whatever the attacker put inside.
    const [index] = path.split(".p/");
    const found = [...bundles.keys()].find((other) => other.split(".p/")[0] === index);
    files.set(path, bundles.get(found ?? "") ?? new Uint8Array(0));
  }
  return files;
}

const forged = encodeEntry(decisionEntry("call-forged", "deny")).bytes;

const changes = {
  edit: (leaves: Leaves, at: number) => leaves.with(at, forged),
  insert: (leaves: Leaves, at: number) => leaves.toSpliced(at, 0, forged),
  delete: (leaves: Leaves, at: number) => leaves.toSpliced(at, 1),
  duplicate: (leaves: Leaves, at: number) => leaves.toSpliced(at + 1, 0, leaves[at] ?? forged),
  reorder: (leaves: Leaves, at: number) => {
    const other = at === 0 ? 1 : at - 1;
    return leaves.with(at, leaves[other] ?? forged).with(other, leaves[at] ?? forged);
  },
};
type Change = keyof typeof changes;

/** A log of up to three bundles, and a place in it. */
const places = fc
  .integer({ min: 4, max: 600 })
  .chain((count) =>
    fc.record({ count: fc.constant(count), at: fc.integer({ min: 0, max: count - 1 }) }),
  );
const anyChange = fc.constantFrom(...(Object.keys(changes) as Change[]));

test("an untouched log verifies, with every checkpoint and receipt kept of it", async () => {
  const property = fc.asyncProperty(places, async ({ count, at }) => {
    const leaves = leavesOf(count);
    const tree = treeOf(leaves);
    const receipt = formatProof({
      index: at,
      proof: inclusionProof(at, count, tree.node),
      checkpoint: checkpointOf(leaves),
      ...{ extra: leaves[at] ?? forged },
    });
    const files = readerOf(await filesOf(leaves));
    const checkpoints = [checkpointOf(leaves.slice(0, at + 1))];
    const report = await verifyLog({ files, verifier, checkpoints, receipts: [receipt] });
    expect(report.findings).toEqual([]);
  });
  await fc.assert(property, { numRuns: runsOf(40) });
});

test("entries changed in place are found without any evidence, and the first one is named", async () => {
  const property = fc.asyncProperty(places, anyChange, async ({ count, at }, change) => {
    const leaves = leavesOf(count);
    const changed = changes[change](leaves, at);
    const found = await findings(await bundlesOf(changed, leaves));
    const first = changed.findIndex((leaf, i) => leaf !== leaves[i]);
    const touched = first < 0 ? changed.length : first;
    expect(found).toContainEqual(
      expect.objectContaining({ severity: "tampered", code: "entry_differs", index: touched }),
    );
  });
  await fc.assert(property, { numRuns: runsOf(80) });
});

test("re-hashed without the key: every tile fits, the signature does not", async () => {
  const property = fc.asyncProperty(places, anyChange, async ({ count, at }, change) => {
    const leaves = leavesOf(count);
    const changed = changes[change](leaves, at);
    const otherKey = await filesOf(changed, checkpointOf(changed, thief));
    expect((await findings(otherKey)).map(({ code }) => code)).toContain("bad_checkpoint");
    const oldSignature = await filesOf(changed, checkpointOf(leaves));
    expect((await findings(oldSignature)).some(({ severity }) => severity === "tampered")).toBe(
      true,
    );
  });
  await fc.assert(property, { numRuns: runsOf(40) });
});

test("truncate and rollback: only a checkpoint kept elsewhere shows them, and says what is missing", async () => {
  const property = fc.asyncProperty(places, async ({ count, at }) => {
    const leaves = leavesOf(count);
    const kept = leaves.slice(0, at + 1);
    const rolledBack = await filesOf(kept);
    expect(await findings(rolledBack)).toEqual([]);
    expect(await findings(rolledBack, [checkpointOf(kept)])).toEqual([]);
    const cut = leaves.slice(0, Math.max(at + 2, 2));
    if (cut.length === kept.length) return;
    expect(await findings(rolledBack, [checkpointOf(cut)])).toContainEqual(
      expect.objectContaining({ severity: "tampered", code: "rolled_back", index: kept.length }),
    );
  });
  await fc.assert(property, { numRuns: runsOf(40) });
});

test("fork with the stolen key: found by a checkpoint after the touched entry, by none before", async () => {
  const property = fc.asyncProperty(places, async ({ count, at }) => {
    const leaves = leavesOf(count);
    const other = encodeEntry(decisionEntry("call-other", "deny")).bytes;
    const replaced = leaves.with(
      at,
      at === 0 ? encodeEntry({ ...startEntry(), holdfast: "9" }).bytes : other,
    );
    const forkedFiles = await filesOf(replaced);
    const codes = async (checkpoints: readonly string[]): Promise<string[]> =>
      (await findings(forkedFiles, checkpoints)).map(({ code }) => code);
    expect(await codes([])).not.toContain("forked");
    if (at > 0) expect(await codes([checkpointOf(leaves.slice(0, at))])).not.toContain("forked");
    expect(await codes([checkpointOf(leaves.slice(0, at + 1))])).toContain("forked");
    expect(await codes([checkpointOf(leaves)])).toContain("forked");
  });
  await fc.assert(property, { numRuns: runsOf(40) });
});

test("a file taken away is named", async () => {
  const property = fc.asyncProperty(places, fc.nat(), async ({ count }, which) => {
    const files = await filesOf(leavesOf(count));
    const paths = [...files.keys()];
    const path = paths[which % paths.length] ?? "";
    files.delete(path);
    const found = await findings(files);
    expect(found.some(({ severity }) => severity !== "note")).toBe(true);
    expect(found.map(({ message }) => message).join()).toContain(path.split(".p")[0]);
  });
  await fc.assert(property, { numRuns: runsOf(40) });
});

test("a record of calls that contradicts itself is found even when signed", async () => {
  const calls = [
    [outcomeEntry("call-never", 0)],
    [decisionEntry("call-a"), decisionEntry("call-a")],
    [decisionEntry("call-a"), outcomeEntry("call-a", 1), outcomeEntry("call-a", 1)],
    [decisionEntry("call-a", "deny"), outcomeEntry("call-a", 1)],
    [decisionEntry("call-a"), outcomeEntry("call-a", 7)],
  ];
  for (const entries of calls) {
    const leaves = [startEntry(), ...entries].map((entry) => encodeEntry(entry).bytes);
    const found = await findings(await filesOf(leaves));
    expect(found).toEqual([expect.objectContaining({ code: "call_order", index: entries.length })]);
  }
});
