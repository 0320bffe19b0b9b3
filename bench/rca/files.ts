/** Files of incidents, plain or compressed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** The JSON of `<path>` or `<path>.gz`. */
export function readJson<T>(path: string): T {
  const packed = existsSync(`${path}.gz`);
  const bytes = packed ? gunzipSync(readFileSync(`${path}.gz`)) : readFileSync(path);
  try {
    return JSON.parse(bytes.toString("utf8")) as T;
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message}`);
  }
}

/** Names in `folder`, without the endings of JSON files, in one order. */
export function caseIds(folder: string): string[] {
  return readdirSync(join(folder, "cases"))
    .filter((name) => !name.startsWith("."))
    .map((name) => name.replace(/\.json(\.gz)?$/, ""))
    .sort();
}
