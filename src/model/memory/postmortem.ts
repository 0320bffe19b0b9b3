/** What people wrote after an incident: the cause, the chain by which it was felt, what ended it. */
import type { CauseKind } from "../cause-kind.ts";
import type { NodeId } from "../graph-words.ts";
import type { ConfirmedIncident } from "./incident.ts";

export interface Link {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly because: string;
}

export interface Postmortem {
  readonly id: string;
  readonly title: string;
  /** When it was, where it says so. */
  readonly at?: number;
  readonly roots: readonly NodeId[];
  readonly chain: readonly Link[];
  /** Nodes that are one and the same thing to people, as a pod and its service. */
  readonly same: readonly (readonly NodeId[])[];
  readonly kind?: CauseKind;
  readonly resolution?: string;
  readonly policy?: string;
}

/** As memory; absent where it does not say what the cause was, since then nothing can be learned of it. */
export function incidentOf(
  postmortem: Postmortem,
  confirmed: { readonly at: number; readonly by: string },
): ConfirmedIncident | undefined {
  const { id, at, kind, chain, resolution, policy } = postmortem;
  const [node] = postmortem.roots;
  if (node === undefined || kind === undefined) return undefined;
  const felt = chain.map(({ to }) => to).filter((each) => each.startsWith("service:"));
  return {
    id,
    at: at ?? confirmed.at,
    confirmedAt: confirmed.at,
    node,
    kind,
    chain: [...new Set([node, ...chain.flatMap(({ from, to }) => [from, to])])],
    ...(felt.length === 0 ? {} : { felt: [...new Set(felt)].sort() }),
    ...(resolution === undefined ? {} : { resolution }),
    ...(policy === undefined ? {} : { policy }),
    confirmedBy: confirmed.by,
  };
}

/** Words of people, and the kind that they mean; the first that is found. */
const words: readonly (readonly [RegExp, CauseKind])[] = [
  [/certificate|x509|\btls\b.*expir/i, "external.certificate"],
  [/out[ -]of[ -]memory|\boom|memory (?:leak|limit|pressure)/i, "compute.memory"],
  [/feature flag|\bflag\b/i, "change.flag"],
  [/resource ?quota|quota/i, "quota.pods"],
  [
    /misconfigur|configmap|config(?:uration)? (?:change|error|value)|environment variable/i,
    "change.config",
  ],
  [/read[ -]?only/i, "database.read_only"],
  [/too many connections|connection (?:pool|limit)|connections? exhaust/i, "database.connections"],
  [/credential|password|access denied/i, "database.credentials"],
  [/unschedulable|node ?selector|cannot be scheduled/i, "schedule.node_selector"],
  [
    /image pull|imagepullbackoff|wrong image|image (?:tag|reference)|unsupported architecture/i,
    "image.reference",
  ],
  [/readiness probe/i, "probe.readiness_port"],
  [/liveness probe/i, "probe.liveness_timing"],
  [/scaled (?:down )?to (?:zero|0)|zero replicas/i, "schedule.replicas_zero"],
  [/network ?policy|packet loss|partition/i, "network.loss"],
  [/network (?:delay|latency)|http (?:delay|latency)/i, "network.delay"],
  [/\bdns\b|name resolution/i, "network.dns"],
  [/node failure|node (?:is )?not ready|kubelet/i, "host.kubelet"],
  [/cpu|throttl/i, "compute.cpu"],
  [/traffic|high number of (?:users|requests)|overload|flood/i, "external.traffic"],
  [/third[ -]party|provider|upstream outage/i, "external.provider"],
  [/migration|schema change/i, "change.migration"],
  [/deploy|release|commit|bug|regression|code/i, "change.code"],
];

export function kindInWords(text: string): CauseKind | undefined {
  return words.find(([pattern]) => pattern.test(text))?.[1];
}
