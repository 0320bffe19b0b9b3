/** Regular expressions of users, in RE2 syntax and linear time: the syntax and the search that OPA has. */
import { RE2JS } from "re2js";
import { err, ok, type Result } from "../kernel/index.ts";

/** Finds the pattern anywhere in the text. */
export type Search = (text: string) => boolean;

/** The error is RE2's own word for what is wrong with the pattern. */
export function compileRegex(pattern: string): Result<Search, string> {
  try {
    const compiled = RE2JS.compile(pattern);
    return ok((text) => compiled.test(text));
  } catch (thrown) {
    return err(thrown instanceof Error ? thrown.message : String(thrown));
  }
}
