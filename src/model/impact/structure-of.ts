/** The part of the graph around a target in which a change to it could be felt. */
import type { View } from "../graph/index.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import type { Exercised } from "./exercised.ts";
import { type Exposure, servicesOn } from "./exposure.ts";
import type { Call, Structure } from "./relation.ts";

/** The nearest come first; of more nobody reads, and each costs as much as is remembered. */
const servicesMax = 200;

/** What is exposed, what it serves, and whom that asks. */
export function structureOf(view: View, exposed: Exposure, seen: Exercised): Structure {
  const servedBy = (node: NodeId) => (isAsked(view, node, seen) ? [node] : servicesOn(view, node));
  const served = servedBy(exposed.target);
  const asked = served.flatMap((from) =>
    view.edges({ from }).filter(({ kind }) => kind === "calls"),
  );
  const dependents = exposed.dependents.map(({ node }) => node).filter(isService);
  const all = new Set([...served, ...asked.map(({ to }) => to), ...dependents]);
  const services = new Set([...all].slice(0, servicesMax));
  const isSeen = seen.requests > 0;
  return {
    services: [...services].sort(),
    calls: [...services].flatMap((callee) => callsTo(view, callee, seen)),
    idle: new Set(isSeen ? [...services].filter((each) => !seen.calls.has(each)) : []),
    servedBy,
  };
}

const isService = (node: NodeId): boolean => splitNodeId(node)?.kind === "service";

/** A service, a database, a queue, a provider: who asks it waits for it. A configuration or a machine is waited for by what it serves. */
function isAsked(view: View, node: NodeId, seen: Exercised): boolean {
  if (isService(node) || seen.calls.has(node)) return true;
  return view.edges({ to: node }).some(({ kind }) => kind === "calls");
}

function callsTo(
  view: View,
  callee: NodeId,
  { calls, callers, requests }: Exercised,
): readonly Call[] {
  const seen = callers.get(callee);
  const told = view.edges({ to: callee }).filter(({ kind }) => kind === "calls");
  const all = new Set([...told.map(({ from }) => from), ...(seen?.keys() ?? [])]);
  return [...all].map((caller) => {
    const taken = [...(calls.get(caller)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
    // Of a caller of which nothing was seen, nothing is known: who does not know is careful.
    const part = requests === 0 || taken === 0 ? 1 : Math.min(1, (seen?.get(caller) ?? 0) / taken);
    return { caller, callee, part };
  });
}
