/** Evidence from typed Kubernetes objects: what is written contradicts itself, its peers or the cluster, and hurts. */
import type { Step } from "../../answer.ts";
import type { EvidenceSource, Finding } from "../finding.ts";
import { address } from "./address.ts";
import { asItStood } from "./as-it-stood.ts";
import { Cluster } from "./cluster.ts";
import { outOfMemory, portConflict, scaledToNothing } from "./container-life.ts";
import { database } from "./database.ts";
import { failing } from "./failing.ts";
import { feltPath } from "./felt-path.ts";
import type { Rule } from "./finding-of.ts";
import { gatewayRoute } from "./gateway-route.ts";
import { host, schedulerSilent } from "./host.ts";
import { identity } from "./identity.ts";
import { image } from "./image.ts";
import { load } from "./load.ts";
import { nameResolution } from "./name-resolution.ts";
import { probe } from "./probe.ts";
import { quota } from "./quota.ts";
import { reported } from "./reported.ts";
import { routing } from "./routing.ts";
import { schedule } from "./schedule.ts";
import { secret } from "./secret.ts";
import { volume } from "./volume.ts";

const rules: readonly Rule[] = [
  host,
  schedulerSilent,
  quota,
  identity,
  schedule,
  image,
  volume,
  secret,
  probe,
  outOfMemory,
  portConflict,
  scaledToNothing,
  routing,
  address,
  gatewayRoute,
  nameResolution,
  database,
  reported,
];

export const ruleEvidence: EvidenceSource = ({ view, settings, symptom }) => {
  if (settings.without.has("types")) return { findings: [] };
  const cluster = new Cluster(view);
  // Measurements from before and after tell of time.
  const moved = settings.without.has("time") ? [] : load(cluster, view);
  const ruled = rules.flatMap((rule) => rule(cluster));
  const dated = settings.without.has("time") ? ruled : asItStood(view, rules, ruled);
  const found = [...dated, ...moved];
  const felt = (finding: Finding): readonly Step[] => feltPath(cluster, finding.node, symptom.node);
  return {
    findings: [
      ...found.map((finding) => {
        const path = felt(finding);
        return { ...finding, path, explains: [finding.node, ...path.map(({ to }) => to)] };
      }),
      // A place without a cause explains nothing away.
      ...failing(cluster, found).map((finding) => ({
        ...finding,
        path: felt(finding),
        explains: [],
      })),
    ],
  };
};
