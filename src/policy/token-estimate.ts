/** How many tokens a call is taken to use: what the catalog says, or what one of its arguments does. */
import { err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { Report } from "./decode.ts";
import { formatFieldPath, valuesAt } from "./field-path.ts";
import type { TokenEstimate } from "./ir.ts";
import { readPath } from "./read-obligation.ts";
import type { SourceTool } from "./source.ts";
import type { Type } from "./types.ts";

export function readTokenEstimate(
  tool: SourceTool["value"],
  args: Type,
  report: Report,
): TokenEstimate | undefined {
  const { token_estimate: estimate, token_estimate_from: from } = tool;
  if (from === undefined) return estimate === undefined ? undefined : { estimate };
  const path = readPath(from, args, report);
  if (path?.includes("*"))
    report(from.at, { code: "bad-path", message: "this names one argument, without *" });
  if (!tool.given.has("token_estimate"))
    report(from.at, {
      code: "missing-field",
      message: "token_estimate_from needs token_estimate: what a call counts that does not say",
    });
  return estimate === undefined || path === undefined ? undefined : { estimate, from: path };
}

/** The error says which argument cannot be counted by. */
export function tokensOf(
  { estimate, from }: TokenEstimate,
  args: JsonObject,
): Result<number, string> {
  const [said] = from === undefined ? [] : valuesAt(args, from);
  if (from === undefined || said === undefined) return ok(estimate);
  if (typeof said === "number" && Number.isSafeInteger(said) && said >= 0) return ok(said);
  return err(`${formatFieldPath(from)} is no whole number, so its tokens cannot be counted`);
}
