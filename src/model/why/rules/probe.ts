/** Probes that fail though what they ask is well: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ */
import type { JsonObject } from "../../../kernel/index.ts";
import type { CauseKind } from "../../cause-kind.ts";
import type { Condition } from "../../event.ts";
import type { Finding } from "../finding.ts";
import { type Cluster, containersOf, healthOf, type Workload } from "./cluster.ts";
import { certain, findingOf, likely, strong } from "./finding-of.ts";
import { at, numberAt, objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";

type Side = "liveness" | "readiness" | "startup";
type Fault = "protocol" | "port" | "timing";

/** Of a failed readiness probe nobody is restarted; its timing only delays. */
const kinds: Readonly<Record<Side, Readonly<Record<Fault, CauseKind | undefined>>>> = {
  liveness: {
    protocol: "probe.liveness_protocol",
    port: "probe.liveness_port",
    timing: "probe.liveness_timing",
  },
  readiness: {
    protocol: "probe.readiness_protocol",
    port: "probe.readiness_port",
    timing: undefined,
  },
  // It kills as a liveness probe does, and is a part of it.
  startup: {
    protocol: "probe.liveness_protocol",
    port: "probe.liveness_port",
    timing: "probe.liveness_timing",
  },
};

export function probe(cluster: Cluster): readonly Finding[] {
  return cluster.workloads.flatMap((workload) => {
    const health = healthOf(cluster, workload);
    const failures = cluster.warnings(workload).filter(({ name }) => name === "Unhealthy");
    const sides: readonly Side[] = ["liveness", "readiness", "startup"];
    return sides.flatMap((side) => {
      const isHit = side === "readiness" ? !health.isReady : health.restarts > 0;
      const failure = failures.findLast(({ message }) => message.toLowerCase().startsWith(side));
      if (isHit && failures.length === 0) return silentlyKilled(cluster, workload, side);
      if (!isHit || failure === undefined) return [];
      return containersOf(workload.template).flatMap((container) =>
        faultOf(cluster, workload, container, side, failure),
      );
    });
  });
}

function faultOf(
  cluster: Cluster,
  workload: Workload,
  container: JsonObject,
  side: Side,
  failure: Condition,
): readonly Finding[] {
  const asked = objectAt(container, `${side}Probe`);
  if (Object.keys(asked).length === 0) return [];
  const path = `spec.template.spec.containers[${textAt(container, "name")}].${side}Probe`;
  const found =
    wrongPort(container, asked) ??
    wrongProtocol(container, asked, failure) ??
    (side !== "readiness" && wasKilled(cluster, workload)
      ? wrongTiming(cluster, asked)
      : undefined);
  const kind = found === undefined ? undefined : kinds[side][found.fault];
  if (found === undefined || kind === undefined) return [];
  return [
    findingOf({
      node: workload.node,
      kind,
      weight: found.weight,
      says: `${path} ${found.says}; the kubelet reports "${failure.message.slice(0, 160)}"`,
      origin: workload.origin,
      onsetAt: failure.at,
    }),
  ];
}

/**
 * Events are kept for an hour. What was killed from outside (SIGKILL, SIGTERM), and not for memory, with a probe that no
 * process can satisfy in time, was killed for that.
 */
function silentlyKilled(cluster: Cluster, workload: Workload, side: Side): readonly Finding[] {
  const kind = kinds[side].timing;
  const killed = workload.pods
    .flatMap(({ status }) => objectsAt(status, "containerStatuses"))
    .map((status) => objectAt(status, "lastState", "terminated"))
    .some(
      (ended) =>
        ["137", "143"].includes(textAt(ended, "exitCode")) &&
        textAt(ended, "reason") !== "OOMKilled",
    );
  if (kind === undefined || !killed) return [];
  return containersOf(workload.template).flatMap((container) => {
    const asked = objectAt(container, `${side}Probe`);
    const found = Object.keys(asked).length === 0 ? undefined : wrongTiming(cluster, asked);
    if (found === undefined) return [];
    const says = `spec.template.spec.containers[${textAt(container, "name")}].${side}Probe ${found.says}; its container was killed from outside, and no event says why any more`;
    return [
      findingOf({ node: workload.node, kind, weight: likely, says, origin: workload.origin }),
    ];
  });
}

/** The kubelet says so when it kills for a probe; what ended by itself was not given too little time. */
function wasKilled(cluster: Cluster, { pods }: Workload): boolean {
  return pods
    .flatMap(({ node }) => cluster.conditions(node))
    .some(({ name, message }) => name === "Killing" && /liveness|startup/i.test(message));
}

interface Found {
  readonly fault: Fault;
  readonly says: string;
  readonly weight: number;
}

const handlers = ["httpGet", "tcpSocket", "grpc"] as const;

function portOf(asked: JsonObject): string {
  const command = textsAt(asked, "exec", "command").join(" ");
  return (
    handlers.map((kind) => textAt(asked, kind, "port")).find((port) => port !== "") ??
    commandPort(command)
  );
}

/** A command that asks over the network names the port behind a colon, an option or a host. */
const commandPort = (command: string): string =>
  /(?::|\s-p\s?|--port[= ]|(?:localhost|127\.0\.0\.1)\s)(\d{2,5})\b/.exec(command)?.[1] ?? "";

/** A container may listen on ports that it does not list; that it lists some and not this one speaks against the probe. */
function wrongPort(container: JsonObject, asked: JsonObject): Found | undefined {
  const port = portOf(asked);
  const ports = objectsAt(container, "ports");
  const listens = ports.flatMap((each) => [textAt(each, "containerPort"), textAt(each, "name")]);
  if (port === "" || ports.length === 0 || listens.includes(port)) return undefined;
  const has = ports.map((each) => textAt(each, "containerPort")).join(", ");
  const says = `asks port ${port}, and the container listens on ${has}. Ask that one`;
  return { fault: "port", says, weight: certain };
}

/** What a server says to a client of another protocol. */
const foreign =
  /malformed HTTP|HTTP\/1\.x transport connection broken|server gave HTTP response to HTTPS|TLS handshake|does not look like a TLS|server preface|frame too large|Unimplemented|unknown service grpc\.health|does not implement the grpc health/i;

function wrongProtocol(
  container: JsonObject,
  asked: JsonObject,
  failure: Condition,
): Found | undefined {
  const mine = handlerOf(asked);
  const other = [objectAt(container, "readinessProbe"), objectAt(container, "livenessProbe")]
    .filter((each) => each !== asked)
    .map(handlerOf)
    .find((kind) => kind !== undefined && kind !== "exec" && kind !== mine);

  const isForeign = foreign.test(failure.message);
  // A connection speaks no protocol, and a command whichever it is made for.
  const isNeutral = (kind: string | undefined): boolean => kind === "tcpSocket" || kind === "exec";
  const disagrees = other !== undefined && !isNeutral(mine) && !isNeutral(other);
  if (!isForeign && !disagrees) return undefined;
  const beside = other === undefined ? "" : `, and its other probe asks by ${other}`;
  const says = `asks by ${mine}${beside}. Ask by the protocol that it speaks`;
  return { fault: "protocol", says, weight: isForeign ? certain : strong };
}

function handlerOf(asked: JsonObject): string | undefined {
  return [...handlers, "exec"].find((kind) => at(asked, kind) !== undefined);
}

/** Seconds from the start of a container until its probe has failed often enough to have it killed. */
function patienceSeconds(asked: JsonObject): number {
  const [delay, period, failures] = [
    numberAt(asked, "initialDelaySeconds") ?? 0,
    numberAt(asked, "periodSeconds") ?? 10,
    numberAt(asked, "failureThreshold") ?? 3,
  ];
  return delay + period * (failures - 1) + (numberAt(asked, "timeoutSeconds") ?? 1);
}

/** No process is started in so little time that a probe may give up within it. */
const patienceSecondsMin = 5;

function wrongTiming(cluster: Cluster, asked: JsonObject): Found | undefined {
  const mine = patienceSeconds(asked);
  const peers = cluster.workloads
    .flatMap((workload) => containersOf(workload.template))
    .map((container) => objectAt(container, "livenessProbe"))
    .filter((each) => each !== asked && Object.keys(each).length > 0)
    .map(patienceSeconds)
    .sort((a, b) => a - b);
  const usual = peers[Math.floor(peers.length / 2)] ?? patienceSecondsMin;
  if (mine >= Math.max(patienceSecondsMin, usual / 2)) return undefined;
  const says = `gives up ${mine} s after a start; half of its peers wait ${usual} s or longer. Raise initialDelaySeconds or failureThreshold, or add a startupProbe`;
  return { fault: "timing", says, weight: strong };
}
