/** Memory as JSON that people may read and keep in a file. */
import {
  err,
  instantMs,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  nearestWord,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import { type CauseKind, causeKinds } from "../cause-kind.ts";
import { splitNodeId } from "../graph-words.ts";
import type { ConfirmedIncident } from "./incident.ts";
import { confirm, emptyMemory, type Memory, memorySchema } from "./memory.ts";

const bytesMax = 64 * 1_048_576;

export function memoryText(memory: Memory): string {
  return `${JSON.stringify(memory, null, 1)}\n`;
}

/** The error says what is wrong and where: a JSON path. */
export function readMemory(text: string): Result<Memory, string> {
  const parsed = parseJsonStrict(new TextEncoder().encode(text), { bytesMax });
  if (!parsed.ok) return err(`the memory is not JSON: ${parsed.error.detail}`);
  const value = parsed.value;
  if (!isJsonObject(value) || value["schema"] !== memorySchema)
    return err(`$.schema is not ${memorySchema}: this is no memory, or one of another version`);
  const list = value["incidents"];
  if (!isJsonArray(list)) return err("$.incidents is no list");
  let memory = emptyMemory;
  for (const [i, each] of list.entries()) {
    const incident = readIncident(each, `$.incidents[${i}]`);
    if (!incident.ok) return incident;
    memory = confirm(memory, incident.value);
  }
  return ok(memory);
}

export function readIncident(value: JsonValue, at: string): Result<ConfirmedIncident, string> {
  if (!isJsonObject(value)) return err(`${at} is no object`);
  const id = value["id"];
  if (typeof id !== "string" || id === "") return err(`${at}.id is no text`);
  const kind = value["kind"];
  if (typeof kind !== "string" || !Object.hasOwn(causeKinds, kind))
    return err(`${at}.kind: ${String(kind)} is no kind of cause; ${kindsText(String(kind))}`);
  const node = value["node"];
  if (!isNode(node)) return err(`${at}.node: ${String(node)} is no node id, as service:cart`);
  const [when, confirmedAt] = [momentOf(value["at"]), momentOf(value["confirmedAt"])];
  if (when === undefined || confirmedAt === undefined)
    return err(
      `${at}.at and ${at}.confirmedAt are moments: 2026-05-04T10:12:00Z, or milliseconds since 1970`,
    );
  const lists = nodeLists(value, at);
  if (!lists.ok) return lists;
  return ok({
    id,
    at: when,
    confirmedAt,
    node,
    kind: kind as CauseKind,
    ...lists.value,
    ...texts(value),
  });
}

/** As text, or in milliseconds since 1970-01-01 UTC. */
export function momentOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === "string") return instantMs(value);
  return typeof value === "number" ? value : undefined;
}

function kindsText(given: string): string {
  const kinds = Object.keys(causeKinds);
  const meant = nearestWord(given, kinds);
  return meant === undefined ? `there are ${kinds.join(", ")}` : `did you mean ${meant}?`;
}

const isNode = (value: JsonValue | undefined): value is string =>
  typeof value === "string" && splitNodeId(value) !== undefined;

function nodeLists(
  value: JsonObject,
  at: string,
): Result<Pick<ConfirmedIncident, "chain" | "felt" | "served">, string> {
  const lists: Record<string, readonly string[]> = {};
  for (const name of ["chain", "felt", "served"]) {
    const list = value[name];
    if (list === undefined) continue;
    if (!isJsonArray(list) || !list.every(isNode))
      return err(`${at}.${name} is no list of node ids`);
    lists[name] = list;
  }
  return ok({ chain: [], ...lists });
}

function texts(value: JsonObject): Partial<ConfirmedIncident> {
  const [change, resolution, policy, confirmedBy] = [
    value["change"],
    value["resolution"],
    value["policy"],
    value["confirmedBy"],
  ];
  const expiresAt = momentOf(value["expiresAt"]);
  const share = value["share"];
  return {
    ...(isNode(change) ? { change } : {}),
    ...(typeof resolution === "string" ? { resolution } : {}),
    ...(typeof policy === "string" ? { policy } : {}),
    ...(typeof confirmedBy === "string" ? { confirmedBy } : {}),
    ...(expiresAt !== undefined ? { expiresAt } : {}),
    ...(typeof share === "number" ? { share } : {}),
  };
}
