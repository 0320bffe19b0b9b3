/** Containers, volumes and probes, as `kubectl describe` prints them, in the shape of the Kubernetes API (core/v1). */
import type { JsonObject, JsonValue } from "../../../../src/kernel/index.ts";
import { Description, labelsOf } from "./kubectl-text.ts";

/** Drops what is undefined or empty, so that an absent field stays absent. */
export function shaped(fields: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(
      (pair): pair is [string, JsonValue] =>
        pair[1] !== undefined &&
        pair[1] !== "" &&
        !(Array.isArray(pair[1]) && pair[1].length === 0) &&
        !(
          typeof pair[1] === "object" &&
          pair[1] !== null &&
          !Array.isArray(pair[1]) &&
          Object.keys(pair[1]).length === 0
        ),
    ),
  );
}

/** The spec of a pod, of a description of a pod or of a `Pod Template:`. */
export function podSpec(text: Description): JsonObject {
  return shaped({
    serviceAccountName: text.value("Service Account"),
    nodeSelector: labelsOf(text.items("Node-Selectors")),
    tolerations: text.items("Tolerations").map(toleration),
    initContainers: containers(text.below("Init Containers")),
    containers: containers(text.below("Containers")),
    volumes: volumes(text.below("Volumes")),
  });
}

function toleration(text: string): JsonObject {
  const [what = "", ...rest] = text.split(/\s+/);
  const [keyValue = "", effect] = what.split(":");
  const [key = "", value] = keyValue.split("=");
  const operator = rest.find((word) => word.startsWith("op="))?.slice("op=".length);
  return shaped({ key, value, effect, operator: operator ?? (value ? "Equal" : "Exists") });
}

function containers(text: Description): readonly JsonObject[] {
  return text.entries.map(({ key, lines }) => container(key, new Description(lines)));
}

function container(name: string, text: Description): JsonObject {
  const ports = text.value("Port") || text.value("Ports");
  return shaped({
    name,
    image: text.value("Image"),
    command: text.items("Command"),
    args: text.items("Args"),
    ports: ports.split(", ").filter(Boolean).map(containerPort),
    resources: shaped({
      limits: resources(text.below("Limits")),
      requests: resources(text.below("Requests")),
    }),
    livenessProbe: probe(text.value("Liveness")),
    readinessProbe: probe(text.value("Readiness")),
    startupProbe: probe(text.value("Startup")),
    env: text.below("Environment").entries.map(({ key, value }) => variable(key, value)),
    envFrom: text.items("Environment Variables from").map(source),
    volumeMounts: text.items("Mounts").map(mount),
  });
}

function containerPort(text: string): JsonObject {
  const [port, protocol] = text.split("/");
  return shaped({ containerPort: Number(port), protocol: protocol ?? "TCP" });
}

export function resources(text: Description): JsonObject {
  return Object.fromEntries(text.entries.map(({ key, value }) => [key, value]));
}

/** `grpc <pod>:9555  delay=5s timeout=1s period=5s #success=1 #failure=3` */
function probe(text: string): JsonObject | undefined {
  if (text === "") return undefined;
  const figure = (name: string): number | undefined => {
    const found = new RegExp(`${name}=(\\d+)`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return shaped({
    ...handler(text),
    initialDelaySeconds: figure("delay"),
    timeoutSeconds: figure("timeout"),
    periodSeconds: figure("period"),
    successThreshold: figure("#success"),
    failureThreshold: figure("#failure"),
  });
}

function handler(text: string): JsonObject {
  const [kind = "", address = ""] = text.split(/\s+/);
  const port = /:(\w+)(?:\/|$)/.exec(address)?.[1] ?? "";
  const portValue = /^\d+$/.test(port) ? Number(port) : port;
  if (kind === "grpc") return { grpc: { port: portValue } };
  if (kind === "tcp-socket") return { tcpSocket: { port: portValue } };
  if (kind === "http-get") {
    const [, scheme = "http", path = "/"] = /^(\w+):\/\/[^/]*(\/.*)?$/.exec(address) ?? [];
    return { httpGet: { port: portValue, path, scheme: scheme.toUpperCase() } };
  }
  return { exec: { command: [/\[(.*)\]/.exec(text)?.[1] ?? ""] } };
}

function variable(name: string, value: string): JsonObject {
  const key = /^<set to the key '([^']+)' (?:in|of) (secret|config map) '([^']+)'>/.exec(value);
  if (key !== null) {
    const ref = { key: key[1] ?? "", name: key[3] ?? "" };
    return {
      name,
      valueFrom: key[2] === "secret" ? { secretKeyRef: ref } : { configMapKeyRef: ref },
    };
  }
  const field = /\(v1:([^)]+)\)$/.exec(value);
  if (field !== null) return { name, valueFrom: { fieldRef: { fieldPath: field[1] ?? "" } } };
  return { name, value };
}

function source(text: string): JsonObject {
  const [name = "", kind] = text.split(/\s+/);
  return kind === "Secret" ? { secretRef: { name } } : { configMapRef: { name } };
}

function mount(text: string): JsonObject {
  const [, mountPath = "", name = "", mode = ""] = /^(\S+) from (\S+) \(([^)]*)\)/.exec(text) ?? [];
  return shaped({ mountPath, name, readOnly: mode.startsWith("ro") });
}

function volumes(text: Description): readonly JsonObject[] {
  return text.entries.map(({ key: name, lines }) => {
    const below = new Description(lines);
    const type = below.value("Type").split(" ")[0] ?? "";
    const named = below.value("Name") || below.value("SecretName");
    const byType: Readonly<Record<string, JsonObject>> = {
      PersistentVolumeClaim: { persistentVolumeClaim: { claimName: below.value("ClaimName") } },
      HostPath: {
        hostPath: shaped({ path: below.value("Path"), type: below.value("HostPathType") }),
      },
      ConfigMap: { configMap: shaped({ name: named }) },
      Secret: { secret: shaped({ secretName: named }) },
      EmptyDir: { emptyDir: {} },
    };
    return { name, ...byType[type] };
  });
}
