/** The texts of a verification, with what they stand for at one site and in one round of questions. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { Verification } from "./verification.ts";

export interface Filling {
  readonly site: string;
  readonly nonce: string;
  /** Of the site. `site` and `nonce` are ours and cannot be among them. */
  readonly variables: Readonly<Record<string, string>>;
}

/** `{{name}}` stands for the text `{name}`; braces around anything that is no name stand for themselves. */
const placeholder = /\{\{([A-Za-z_][\w-]*)\}\}|\{([A-Za-z_][\w-]*)\}/g;

/**
 * Replaces `{site}`, `{nonce}` and the variables of the site in every text, once: what comes in is not looked at again. Names of
 * members stay as they are. The error names the place (a JSON path) and the name that nothing is known of.
 */
export function fillVerification(
  verification: Verification,
  filling: Filling,
): Result<Verification, string> {
  const known = new Map([
    ...Object.entries(filling.variables),
    ["site", filling.site],
    ["nonce", filling.nonce],
  ] as const);
  const unknown: string[] = [];
  const fill = (value: JsonValue, path: string): JsonValue => {
    if (typeof value === "string")
      return value.replace(placeholder, (whole, literal?: string, name = "") => {
        if (literal !== undefined) return `{${literal}}`;
        const filled = known.get(name);
        if (filled === undefined) unknown.push(`${path}: nothing is known of {${name}}`);
        return filled ?? whole;
      });
    if (isJsonArray(value)) return value.map((item, at) => fill(item, `${path}[${at}]`));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, fill(item, `${path}.${name}`)]),
    );
  };
  const filled = fill(verification as unknown as JsonValue, "verify");
  if (unknown.length === 0) return ok(filled as unknown as Verification);
  const names = [...known.keys()].map((name) => `{${name}}`).sort();
  return err(`${unknown.join("; ")}. Known at site ${filling.site}: ${names.join(", ")}`);
}
