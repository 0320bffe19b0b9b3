/** Proofs that are read from tiles are those of the tree the tiles were made of. */
import { expect, test } from "vitest";
import {
  HashTree,
  type LogFiles,
  leafHash,
  readConsistencyProof,
  readInclusionProof,
  tilePath,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
} from "../../../src/audit/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";

const tree = new HashTree();
const leaf = (index: number): Uint8Array => leafHash(Buffer.from(`entry ${index}`));
const size = 66_200;
for (let index = 0; index < size; index++) tree.append(leaf(index));

/** The tiles of the tree at that size, as they are published; what was read is kept. */
function published(at: number): { readonly files: LogFiles; readonly read: string[] } {
  const tiles = new Map<string, Uint8Array>();
  for (const level of [0, 1, 2])
    for (const { index, width } of tilesOf(level, at))
      tiles.set(tilePath({ level, index, width }), tree.tile(level, index, width));
  const read: string[] = [];
  const files: LogFiles = {
    read: async (path) => {
      read.push(path);
      const bytes = tiles.get(path);
      return bytes === undefined ? err({ kind: "not_found", code: "ENOENT", path }) : ok(bytes);
    },
    list: async () => ok([]),
  };
  return { files, read };
}

test("inclusion: at every size that matters, of the first, the last and others", async () => {
  for (const at of [1, 2, 255, 256, 257, 1_000, 65_536, 65_537, size]) {
    const { files, read } = published(at);
    for (const index of new Set([0, Math.floor(at / 3), Math.max(0, at - 2), at - 1])) {
      const proof = await readInclusionProof(files, index, at);
      if (!proof.ok) throw new Error(proof.error);
      const claim = { index, size: at, root: tree.root(at), proof: proof.value };
      expect(verifyInclusion({ ...claim, leaf: leaf(index) })).toBe(true);
      expect(verifyInclusion({ ...claim, leaf: leaf(index + 1) })).toBe(false);
    }
    expect(read.length).toBeLessThan(40);
  }
});

test("consistency: from every size that matters to a later one", async () => {
  for (const [first, second] of [
    [1, 2],
    [255, 256],
    [256, 300],
    [300, 65_536],
    [65_535, 65_537],
    [65_536, size],
    [size, size],
  ] as const) {
    const proof = await readConsistencyProof(published(second).files, first, second);
    if (!proof.ok) throw new Error(proof.error);
    const roots = { firstRoot: tree.root(first), secondRoot: tree.root(second) };
    expect(verifyConsistency({ first, second, ...roots, proof: proof.value })).toBe(true);
  }
});

test("tiles that are missing or cut are named", async () => {
  const { files } = published(1_000);
  const without: LogFiles = {
    ...files,
    read: async (path) =>
      path === "tile/1/000.p/3" ? err({ kind: "failed", code: "EIO", path }) : files.read(path),
  };
  expect(await readInclusionProof(without, 900, 1_000)).toEqual({
    ...{ ok: false, error: "tile/1/000.p/3 cannot be read (EIO)" },
  });
  const cut: LogFiles = {
    ...files,
    read: async (path) => {
      const found = await files.read(path);
      return found.ok ? ok(found.value.subarray(1)) : found;
    },
  };
  expect(await readInclusionProof(cut, 900, 1_000)).toMatchObject({
    error: expect.stringContaining("does not have"),
  });
});
