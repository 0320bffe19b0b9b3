/**
 * What production is made of, as the model sees it: typed nodes and typed edges. An owner can be a cause; an observer
 * (a client's or a load balancer's view of an owner) only tells about one.
 */

/** `<kind>:<name>`; what is after the first colon is the source's own name, compared byte for byte. */
export type NodeId = string;

export const nodeKinds = [
  /** A deployable unit that answers calls; also a function. */
  "service",
  /** What runs a service: a Deployment, a StatefulSet, an autoscaling group. Name: `namespace/name`. */
  "workload",
  /** A Kubernetes object that is none of the other kinds. Name: `Kind/namespace/name`. */
  "object",
  "namespace",
  /** A machine that workloads run on. */
  "host",
  "database",
  "queue",
  "config",
  "flag",
  "deploy",
  "commit",
  "tool",
  "agent",
  /** Of trust, of availability, of jurisdiction. */
  "zone",
  /** What nobody here can change: a provider, DNS, a certificate authority, the traffic, the data that comes in. */
  "external",
  "observer",
] as const;
export type NodeKind = (typeof nodeKinds)[number];

export const edgeKinds = [
  /** Caller to callee; trouble travels from the callee to the caller. */
  "calls",
  "runs_on",
  "configured_by",
  "changed_by",
  "depends_on",
  "crosses_zone",
  /** Observer to the owner it looks at. */
  "observes",
  /** Workload to the service it runs; commit to the deploy it is in. */
  "part_of",
  /** Namespace or host to what it holds. */
  "contains",
] as const;
export type EdgeKind = (typeof edgeKinds)[number];

export function nodeId(kind: NodeKind, name: string): NodeId {
  return `${kind}:${name}`;
}

/** The kind and the name, or undefined when the text is no node id. */
export function splitNodeId(id: NodeId): { kind: NodeKind; name: string } | undefined {
  const colon = id.indexOf(":");
  const kind = id.slice(0, colon) as NodeKind;
  if (colon < 1 || colon === id.length - 1 || !nodeKinds.includes(kind)) return undefined;
  return { kind, name: id.slice(colon + 1) };
}
