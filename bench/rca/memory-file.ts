/** Memory of a set's incidents: built from labels, read from a file. */
import { readFileSync, writeFileSync } from "node:fs";
import {
  confirm,
  emptyMemory,
  type Memory,
  memoryText,
  readMemory,
} from "../../src/model/index.ts";
import type { OpenSet } from "./reader.ts";

/** Confirms what the labels say of the first `limit` cases, writes it, and says how many there were. */
export function learn(
  path: string,
  set: OpenSet,
  labels: Readonly<Record<string, unknown>>,
  limit: number,
): number {
  let memory = emptyMemory;
  for (const id of set.ids.slice(0, limit)) {
    const incident = set.confirmed?.(labels[id], set.read(id));
    if (incident !== undefined) memory = confirm(memory, incident);
  }
  writeFileSync(path, memoryText(memory));
  return memory.incidents.length;
}

export function loadMemory(path: string | undefined): Memory {
  if (path === undefined) return emptyMemory;
  const read = readMemory(readFileSync(path, "utf8"));
  if (!read.ok) throw new Error(`${path}: ${read.error}`);
  return read.value;
}
