/** Faults put into two example shops on Kubernetes, told by what the usual tools print. */
import { join } from "node:path";
import {
  type ConfirmedIncident,
  likelyFelt,
  type Memory,
  type NodeId,
  nodeId,
  splitNodeId,
  type Trouble,
  type WhyAnswer,
  waitingShare,
  whoFeels,
} from "../../../../src/model/index.ts";
import { caseIds, readJson } from "../../files.ts";
import type { Incident, OpenSet, Prediction, Scores } from "../../reader.ts";
import type { CloudOpsCase } from "./case.ts";
import { tellCluster } from "./cluster-state.ts";
import { causeKindOf, faultType } from "./fault-types.ts";
import { structureOf, type Told } from "./structure.ts";
import { tellTelemetry } from "./telemetry.ts";
import { Teller } from "./teller.ts";

interface Label {
  readonly system: string;
  readonly category: string;
  readonly fault_object: string;
  readonly root_cause: string;
  readonly unseen_type?: boolean;
  readonly alerting_services?: readonly string[];
}

export function cloudOpsBench(folder: string): OpenSet<Label> {
  return {
    ids: caseIds(folder),
    read: (id) => incidentOf(readJson<CloudOpsCase>(join(folder, "cases", `${id}.json`))),
    predict: (answer, incident, memory) => ({
      ...predict(answer),
      blast: blastOf(answer, incident, memory),
    }),
    confirmed,
    score,
    groups: (label) => [
      `system ${label.system}`,
      `${label.system} ${label.category}`,
      `type ${label.root_cause}`,
    ],
  };
}

function incidentOf(given: CloudOpsCase): Incident {
  const now = collectedAt(given);
  const teller = new Teller(given.id, now);
  tellCluster(given, teller);
  tellTelemetry(given, teller);
  return { id: given.id, events: teller.events, symptom: { at: now, text: given.query } };
}

/** The latest heartbeat of a node; the cases bear no time of their own. */
function collectedAt(given: CloudOpsCase): number {
  const texts = Object.values(given.k8s.describe["nodes"] ?? {});
  const times = texts
    .flatMap((text) => [...text.matchAll(/RenewTime:\s+(.+)/g)])
    .map(([, time = ""]) => Date.parse(time))
    .filter((ms) => !Number.isNaN(ms));
  return Math.max(0, ...times);
}

/** Kinds that the set has no name for are left out; where nothing else is found, the object is still told. */
function predict(answer: WhyAnswer): Prediction {
  const all = answer.causes.flatMap((cause) => {
    const object = objectOf(cause.node);
    return object === undefined ? [] : [{ object, cause: faultType(cause.kind, object) }];
  });
  const ranking = all.filter(({ cause }) => cause !== undefined);
  if (ranking.length > 0) return { ranking };
  return { ranking: all.map(({ object }) => ({ object, cause: "unknown" })) };
}

/** Who alerted is not looked at: it is predicted from structure and memory. */
function blastOf(answer: WhyAnswer, { events }: Incident, memory: Memory): readonly string[] {
  const [cause] = answer.causes;
  if (cause === undefined) return [];
  const told = structureOf(events);
  const feelings = whoFeels(told.structure, measured(cause, told), memory);
  return likelyFelt(feelings).map((service) => splitNodeId(service)?.name ?? service);
}

function measured({ node, kind }: Trouble, { structure, entries }: Told): Trouble {
  const share = waitingShare(structure, { node, kind }, entries);
  return {
    node,
    kind,
    served: structure.servedBy(node),
    ...(share === undefined ? {} : { share }),
  };
}

function confirmed(label: Label, { id, symptom, events }: Incident): ConfirmedIncident | undefined {
  const [kind, node] = [causeKindOf(label.root_cause), nodeOf(label.fault_object, events)];
  if (kind === undefined) return undefined;
  const felt = (label.alerting_services ?? []).map((name) => nodeId("service", name));
  return {
    id,
    at: symptom.at,
    confirmedAt: symptom.at,
    ...measured({ node, kind }, structureOf(events)),
    chain: [],
    ...(felt.length === 0 ? {} : { felt }),
  };
}

/** A label names an app, a node or a namespace by its name alone. */
function nodeOf(object: string, events: Incident["events"]): NodeId {
  const [type = "", name = ""] = object.split("/");
  if (type === "node") return nodeId("host", name);
  if (type === "namespace") return nodeId("namespace", name);
  const workload = events.find(
    (event) =>
      event.type === "node" &&
      event.node.startsWith("workload:") &&
      event.node.endsWith(`/${name}`),
  );
  return workload?.type === "node" ? workload.node : nodeId("service", name);
}

function objectOf(node: NodeId): string | undefined {
  const { kind, name } = splitNodeId(node) ?? {};
  if (kind === "host") return `node/${name}`;
  if (kind === "namespace") return `namespace/${name}`;
  if (kind === "workload") return `app/${name?.split("/")[1]}`;
  return kind === "service" ? `app/${name}` : undefined;
}

function score(prediction: Prediction, label: Label): Scores {
  const ranking = (prediction["ranking"] ?? []) as readonly { object: string; cause: string }[];
  const at = ranking.findIndex(
    ({ object, cause }) => object === label.fault_object && cause === label.root_cause,
  );
  return {
    top1: Number(at === 0),
    top3: Number(at >= 0 && at < 3),
    object1: Number(ranking[0]?.object === label.fault_object),
    ...blastScores(prediction["blast"] as readonly string[], label.alerting_services ?? []),
  };
}

function blastScores(predicted: readonly string[], actual: readonly string[]): Scores {
  if (actual.length === 0) return {};
  const hits = actual.filter((service) => predicted.includes(service)).length;
  const all = new Set([...predicted, ...actual]).size;
  return { blast: hits / all, blastRecall: hits / actual.length };
}
