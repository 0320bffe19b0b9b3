/**
 * What telemetry says of who sent it: which workload a service is, where it runs, and which version. Every request says it
 * again; it is told when it is news, and from time to time, so that the model grows with what changes and not with traffic.
 */
import type { JsonValue } from "../../kernel/index.ts";
import { kubernetesNodeId, type NodeId, nodeId } from "../../model/index.ts";
import { at, listAt } from "./members.ts";
import { attributesOf, firstOf, microsecondsAt, serviceOf } from "./otlp-resource.ts";
import { nameOf, type SourceDocument, type Teller } from "./source.ts";

/** That nothing is news is told so often: an edge is known to have been there until then. */
const repeatMs = 10 * 60_000;
/** While two versions run beside each other, each is told so often: which of them is left is known a little later. */
const alternateMs = 60_000;

/** By what is said (`version` of a service), what was last told of it, and of each value when. */
export type LastSenders = Map<string, LastSaid>;

interface LastSaid {
  readonly value: string;
  readonly toldAt: ReadonlyMap<string, number>;
}

interface Saying {
  readonly reference: string;
  readonly when: number;
  /** A service has one version at a time; where it runs can be several places. */
  readonly about: string;
  readonly value: string;
  readonly says: Parameters<Teller["tell"]>[2];
}

/** `last` is read, and kept up for the next. */
export function tellSenders(
  teller: Teller,
  documents: readonly SourceDocument[],
  last: LastSenders,
): void {
  const said = documents
    .flatMap(sayingsIn)
    .sort((a, b) => a.when - b.when || (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const { reference, when, about, value, says } of said) {
    const told = last.get(about);
    const before = told?.toldAt.get(value);
    const enoughMs = told?.value === value ? repeatMs : alternateMs;
    if (before !== undefined && Math.abs(when - before) < enoughMs) continue;
    last.set(about, { value, toldAt: new Map([...(told?.toldAt ?? []), [value, when]]) });
    teller.tell(reference, when, says);
  }
  forget(last, said.at(-1)?.when ?? Number.NEGATIVE_INFINITY);
}

const keyOf = ({ about, value }: Saying): string => `${about}\n${value}`;

/** What was told so long ago would be told again. */
function forget(last: LastSenders, now: number): void {
  for (const [about, { value, toldAt }] of last) {
    const recent = [...toldAt].filter(([, when]) => when >= now - repeatMs);
    if (recent.length === 0) last.delete(about);
    else if (recent.length < toldAt.size) last.set(about, { value, toldAt: new Map(recent) });
  }
}

function sayingsIn({ value, reference, receivedAt }: SourceDocument): readonly Saying[] {
  return ["resourceSpans", "resourceMetrics", "resourceLogs"].flatMap((member) =>
    listAt(value, member).flatMap((resource) =>
      sayingsOf(resource, `${reference} ${member}`, seenAt(resource) ?? receivedAt),
    ),
  );
}

function sayingsOf(resource: JsonValue, reference: string, when: number): readonly Saying[] {
  const attributes = attributesOf(at(resource, "resource"));
  const service = nodeId("service", serviceOf(attributes));
  const version = firstOf(attributes, "service.version");
  const deployment = firstOf(attributes, "k8s.deployment.name");
  const namespace = firstOf(attributes, "k8s.namespace.name") ?? "default";
  const host = firstOf(attributes, "k8s.node.name", "host.name");
  const workload =
    deployment === undefined
      ? undefined
      : kubernetesNodeId("Deployment", nameOf(namespace), nameOf(deployment));
  const edge = (from: NodeId, to: NodeId, kind: "part_of" | "runs_on"): Saying => ({
    ...{ reference, when, about: `${from}\n${kind}\n${to}`, value: "" },
    says: { type: "edge", at: when, from, to, kind, basis: "observed" },
  });
  const said: Saying[] = [];
  if (version !== undefined)
    said.push({
      ...{ reference, when, about: `${service}\nversion`, value: nameOf(version) },
      says: {
        ...{ type: "node", at: when, node: service, aspect: "version" },
        value: { version: nameOf(version) },
      },
    });
  if (workload !== undefined) said.push(edge(workload, service, "part_of"));
  if (host !== undefined)
    said.push(edge(workload ?? service, nodeId("host", nameOf(host)), "runs_on"));
  return said;
}

/** The first time that anything of the resource names. */
function seenAt(resource: JsonValue): number | undefined {
  for (const item of itemsOf(resource))
    for (const name of ["startTimeUnixNano", "timeUnixNano"]) {
      const us = microsecondsAt(item, name);
      if (us !== undefined) return Math.floor(us / 1_000);
    }
  return undefined;
}

/** Spans, lines, and points: a counter's own start is that of its process, and says nothing of when it was seen. */
function itemsOf(resource: JsonValue): readonly JsonValue[] {
  const points = listAt(resource, "scopeMetrics")
    .flatMap((scope) => listAt(scope, "metrics"))
    .flatMap((metric) => ["gauge", "sum", "histogram"].flatMap((form) => at(metric, form) ?? []))
    .flatMap((told) => listAt(told, "dataPoints"))
    .map((point) => ({ timeUnixNano: at(point, "timeUnixNano") ?? "" }));
  return [
    ...listAt(resource, "scopeSpans").flatMap((scope) => listAt(scope, "spans")),
    ...listAt(resource, "scopeLogs").flatMap((scope) => listAt(scope, "logRecords")),
    ...points,
  ];
}
