/** What a set of public test vectors is, and what can come of one of its cases. */

/** `declined`: valid by its standard, and not taken here. Fine only when the reviewed list says why. */
export type Case =
  | { readonly id: string; readonly verdict: "passed" | "refused" }
  | { readonly id: string; readonly verdict: "failed"; readonly detail: string }
  | { readonly id: string; readonly verdict: "declined"; readonly because: string };

export interface VectorSet {
  /** The word in the table, in `--set` and in the reviewed list. */
  readonly name: string;
  /** Where it lies below the folder of all vectors: a file or a folder. */
  readonly path: string;
  /** Where it comes from, and which code of ours it runs through. */
  readonly source: string;
  /** Every case, in a stable order. `path` is absolute or relative to the working directory. */
  run(path: string): Promise<readonly Case[]> | readonly Case[];
}

/** A valid case that gave what it must give. */
export function passed(id: string): Case {
  return { id, verdict: "passed" };
}

/** An invalid case that was refused. */
export function refused(id: string): Case {
  return { id, verdict: "refused" };
}

export function failed(id: string, detail: string): Case {
  return { id, verdict: "failed", detail };
}

/** A valid case that is refused here, or needs what Holdfast does not have; `because` is one word for it. */
export function declined(id: string, because: string): Case {
  return { id, verdict: "declined", because };
}

/** For a case that says only whether it is valid. `refusal` is the code we refused it with, absent when accepted. */
export function judged(id: string, valid: boolean, refusal: string | undefined): Case {
  if (valid) return refusal === undefined ? passed(id) : declined(id, refusal);
  return refusal === undefined ? failed(id, "is invalid and was accepted") : refused(id);
}
