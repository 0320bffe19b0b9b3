/** How far an answer's chain agrees with the one that people wrote down. */
import type { Cause } from "../answer.ts";
import { type NodeId, splitNodeId } from "../graph-words.ts";
import type { Postmortem } from "./postmortem.ts";

export interface ChainMatch {
  /** The answer's cause is the root that people name. */
  readonly isRoot: boolean;
  /** Of the answer's steps, those that people name; of theirs, those that the answer has. */
  readonly precision: number;
  readonly recall: number;
}

/** Steps are compared by what they join, whatever stands between in one chain and not in the other is not forgiven. */
export function chainMatch(cause: Cause, postmortem: Postmortem): ChainMatch {
  const nameOf = namesOf(postmortem);
  const step = ({ from, to }: { from: NodeId; to: NodeId }): string =>
    `${nameOf(from)} ${nameOf(to)}`;
  const isStep = (text: string): boolean => text.split(" ")[0] !== text.split(" ")[1];
  const answered = new Set(cause.path.map(step).filter(isStep));
  const written = new Set(postmortem.chain.map(step).filter(isStep));
  const both = [...answered].filter((each) => written.has(each)).length;
  return {
    isRoot: postmortem.roots.some((root) => nameOf(root) === nameOf(cause.node)),
    precision: answered.size === 0 ? 0 : both / answered.size,
    recall: written.size === 0 ? 0 : both / written.size,
  };
}

/** A service, its workload and its pods are one name; so is what the postmortem says is the same. */
function namesOf({ same }: Postmortem): (node: NodeId) => string {
  const bare = (node: NodeId): string => splitNodeId(node)?.name.split("/").at(-1) ?? node;
  const first = new Map<string, string>();
  for (const nodes of same) for (const node of nodes) first.set(bare(node), bare(nodes[0] ?? node));
  return (node) => first.get(bare(node)) ?? bare(node);
}
