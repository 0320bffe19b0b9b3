/** A node with trouble that no callee explains, as a finding that a person can follow. */
import type { Evidence, Step } from "../../answer.ts";
import type { NodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import { type Callees, wayTo } from "./calls.ts";
import type { Explained } from "./explain.ts";

/** More would not be read. */
const mostEvidence = 5;

export function findingOf(
  { node, strength, anomalies }: Explained,
  { symptom }: Case,
  callees: Callees,
): Finding {
  const evidence = anomalies.slice(0, mostEvidence).map(
    ({ says, strength: weight, onsetAt, origin }): Evidence => ({
      node,
      says,
      weight,
      origin,
      ...(onsetAt === null ? {} : { onsetAt }),
    }),
  );
  const onsets = anomalies.flatMap(({ onsetAt }) => onsetAt ?? []);
  return {
    node,
    kind: anomalies[0]?.kind ?? "code.result",
    weight: strength,
    onsetAt: onsets.length === 0 ? null : Math.min(...onsets),
    path: symptom.node === undefined ? [] : pathOf(callees, symptom.node, node),
    evidence,
  };
}

function pathOf(callees: Callees, symptom: NodeId, cause: NodeId): Step[] {
  const way = wayTo(callees, symptom, cause)?.toReversed() ?? [];
  return way.slice(1).map((to, at) => ({
    from: way[at] ?? cause,
    to,
    edge: "calls",
    because: "a caller waits for its callee and gets its errors",
  }));
}
