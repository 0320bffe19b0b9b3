/** A small healthy cluster as events, of which each test breaks one thing. */
import type { JsonObject, JsonValue } from "../../../../../src/kernel/index.ts";
import {
  defaultSettings,
  kubernetesNodeId,
  type ModelEvent,
  type NodeFact,
  type NodeId,
  nodeId,
  type Part,
  why,
} from "../../../../../src/model/index.ts";

const now = 1_800_000_000_000;
const namespace = "shop";
const homeless = new Set(["Node", "PersistentVolume", "StorageClass", "Namespace"]);

type Untold<E> = E extends ModelEvent ? Omit<E, "id" | "at" | "knownAt" | "origin"> : never;

export class ShopCluster {
  readonly #objects = new Map<string, JsonObject>();
  readonly #told: Untold<ModelEvent>[] = [];
  readonly #past: Omit<NodeFact, "id" | "knownAt" | "origin">[] = [];

  constructor() {
    for (const [i, host] of ["n1", "n2"].entries())
      this.set("Node", host, {
        metadata: { labels: { disk: i === 0 ? "ssd" : "hdd" } },
        spec: {},
        status: {
          allocatable: { cpu: "4", memory: "8Gi" },
          conditions: [{ type: "Ready", status: "True" }],
        },
        units: { kubelet: { activeState: "active", subState: "running" } },
      });
    this.set("Node", "cp", {
      metadata: { labels: { "node-role.kubernetes.io/control-plane": "" } },
      spec: { unschedulable: true },
      status: {
        allocatable: { cpu: "4", memory: "8Gi" },
        conditions: [{ type: "Ready", status: "True" }],
      },
      units: { "kube-scheduler": { activeState: "active", subState: "running" } },
    });
    this.set("ServiceAccount", "default", {});
    for (const name of ["front", "cart", "pay"]) this.#workload(name);
    this.calls("front", "cart").calls("front", "pay");
  }

