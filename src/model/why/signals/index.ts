/** Evidence from telemetry: what deviates from its own past, since when, and who cannot be explained by another. */
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Found } from "../finding.ts";
import { type Callees, calleesOf } from "./calls.ts";
import { explainAway } from "./explain.ts";
import { findingOf } from "./finding-of.ts";
import { seriesAnomalies } from "./series-anomalies.ts";
import { checkSymptom } from "./symptom-check.ts";
import { trafficAnomalies } from "./traffic-anomalies.ts";

export function signalEvidence(question: Case): Found {
  const { view, settings } = question;
  const callees: Callees = settings.without.has("topology") ? new Map() : calleesOf(view);
  const all = [...seriesAnomalies(question, callees), ...trafficAnomalies(question)];
  const { anomalies, ruledOut, symptomSeen } = checkSymptom(all, question, callees);
  const explained = explainAway(anomalies, callees).filter(
    ({ node }) => settings.without.has("types") || !isObserver(node),
  );
  return {
    findings: explained.map((each) => findingOf(each, question, callees)),
    ruledOut,
    ...(symptomSeen === undefined ? {} : { symptomSeen }),
  };
}

function isObserver(node: NodeId): boolean {
  return splitNodeId(node)?.kind === "observer";
}
