/** A node with trouble that no callee explains, as a finding that a person can follow. */
import type { Evidence } from "../../answer.ts";
import type { CauseKind } from "../../cause-kind.ts";
import { splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Finding } from "../finding.ts";
import type { Anomaly } from "./anomaly.ts";
import type { Callees } from "./calls.ts";
import type { Explained } from "./explain.ts";
import { pathOf } from "./path.ts";

/** More would not be read. */
const mostEvidence = 5;
/**
 * The one number that was fitted: how many nats one of strength is worth. Chosen on incidents with a kind of telemetry or a
 * window left out, so that of the answers given at 0.8 or more hardly any is wrong; see docs/root-cause.md.
 */
const natsPerStrength = 1.5;
/** A process that is short of something is slow and fails for it. */
const leastLoad = 1;

export function findingOf(
  explained: Explained,
  all: readonly Explained[],
  { symptom }: Case,
  callees: Callees,
): Finding {
  const { node, strength, anomalies } = explained;
  const onsets = anomalies.flatMap(({ onsetAt }) => onsetAt ?? []);
  return {
    node,
    // What is not ours has no code that we could look at.
    kind: splitNodeId(node)?.kind === "external" ? "external.provider" : kindOf(anomalies),
    weight: strength * natsPerStrength,
    onsetAt: onsets.length === 0 ? null : Math.min(...onsets),
    path: pathOf(callees, symptom.node, node, all),
    evidence: anomalies.slice(0, mostEvidence).map(evidenceOf),
  };
}

function kindOf(anomalies: readonly Anomaly[]): CauseKind {
  const load = anomalies.find(({ aspect, strength }) => aspect === "load" && strength >= leastLoad);
  return (load ?? anomalies[0])?.kind ?? "code.result";
}

function evidenceOf({ node, says, strength, onsetAt, origin }: Anomaly): Evidence {
  const about = { node, says, weight: strength, origin };
  return onsetAt === null ? about : { ...about, onsetAt };
}
