/** Incidents with commits, deploys and flags, of which most are innocent: which commit was it, if any. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  type Cause,
  isExternal,
  type NodeId,
  remedyOf,
  splitNodeId,
  troubledServices,
  type WhyAnswer,
} from "../../../../src/model/index.ts";
import type { Incident, OpenSet, Prediction, Scores } from "../../reader.ts";
import { eventsOf, serviceNode } from "./events.ts";

interface Label {
  readonly root_cause_commit: string;
  readonly first_failing_service: string;
  readonly blast_radius: readonly string[];
  readonly remediation: string;
  readonly decoy_deploy_commits?: readonly string[];
  readonly difficulty: string;
}

export function rootCauseBench(folder: string): OpenSet<Label> {
  const cases = join(folder, "cases");
  return {
    ids: readdirSync(cases)
      .filter((name) => !name.startsWith("."))
      .sort(),
    read: (id) => incidentOf(join(cases, id), id),
    predict,
    score,
    groups: (label) => [
      label.root_cause_commit === "none" ? "no code cause" : "a commit did it",
      `difficulty ${label.difficulty}`,
    ],
  };
}

function incidentOf(folder: string, id: string): Incident {
  const { events, alert } = eventsOf(folder, id);
  const node = serviceNode(alert.service);
  return { id, events, symptom: { at: Date.parse(alert.fired_at), node, text: alert.summary } };
}

/** The first cause that names a commit, or that no commit explains; a flag is none of this set's answers. */
function predict(answer: WhyAnswer, { events, symptom }: Incident): Prediction {
  const cause = answer.causes.find(
    ({ change, kind }) =>
      isExternal(kind) || kind.startsWith("host.") || splitNodeId(change ?? "")?.kind === "commit",
  );
  const service = symptom.node ?? "";
  const blast = troubledServices(events, symptom).filter((node) => node !== service);
  return {
    commit: commitOf(cause),
    first_failing_service: nameOf(service),
    blast_radius: blast.map(nameOf),
    remediation: cause === undefined ? "rollback" : remedyOf(cause),
  };
}

function commitOf(cause: Cause | undefined): string {
  const change = splitNodeId(cause?.change ?? "");
  return change?.kind === "commit" ? change.name : "none";
}

const nameOf = (node: NodeId): string => splitNodeId(node)?.name ?? node;

function score(prediction: Prediction, label: Label): Scores {
  const commit = String(prediction["commit"]);
  const blast = new Set(prediction["blast_radius"] as readonly string[]);
  const actual = new Set(label.blast_radius);
  const both = [...actual].filter((name) => blast.has(name)).length;
  const all = new Set([...actual, ...blast]).size;
  return {
    top1: Number(commit === label.root_cause_commit),
    decoy: Number((label.decoy_deploy_commits ?? []).includes(commit)),
    first: Number(prediction["first_failing_service"] === label.first_failing_service),
    blast: all === 0 ? 1 : both / all,
    remediation: Number(prediction["remediation"] === label.remediation),
  };
}
