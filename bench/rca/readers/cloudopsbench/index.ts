/** Faults put into two example shops on Kubernetes, told by what the usual tools print. */
import { join } from "node:path";
import { type NodeId, splitNodeId, type WhyAnswer } from "../../../../src/model/index.ts";
import { caseIds, readJson } from "../../files.ts";
import type { Incident, OpenSet, Prediction, Scores } from "../../reader.ts";
import type { CloudOpsCase } from "./case.ts";
import { tellCluster } from "./cluster-state.ts";
import { faultType } from "./fault-types.ts";
import { tellTelemetry } from "./telemetry.ts";
import { Teller } from "./teller.ts";

interface Label {
  readonly system: string;
  readonly category: string;
  readonly fault_object: string;
  readonly root_cause: string;
  readonly unseen_type?: boolean;
}

export function cloudOpsBench(folder: string): OpenSet<Label> {
  return {
    ids: caseIds(folder),
    read: (id) => incidentOf(readJson<CloudOpsCase>(join(folder, "cases", `${id}.json`))),
    predict,
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

function predict(answer: WhyAnswer): Prediction {
  const ranking = answer.causes.flatMap((cause) => {
    const object = objectOf(cause.node);
    const type = object === undefined ? undefined : faultType(cause.kind, object);
    return object === undefined || type === undefined ? [] : [{ object, cause: type }];
  });
  return { ranking };
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
  };
}
