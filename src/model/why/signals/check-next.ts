/** What a person looks at to tell whether the first cause is right. */
import { splitNodeId } from "../../graph-words.ts";
import type { Finding } from "../finding.ts";

const looks: Readonly<Record<string, string>> = {
  "compute.cpu": "its processor limit and throttling, and what else runs on its machine",
  "compute.memory": "its memory limit and whether it was killed for it",
  "network.delay": "the time of a bare connection to it from two of its callers' machines",
  "code.exception": "the stack of its new error, and what of it was deployed last",
  "code.result": "what it answers to one call by hand, and what of it was deployed last",
  "code.latency": "what it waits for: its locks, its pool of connections, its own dependencies",
};

/** Two causes this near each other in nats are told apart by a look at both. */
const nearNats = 1.5;

export function checkNext(findings: readonly Finding[]): string[] {
  const [first, second] = findings;
  if (first === undefined) return [];
  const near = second !== undefined && first.weight - second.weight < nearNats;
  return (near ? [first, second] : [first]).flatMap(({ node, kind }) => {
    const look = looks[kind];
    return look === undefined ? [] : [`${splitNodeId(node)?.name ?? node}: ${look}`];
  });
}
