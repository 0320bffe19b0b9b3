/** RFC 6962 trees: inclusion and consistency proofs, checked by `audit/tree.ts` and made anew by `HashTree`. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  consistencyProof,
  HashTree,
  inclusionProof,
  leafHash,
  sameHash,
  verifyConsistency,
  verifyInclusion,
} from "../../src/audit/index.ts";
import { type Case, declined, failed, judged, type VectorSet } from "./case.ts";

interface Vector {
  readonly wantErr: boolean;
  readonly proof?: readonly string[] | null;
  readonly root?: string;
  readonly leafHash?: string;
  readonly leafIdx?: number;
  readonly treeSize?: number;
  readonly root1?: string;
  readonly root2?: string;
  readonly size1?: number;
  readonly size2?: number;
  readonly start?: number;
  readonly end?: number;
  readonly size?: number;
}

export const merkle: VectorSet = {
  name: "merkle-rfc6962",
  path: "merkle-rfc6962",
  source: "the `testdata` of github.com/transparency-dev/merkle",
  run: (path) => {
    const tree = referenceTree();
    return globSync("**/*.json", { cwd: path })
      .sort()
      .map((file) => {
        const vector = JSON.parse(readFileSync(join(path, file), "utf8")) as Vector;
        const id = file.replace(/\.json$/, "");
        if ((vector.start ?? 0) !== 0) return declined(id, "subtree");
        return vector.leafHash === undefined
          ? consistency(id, vector, tree)
          : inclusion(id, vector, tree);
      });
  },
};

/** A subtree from 0 to `end` is the tree of `end` leaves. */
function inclusion(id: string, vector: Vector, tree: HashTree): Case {
  const index = vector.leafIdx ?? 0;
  const size = vector.treeSize ?? vector.end ?? 0;
  const [leaf, root, proof] = [hash(vector.leafHash), hash(vector.root), hashes(vector.proof)];
  const accepted = verifyInclusion({ index, size, leaf, root, proof });
  if (!vector.wantErr && accepted && size <= tree.size && sameHash(root, tree.root(size))) {
    if (!same(inclusionProof(index, size, tree.node), proof))
      return failed(id, "the proof we make is another one");
  }
  return judged(id, !vector.wantErr, accepted ? undefined : "refused");
}

function consistency(id: string, vector: Vector, tree: HashTree): Case {
  const first = vector.size1 ?? vector.end ?? 0;
  const second = vector.size2 ?? vector.size ?? 0;
  const [firstRoot, secondRoot] = [hash(vector.root1), hash(vector.root2)];
  const proof = hashes(vector.proof);
  const accepted = verifyConsistency({ first, second, firstRoot, secondRoot, proof });
  if (
    !vector.wantErr &&
    accepted &&
    second <= tree.size &&
    sameHash(secondRoot, tree.root(second))
  ) {
    if (!same(consistencyProof(first, second, tree.node), proof))
      return failed(id, "the proof we make is another one");
  }
  const refusal = first === 0 ? "empty_first_tree" : "refused";
  return judged(id, !vector.wantErr, accepted ? undefined : refusal);
}

/** The eight leaves that the tests of Certificate Transparency have used from the beginning. */
function referenceTree(): HashTree {
  const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
  const tree = new HashTree();
  for (const leaf of [...leaves, "606162636465666768696a6b6c6d6e6f"])
    tree.append(leafHash(Buffer.from(leaf, "hex")));
  return tree;
}

function hash(text = ""): Uint8Array {
  return Buffer.from(text, "base64");
}

function hashes(texts: readonly string[] | null | undefined): Uint8Array[] {
  return (texts ?? []).map(hash);
}

function same(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((each, i) => sameHash(each, b[i] ?? new Uint8Array()));
}
