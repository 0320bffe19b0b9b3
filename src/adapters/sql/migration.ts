/** Numbered steps of a schema. A step that was released never changes; a new one follows it. */
import { err, ok, type Result } from "../../kernel/index.ts";

export interface Migration {
  /** From 1, without gaps. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * The steps still to run on a database that has run those up to `applied`. The error is a sentence: a database of a
 * newer Holdfast is never touched.
 */
export function missingMigrations(
  all: readonly Migration[],
  applied: number,
): Result<readonly Migration[], string> {
  const newest = all.at(-1)?.number ?? 0;
  if (applied > newest)
    return err(
      `its schema is at step ${applied}, and this Holdfast knows ${newest}: use the Holdfast that wrote it, or a newer one`,
    );
  return ok(all.filter(({ number }) => number > applied));
}
