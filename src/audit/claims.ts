/** Everything signed that says which root the log has at some size, compared with the roots it has. */
import { type Finding, finding } from "./finding.ts";
import { emptyRoot, sameHash } from "./tree.ts";

export interface Claim {
  /** For people. */
  readonly who: string;
  readonly size: number;
  readonly rootHash: Uint8Array;
  /** In the folder itself, or kept elsewhere. */
  readonly kept: "here" | "elsewhere";
}

export class Claims {
  readonly #claims: Claim[] = [];
  readonly #sizes = new Set<number>([0]);
  readonly #roots = new Map<number, Uint8Array>([[0, emptyRoot]]);

  add(claim: Claim): void {
    this.#claims.push(claim);
    this.#sizes.add(claim.size);
  }

  /** Told of every size that the log passes; asks for the root where a claim needs it. */
  reached(size: number, root: () => Uint8Array): void {
    if (this.#sizes.has(size)) this.#roots.set(size, root());
  }

  /** What contradicts the log of `size` entries, and between which entries the contradiction lies. */
  compare(size: number): Finding[] {
    const findings: Finding[] = [];
    const agreed: number[] = [];
    for (const claim of this.#claims.sort((a, b) => a.size - b.size)) {
      const root = this.#roots.get(claim.size);
      if (root === undefined) findings.push(beyond(claim, size));
      else if (sameHash(root, claim.rootHash)) agreed.push(claim.size);
      else findings.push(contradicts(claim, agreed.findLast((below) => below < claim.size) ?? 0));
    }
    return findings;
  }
}

function beyond({ who, size, kept }: Claim, end: number): Finding {
  const message = `${who} covers ${size} entries, the log has ${end}: entries ${end} to ${size - 1} are missing`;
  return finding(kept === "elsewhere" ? "rolled_back" : "missing_file", message, end);
}

function contradicts({ who, size, kept }: Claim, agreed: number): Finding {
  const message = `${who} has another root at ${size} entries: something in ${agreed} to ${size - 1} was changed`;
  return finding(kept === "elsewhere" ? "forked" : "root_differs", message, agreed);
}
