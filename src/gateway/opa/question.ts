/** The input document of a stock OPA with our bundle, read strictly: what OPA would deny as no request is refused here. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
  type ToolId,
} from "../../kernel/index.ts";
import type { PolicyRequest } from "../../policy/index.ts";

type Check = (value: JsonValue) => string | undefined;

const text: Check = (value) =>
  typeof value === "string" && value !== "" ? undefined : "must be a string that is not empty";
const map: Check = (value) => (isJsonObject(value) ? undefined : "must be an object");
const texts: Check = (value) =>
  isJsonArray(value) && value.every((one) => typeof one === "string")
    ? undefined
    : "must be an array of strings";
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(String(value)) ? undefined : `must be one of ${words.join(", ")}`;
const toolId: Check = (value) => {
  const at = typeof value === "string" ? value.indexOf(":") : -1;
  return at > 0 && at < String(value).length - 1 ? undefined : "must be a tool id, server:tool";
};
/** Records tell agents apart by name alone, so nothing else may ask under the name of one. */
const agent: Check = (value) =>
  value === "agent" ? undefined : "must be agent: only agents are judged";
const optional =
  (check: Check): Check =>
  (value) =>
    value === absent ? undefined : check(value);

/** Stands for a member that is not there. No check but `optional` takes it. */
const absent: JsonValue = Object.freeze([null, "absent"]);

const checks: readonly (readonly [string, string, Check])[] = [
  ["subject", "type", agent],
  ["subject", "id", text],
  ["subject", "model", optional(text)],
  ["subject", "principal", optional(text)],
  ["subject", "tenant", optional(text)],
  ["subject", "delegation", texts],
  ["subject", "properties", map],
  ["action", "name", toolId],
  ["action", "effect", oneOf("read", "write")],
  ["action", "risk", oneOf("low", "high", "critical")],
  ["action", "properties", map],
  ["resource", "type", text],
  ["resource", "id", text],
  ["resource", "properties", map],
];

/** A `PolicyRequest`. The error names the first member that is wrong. */
export function readInput(input: JsonValue | undefined): Result<Question, string> {
  if (!isJsonObject(input)) return err("`input` must be an object");
  for (const part of ["subject", "action", "resource", "args", "context"])
    if (!isJsonObject(input[part])) return err(`\`input.${part}\` must be an object`);
  for (const [part, name, check] of checks) {
    const of = input[part] as JsonObject;
    const wrong = check(Object.hasOwn(of, name) ? (of[name] as JsonValue) : absent);
    if (wrong !== undefined) return err(`\`input.${part}.${name}\` ${wrong}`);
  }
  return ok(input as unknown as Question);
}

/** What was checked above. */
export type Question = PolicyRequest & { readonly action: { readonly name: ToolId } };
