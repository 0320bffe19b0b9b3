/** Other names for nodes, in an incident and back in its answer. */
import { nodeId, splitNodeId } from "../../../src/model/index.ts";
import type { Random } from "../../../src/sim/index.ts";
import type { Incident } from "../reader.ts";

export type Names = ReadonlyMap<string, string>;

/** A name by lot for each node of its kind; the order of names says nothing then. */
export function namesFor({ events, symptom }: Incident, random: Random): Names {
  const nodes = new Set<string>(symptom.node === undefined ? [] : [symptom.node]);
  for (const event of events) {
    if (event.type === "traffic")
      for (const node of [event.caller, event.callee]) if (node) nodes.add(node);
    if (event.type === "edge") nodes.add(event.from).add(event.to);
    if ("node" in event) nodes.add(event.node);
  }
  const sorted = [...nodes].sort();
  return new Map(
    sorted.map((node) => [
      node,
      nodeId(splitNodeId(node)?.kind ?? "service", `n${random.next().toString(36)}`),
    ]),
  );
}

export const backwards = (names: Names): Names => new Map([...names].map(([a, b]) => [b, a]));

/** Every text that is just a node's name, at any depth. */
export function renamed<T>(value: T, names: Names): T {
  if (typeof value === "string") return (names.get(value) ?? value) as T;
  if (Array.isArray(value)) return value.map((each) => renamed(each, names)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, renamed(each, names)]),
  ) as T;
}
