/** Spans of OTLP, as the fold takes them. */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import { type NodeId, nodeId, type Span } from "../../model/index.ts";
import { at, textAt } from "./members.ts";
import {
  type Attributes,
  attributesOf,
  firstOf,
  microsecondsAt,
  resourcesOf,
  serviceOf,
} from "./otlp-resource.ts";
import { nameOf } from "./source.ts";

/** Kinds, by their numbers or names. */
const client = new Set<JsonValue>([3, "SPAN_KIND_CLIENT"]);
const producer = new Set<JsonValue>([4, "SPAN_KIND_PRODUCER"]);
const consumer = new Set<JsonValue>([5, "SPAN_KIND_CONSUMER"]);
const failed = new Set<JsonValue>([2, "STATUS_CODE_ERROR"]);

const traceId = /^(?!0{32})[0-9a-fA-F]{32}$/;
const spanId = /^(?!0{16})[0-9a-fA-F]{16}$/;

export interface ReadSpans {
  readonly spans: readonly Span[];
  /** Ended before they began; taken to have taken no time. */
  readonly backwards: number;
}

/** The error is the path of the first span that is none, and why. */
export function spansIn(
  value: JsonObject,
): ReadSpans | { readonly path: string; readonly message: string } {
  const spans: Span[] = [];
  let backwards = 0;
  for (const [resource, told] of resourcesOf(value, ["resourceSpans", "scopeSpans", "spans"])) {
    const path = `span ${spans.length}`;
    const trace = textAt(told, "traceId");
    const id = textAt(told, "spanId");
    if (trace === undefined || !traceId.test(trace))
      return { path: `${path}.traceId`, message: "a trace id is 32 hexadecimal digits, not all 0" };
    if (id === undefined || !spanId.test(id))
      return { path: `${path}.spanId`, message: "a span id is 16 hexadecimal digits, not all 0" };
    const startUs = microsecondsAt(told, "startTimeUnixNano");
    const endUs = microsecondsAt(told, "endTimeUnixNano");
    if (startUs === undefined || endUs === undefined)
      return {
        path: `${path}.${startUs === undefined ? "start" : "end"}TimeUnixNano`,
        message: "a time is nanoseconds since 1970",
      };
    if (endUs < startUs) backwards += 1;
    spans.push(
      spanOf(told, resource, { trace, id, startUs, durationUs: Math.max(0, endUs - startUs) }),
    );
  }
  return { spans, backwards };
}

function spanOf(
  told: JsonValue,
  resource: Attributes,
  known: Pick<Span, "trace" | "id" | "startUs" | "durationUs">,
): Span {
  const parent = textAt(told, "parentSpanId");
  const kind = at(told, "kind") ?? 0;
  const isOutgoing = client.has(kind) || producer.has(kind);
  const peer = isOutgoing ? peerOf(attributesOf(told)) : undefined;
  return {
    ...known,
    trace: known.trace.toLowerCase(),
    id: known.id.toLowerCase(),
    parent: parent !== undefined && spanId.test(parent) ? parent.toLowerCase() : null,
    service: serviceOf(resource),
    operation: nameOf(textAt(told, "name") ?? "(no name)"),
    ...(failed.has(at(told, "status", "code") ?? 0) && { isError: true }),
    // Nobody waits for what takes a message from a queue.
    ...(consumer.has(kind) && { isDetached: true }),
    ...(peer !== undefined && { peer }),
  };
}

/** Whom an outgoing call is for, by the semantic conventions of today and of before. */
function peerOf(attributes: Attributes): NodeId | undefined {
  const address = firstOf(attributes, "server.address", "net.peer.name", "peer.address");
  const database = firstOf(attributes, "db.system.name", "db.system");
  if (database !== undefined)
    return nodeId(
      "database",
      nameOf(
        address === undefined
          ? (firstOf(attributes, "db.namespace", "db.name") ?? database)
          : shortName(address),
      ),
    );
  const messaging = firstOf(attributes, "messaging.system");
  if (messaging !== undefined)
    return nodeId(
      "queue",
      nameOf(
        firstOf(attributes, "messaging.destination.name", "messaging.destination") ?? messaging,
      ),
    );
  const service = firstOf(attributes, "peer.service");
  if (service !== undefined) return nodeId("service", nameOf(service));
  if (address === undefined) return undefined;
  // A name with a domain that is not our own is somebody else's.
  const isOutside =
    /[a-z]\.[a-z]{2,}$/i.test(address) && !/\.(?:svc|local|internal|cluster)(?:\.|$)/.test(address);
  return nodeId(isOutside ? "external" : "service", nameOf(shortName(address)));
}

/** A service of a cluster, `name.namespace.svc` and what follows, is known by its name (Kubernetes, DNS for Services and Pods). */
function shortName(address: string): string {
  return /^([^.]+)\.[^.]+\.svc(?:\.|$)/.exec(address)?.[1] ?? address;
}
