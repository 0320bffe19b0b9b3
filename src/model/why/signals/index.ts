/** Evidence from telemetry: what deviates from its own past, since when, and who cannot be explained by another. */
import type { RuledOut } from "../../answer.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Found } from "../finding.ts";
import { calleesOf } from "./calls.ts";
import { checkNext } from "./check-next.ts";
import { type Explained, explainAway } from "./explain.ts";
import { findingOf } from "./finding-of.ts";
import { checkOperation, type OperationCheck } from "./operation-check.ts";
import { seriesAnomalies } from "./series-anomalies.ts";
import { checkSymptom } from "./symptom-check.ts";
import { trafficAnomalies } from "./traffic-anomalies.ts";

/** What is left of less than this was explained. */
const leastLeft = 0.05;

export function signalEvidence(question: Case): Found {
  const { view, settings } = question;
  const callees = calleesOf(view);
  const measured = [...seriesAnomalies(question, callees), ...trafficAnomalies(question)];
  const { anomalies, ruledOut, ...checked } = checkSymptom(measured, question, callees);
  const asked = checkOperation(question);
  const symptomSeen = asked?.isUsual === undefined ? checked.symptomSeen : !asked.isUsual;
  const all = explainAway(anomalies, callees);
  const findings = all
    .filter(({ node }) => settings.without.has("types") || !isObserver(node))
    .map((each) => findingOf(each, all, question, callees));
  return {
    findings,
    ruledOut: [...usual(question.symptom.node, asked), ...all.flatMap(reasonAgainst), ...ruledOut],
    checkNext: [
      ...checkNext(findings),
      ...(asked !== undefined && asked.isUsual === undefined ? [asked.says] : []),
    ],
    ...(symptomSeen === undefined ? {} : { symptomSeen }),
  };
}

function usual(node: NodeId | undefined, asked: OperationCheck | undefined): RuledOut[] {
  return node !== undefined && asked?.isUsual === true ? [{ node, because: asked.says }] : [];
}

function isObserver(node: NodeId): boolean {
  return splitNodeId(node)?.kind === "observer";
}

function reasonAgainst({ node, strength, by, anomalies }: Explained): RuledOut[] {
  if (isObserver(node)) return [{ node, because: "it is a view of another, and causes nothing" }];
  const says = anomalies[0]?.says ?? "";
  return by !== null && strength < leastLeft
    ? [{ node, because: `${by}, which it calls, explains what is seen of it: ${says}` }]
    : [];
}
