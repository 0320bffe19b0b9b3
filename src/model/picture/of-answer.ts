/** The chain from a cause to its symptom as a picture: what changed, what broke, how it travelled, and when. */
import { instantText } from "../../kernel/index.ts";
import type { Cause, Step, Symptom, WhyAnswer } from "../answer.ts";
import { causeKinds } from "../cause-kind.ts";
import type { NodeId } from "../graph-words.ts";
import { splitNodeId } from "../graph-words.ts";
import type { Emphasis, Picture, PictureEdge, PictureNode } from "./picture.ts";

/** Beside the first cause, so many others are drawn. */
const othersMax = 2;

/** The first cause with its path; the next ones, each where its own path joins. */
export function pictureOfAnswer(answer: WhyAnswer, symptom: Symptom): Picture {
  const shown = answer.causes.slice(0, 1 + othersMax);
  const nodes = new Map<NodeId, PictureNode>();
  const edges = new Map<string, PictureEdge>();
  const put = (id: NodeId, emphasis: Emphasis, note: string): void => {
    if (!nodes.has(id)) nodes.set(id, pictureNode(id, emphasis, note));
  };
  shown.forEach((cause, place) => {
    const { change } = cause;
    if (change !== undefined && change !== cause.node)
      put(change, place === 0 ? "change" : "context", "");
    put(cause.node, place === 0 ? "cause" : "context", causeNote(cause));
    for (const step of cause.path) addStep(step, place === 0);
    if (change === undefined || change === cause.node) return;
    if (cause.path.some(({ from }) => from === change)) return;
    edges.set(
      `${change} ${cause.node}`,
      edge(change, cause.node, "changed_by", place === 0, "brought by it"),
    );
  });
  if (symptom.node !== undefined) put(symptom.node, "symptom", signalText(symptom));
  function addStep(step: Step, isOnPath: boolean): void {
    for (const id of [step.from, step.to])
      put(
        id,
        id === symptom.node ? "symptom" : isOnPath ? "path" : "context",
        id === symptom.node ? signalText(symptom) : "",
      );
    const key = `${step.from} ${step.to}`;
    if (!edges.has(key))
      edges.set(key, edge(step.from, step.to, step.edge, isOnPath, step.because));
  }
  return {
    title: titleOf(answer, symptom),
    moment: `as of ${instantText(symptom.at)}`,
    nodes: [...nodes.values()],
    edges: [...edges.values()],
    omitted: answer.causes.length - shown.length,
  };
}

function pictureNode(id: NodeId, emphasis: Emphasis, note: string): PictureNode {
  const parts = splitNodeId(id);
  return { id, kind: parts?.kind ?? "unknown", name: parts?.name ?? id, emphasis, note };
}

function edge(
  from: NodeId,
  to: NodeId,
  kind: PictureEdge["kind"],
  isOnPath: boolean,
  note: string,
): PictureEdge {
  return { from, to, kind, isOnPath, note };
}

function causeNote(cause: Cause): string {
  const since = cause.onsetAt === null ? "" : `, since ${clockText(cause.onsetAt)}`;
  return `${Math.round(cause.confidence * 100)} %${since}: ${causeKinds[cause.kind]}`;
}

/** The time of day in UTC, to the second. */
function clockText(atMs: number): string {
  return `${instantText(atMs).slice(11, 19)}Z`;
}

function signalText(symptom: Symptom): string {
  return `${symptom.signal ?? "trouble"} at ${clockText(symptom.at)}`;
}

function titleOf(answer: WhyAnswer, symptom: Symptom): string {
  const about = symptom.node ?? symptom.text ?? "the symptom";
  if (answer.verdict === "none") return `Nothing is wrong with ${about}`;
  if (answer.verdict === "insufficient") return `Not enough is known to explain ${about}`;
  return `Why ${about}`;
}
