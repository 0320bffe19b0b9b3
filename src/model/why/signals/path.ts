/** How trouble came from a cause to where it was noticed. */
import type { Step } from "../../answer.ts";
import type { NodeId } from "../../graph-words.ts";
import { type Callees, reachableFrom, wayTo } from "./calls.ts";
import type { Explained } from "./explain.ts";

/** From the cause up the calls to the symptom's node; where none was named, to the outermost caller that suffers most. */
export function pathOf(
  callees: Callees,
  symptom: NodeId | undefined,
  cause: NodeId,
  all: readonly Explained[],
): Step[] {
  const end = symptom ?? outermostAbove(callees, cause, all);
  const way = end === undefined ? [] : (wayTo(callees, end, cause)?.toReversed() ?? []);
  return way.slice(1).map((to, at) => {
    const seen = all.find(({ node }) => node === to)?.anomalies[0]?.says;
    const because =
      seen === undefined ? "it calls, and nothing of it was measured" : `it calls, and ${seen}`;
    return { from: way[at] ?? cause, to, edge: "calls", because };
  });
}

function outermostAbove(
  callees: Callees,
  cause: NodeId,
  all: readonly Explained[],
): NodeId | undefined {
  const called = new Set([...callees.values()].flatMap((each) => [...each]));
  const suffers = new Map(all.map(({ node, inherited }) => [node, inherited]));
  return [...callees.keys()]
    .filter((node) => !called.has(node) && reachableFrom(callees, node).has(cause))
    .sort((a, b) => (suffers.get(b) ?? 0) - (suffers.get(a) ?? 0) || (a < b ? -1 : 1))[0];
}