  #workload(name: string): void {
    const labels = { app: name };
    const template = {
      containers: [
        {
          name: "main",
          image: `registry.example/${name}:1`,
          ports: [{ containerPort: 8080, protocol: "TCP" }],
          resources: { requests: { cpu: "500m", memory: "256Mi" } },
          readinessProbe: { httpGet: { port: 8080, path: "/" }, periodSeconds: 10 },
          livenessProbe: {
            httpGet: { port: 8080, path: "/" },
            initialDelaySeconds: 10,
            periodSeconds: 10,
            failureThreshold: 3,
          },
        },
      ],
    };
    this.set("Deployment", name, {
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: template },
      },
    });
    this.set("ReplicaSet", `${name}-rs`, {
      metadata: { ownerReferences: [{ kind: "Deployment", name }] },
    });
    this.set("Pod", `${name}-pod`, {
      metadata: { labels, ownerReferences: [{ kind: "ReplicaSet", name: `${name}-rs` }] },
      spec: { ...template, nodeName: "n1" },
      status: {
        phase: "Running",
        conditions: [
          { type: "PodScheduled", status: "True" },
          { type: "Ready", status: "True" },
        ],
        containerStatuses: [{ name: "main", ready: true, restartCount: 0, state: { running: {} } }],
      },
    });
    this.set("Service", name, {
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080, protocol: "TCP" }] },
    });
    this.tell({
      type: "edge",
      from: nodeId("workload", `${namespace}/${name}`),
      to: nodeId("service", name),
      kind: "part_of",
      basis: "declared",
    });
  }

  set(kind: string, name: string, aspects: JsonObject): this {
    this.#objects.set(`${kind} ${name}`, aspects);
    return this;
  }

  remove(kind: string, name: string): this {
    this.#objects.delete(`${kind} ${name}`);
    return this;
  }

  /** Puts a value at a path inside an object; numbers are places in lists. */
  put(kind: string, name: string, path: readonly (string | number)[], value: JsonValue): this {
    const object = structuredClone(this.#objects.get(`${kind} ${name}`) ?? {});
    let here = object as unknown as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) {
      here[key] ??= {};
      here = here[key] as Record<string | number, unknown>;
    }
    here[path.at(-1) ?? ""] = value;
    return this.set(kind, name, object);
  }

  /** The same in a workload's template and in its pod. */
  template(name: string, path: readonly (string | number)[], value: JsonValue): this {
    return this.put("Deployment", name, ["spec", "template", "spec", ...path], value).put(
      "Pod",
      `${name}-pod`,
      ["spec", ...path],
      value,
    );
  }

  /** The pod is placed and not ready: its container waits for this reason, or runs unready. */
  unready(name: string, reason?: string, extra: JsonObject = {}): this {
    const state: JsonObject = reason === undefined ? { running: {} } : { waiting: { reason } };
    return this.put("Pod", `${name}-pod`, ["status"], {
      phase: reason === undefined ? "Running" : "Pending",
      conditions: [
        { type: "PodScheduled", status: "True" },
        { type: "Ready", status: "False" },
      ],
      containerStatuses: [{ name: "main", ready: false, restartCount: 0, state, ...extra }],
    });
  }

  /** The pod waits for a node. */
  pending(name: string): this {
    return this.put("Pod", `${name}-pod`, ["spec", "nodeName"], "").put(
      "Pod",
      `${name}-pod`,
      ["status"],
      {
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False" }],
      },
    );
  }

  warn(kind: string, name: string, reason: string, message: string): this {
    const node = kubernetesNodeId(kind, homeless.has(kind) ? "" : namespace, name);
    return this.tell({ type: "condition", node, name: reason, status: "true", message });
  }

  event(kind: string, name: string, reason: string, message: string): this {
    const node = kubernetesNodeId(kind, namespace, name);
    return this.tell({ type: "condition", node, name: reason, status: "false", message });
  }

  unreachable(name: string): this {
    const message = `${name}:80: Connection Failed`;
    return this.tell({
      type: "condition",
      node: nodeId("service", name),
      name: "Reachable",
      status: "false",
      message,
    });
  }

  says(name: string, example: string): this {
    return this.tell({
      type: "log",
      node: nodeId("service", name),
      severity: "error",
      template: example,
      example,
      entry: "",
      untilAt: now,
      count: 3,
    });
  }

  calls(from: string, to: string): this {
    return this.tell({
      type: "edge",
      from: nodeId("service", from),
      to: nodeId("service", to),
      kind: "calls",
      basis: "declared",
    });
  }

  /** A summary of a measurement: what was usual, and what is. */
  moved(
    node: NodeId,
    signal: "latency" | "cpu" | "errors",
    name: string,
    before: number,
    after: number,
  ): this {
    return this.tell({
      type: "series",
      node,
      signal,
      name,
      points: [
        [now - 60_000, before],
        [now, after],
      ],
    });
  }

  tell(event: Untold<ModelEvent>): this {
    this.#told.push(event);
    return this;
  }

  /** What is at a path of an object now. */
  at(kind: string, name: string, path: readonly (string | number)[]): JsonValue | undefined {
    let here: unknown = this.#objects.get(`${kind} ${name}`);
    for (const key of path) here = (here as Record<string | number, unknown> | undefined)?.[key];
    return structuredClone(here) as JsonValue | undefined;
  }

  /** An aspect as it was told so many minutes ago. */
  was(minutes: number, kind: string, name: string, aspect: string, value: JsonObject): this {
    const node = kubernetesNodeId(kind, homeless.has(kind) ? "" : namespace, name);
    this.#past.push({ type: "node", at: now - minutes * 60_000, node, aspect, value });
    return this;
  }

  events(): ModelEvent[] {
    const facts = [...this.#objects].flatMap(([key, aspects]) => {
      const [kind = "", name = ""] = key.split(" ");
      const home = homeless.has(kind) ? "" : namespace;
      const node = kubernetesNodeId(kind, home, name);
      const metadata = {
        ...(aspects["metadata"] as JsonObject | undefined),
        kind,
        name,
        namespace: home,
      };
      return Object.entries("declared" in aspects ? aspects : { ...aspects, metadata }).map(
        ([aspect, value]) => ({
          type: "node" as const,
          node,
          aspect,
          value: value as JsonObject,
        }),
      );
    });
    // What was told before was told anew of late; all else is as it is since yesterday.
    const dated = facts.map((fact) => {
      const isNew = this.#past.some((old) => old.node === fact.node && old.aspect === fact.aspect);
      return { ...fact, at: now - (isNew ? 5 : 24 * 60) * 60_000 };
    });
    return [...this.#past, ...dated, ...this.#told].map(
      (event, i) =>
        ({
          at: now,
          ...event,
          id: `e${i}`,
          knownAt: now,
          origin: { source: "test", reference: `e${i}` },
        }) as ModelEvent,
    );
  }

  /** `kind node` of every cause, the most likely first. */
  causes(...without: Part[]): readonly string[] {
    const settings = { ...defaultSettings, without: new Set(without) };
    return why(this.events(), { at: now, text: "the shop is broken" }, settings).causes.map(
      ({ kind, node }) => `${kind} ${node}`,
    );
  }
}
