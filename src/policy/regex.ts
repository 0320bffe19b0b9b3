/** Regular expressions of users, in RE2 syntax and linear time: the syntax and the search that OPA has. */
import { RE2JS } from "re2js";
import { err, ok, type Result } from "../kernel/index.ts";

export interface Search {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
  /** Longer texts are not to be searched: linear time is the size of the pattern times that of the text. */
  readonly charactersMax: number;
}

/** Steps of one search: below a second on the slowest patterns measured (100 ns a step). */
const stepsMax = 8_000_000;

/** The error is RE2's own word for what is wrong with the pattern. */
export function compileRegex(pattern: string): Result<Search, string> {
  try {
    const compiled = RE2JS.compile(pattern);
    const instructions = compiled.re2().numberOfInstructions();
    const charactersMax = Math.floor(stepsMax / Math.max(1, instructions));
    return ok({ test: (text) => compiled.test(text), charactersMax });
  } catch (thrown) {
    return err(thrown instanceof Error ? thrown.message : String(thrown));
  }
}
