/** Reads an OpenAPI document from a file, as a value. What it means is read by the gateway's HTTP tools. */
import { readFile } from "node:fs/promises";
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { parseSource, sourceValue } from "../../policy/index.ts";

/**
 * `.json` is read as JSON, everything else as YAML. The error is a sentence with the place. JSON here is lenient about
 * numbers (published documents name 2^63 as a maximum): the document is the operator's choice and only describes.
 */
export async function readOpenApiFile(path: string): Promise<Result<JsonObject, string>> {
  try {
    const text = await readFile(path, "utf8");
    const value = path.endsWith(".json") ? (JSON.parse(text) as JsonValue) : fromYaml(path, text);
    return isJsonObject(value) ? ok(value) : err(`${path}: an OpenAPI document is an object`);
  } catch (thrown) {
    return err(`${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

/** Throws at the first fault. */
function fromYaml(path: string, text: string): JsonValue {
  const { root, diagnostics } = parseSource(path, text);
  const [first] = diagnostics;
  if (first !== undefined) throw new Error(`${first.line}:${first.column}: ${first.message}`);
  return root === undefined ? null : (sourceValue(root, () => undefined) ?? null);
}
