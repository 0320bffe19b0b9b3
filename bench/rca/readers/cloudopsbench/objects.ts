/** Descriptions of `kubectl describe`, kind by kind, as objects in the shape of the Kubernetes API. */
import type { JsonObject } from "../../../../src/kernel/index.ts";
import { Description, labelsOf, tableRows } from "./kubectl-text.ts";
import { policy } from "./network-policy.ts";
import { podSpec, resources, shaped } from "./pod-template.ts";

export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: JsonObject;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly data?: JsonObject;
}

type Parts = Omit<KubernetesObject, "kind" | "metadata">;

const kinds: Readonly<Record<string, readonly [string, (text: Description) => Parts]>> = {
  pod: ["Pod", pod],
  deployment: ["Deployment", workload],
  statefulset: ["StatefulSet", workload],
  daemonset: ["DaemonSet", workload],
  replicaset: ["ReplicaSet", replicaSet],
  service: ["Service", service],
  endpoints: ["Endpoints", endpoints],
  node: ["Node", node],
  persistentvolume: ["PersistentVolume", volume],
  persistentvolumeclaim: ["PersistentVolumeClaim", claim],
  serviceaccount: ["ServiceAccount", account],
  secret: ["Secret", secret],
  configmap: ["ConfigMap", () => ({})],
  resourcequota: ["ResourceQuota", quota],
  namespace: ["Namespace", () => ({})],
  networkpolicy: ["NetworkPolicy", policy],
};

/** `kubectl` takes the singular and the plural. */
export const singular = (type: string): string =>
  type in kinds ? type : type.replace(/(?:ies|s)$/, (end) => (end === "ies" ? "y" : ""));

export function describedObject(type: string, text: string): KubernetesObject | undefined {
  const known = kinds[singular(type)];
  if (known === undefined) return undefined;
  const [kind, read] = known;
  const described = new Description(text);
  if (described.value("Name") === "") return undefined;
  return { kind, metadata: metadata(described), ...read(described) };
}

function metadata(text: Description): JsonObject {
  const [ownerKind, ownerName] = text.value("Controlled By").split("/");
  return shaped({
    name: text.value("Name"),
    namespace: text.value("Namespace"),
    labels: labelsOf(text.items("Labels")),
    annotations: annotations(text.items("Annotations")),
    creationTimestamp: text.value("CreationTimestamp") || text.value("Start Time"),
    ...(ownerName ? { ownerReferences: [{ kind: ownerKind ?? "", name: ownerName }] } : {}),
  });
}

function annotations(items: readonly string[]): JsonObject {
  return Object.fromEntries(
    items.flatMap((item) => {
      const match = /^([\w./-]+): (.*)$/.exec(item);
      return match === null ? [] : [[match[1] ?? "", match[2] ?? ""]];
    }),
  );
}

const conditions = (text: Description): readonly JsonObject[] =>
  text.table("Conditions").map((row) =>
    shaped({
      type: row["Type"],
      status: row["Status"],
      reason: row["Reason"],
      message: row["Message"],
      lastTransitionTime: row["LastTransitionTime"],
    }),
  );

function pod(text: Description): Parts {
  const nodeName = text.value("Node").split("/")[0];
  return {
    spec: shaped({ ...podSpec(text), nodeName }),
    status: shaped({
      phase: text.value("Status").split(" ")[0],
      reason: text.value("Reason"),
      podIP: text.value("IP"),
      conditions: conditions(text),
      initContainerStatuses: statuses(text.below("Init Containers")),
      containerStatuses: statuses(text.below("Containers")),
    }),
  };
}

function statuses(text: Description): readonly JsonObject[] {
  return text.entries.map(({ key, lines }) => {
    const below = new Description(lines);
    return shaped({
      name: key,
      ready: below.value("Ready") === "True",
      restartCount: Number(below.value("Restart Count") || 0),
      state: state(below, "State"),
      lastState: state(below, "Last State"),
    });
  });
}

function state(text: Description, key: string): JsonObject | undefined {
  const name = text.value(key).toLowerCase();
  if (name === "") return undefined;
  const below = text.below(key);
  const exitCode = below.value("Exit Code");
  return {
    [name]: shaped({
      reason: below.value("Reason"),
      message: below.value("Message"),
      startedAt: below.value("Started"),
      finishedAt: below.value("Finished"),
      ...(exitCode === "" ? {} : { exitCode: Number(exitCode) }),
    }),
  };
}

function workload(text: Description): Parts {
  const count = (word: string): number | undefined => {
    const found = new RegExp(`(\\d+) ${word}`).exec(text.value("Replicas"))?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const template = text.below("Pod Template");
  return {
    spec: shaped({
      replicas: count("desired"),
      selector: { matchLabels: labelsOf(text.items("Selector")) },
      template: {
        metadata: shaped({
          labels: labelsOf(template.items("Labels")),
          annotations: annotations(template.items("Annotations")),
        }),
        spec: podSpec(template),
      },
    }),
    status: shaped({
      replicas: count("total"),
      updatedReplicas: count("updated"),
      availableReplicas: count("available"),
      unavailableReplicas: count("unavailable"),
      conditions: conditions(text),
    }),
  };
}

function replicaSet(text: Description): Parts {
  const [, current, desired] = /(\d+) current \/ (\d+) desired/.exec(text.value("Replicas")) ?? [];
  return {
    spec: shaped({ replicas: Number(desired ?? 0) }),
    status: shaped({ replicas: Number(current ?? 0), conditions: conditions(text) }),
  };
}

function service(text: Description): Parts {
  const targets = text.values("TargetPort");
  const nodePorts = text.values("NodePort");
  const ports = text.values("Port").map((value, i) => {
    const [portText = "", name = ""] = value.split(/\s+/).reverse();
    const [port, protocol] = portText.split("/");
    const target = (targets[i] ?? "").split("/")[0] ?? "";
    return shaped({
      name: name === "<unset>" ? "" : name,
      port: Number(port),
      protocol,
      targetPort: /^\d+$/.test(target) ? Number(target) : target,
      nodePort: Number(/(\d+)\//.exec(nodePorts[i] ?? "")?.[1] ?? 0) || undefined,
    });
  });
  return {
    spec: shaped({
      type: text.value("Type"),
      clusterIP: text.value("IP"),
      externalName: text.value("External Name"),
      selector: labelsOf(text.items("Selector")),
      ports,
    }),
  };
}

function endpoints(text: Description): Parts {
  const subsets = text.below("Subsets");
  const addresses = (key: string): readonly string[] =>
    subsets.value(key).split(",").filter(Boolean);
  return {
    status: {
      addresses: addresses("Addresses"),
      notReadyAddresses: addresses("NotReadyAddresses"),
    },
  };
}

function node(text: Description): Parts {
  const taints = text.items("Taints").map((item) => {
    const [keyValue = "", effect = ""] = item.split(":");
    const [key = "", value] = keyValue.split("=");
    return shaped({ key, value, effect });
  });
  return {
    spec: shaped({ unschedulable: text.value("Unschedulable") === "true", taints }),
    status: shaped({
      conditions: conditions(text),
      capacity: resources(text.below("Capacity")),
      allocatable: resources(text.below("Allocatable")),
    }),
  };
}

/** The pods of other namespaces that a node's description lists: they take of what the node has. */
export function podsOfNode(text: string): readonly KubernetesObject[] {
  const described = new Description(text);
  return described.table("Non-terminated Pods").map((row) => ({
    kind: "Pod",
    metadata: { name: row["Name"] ?? "", namespace: row["Namespace"] ?? "" },
    spec: {
      nodeName: described.value("Name"),
      containers: [
        {
          name: "all",
          resources: {
            requests: {
              cpu: (row["CPU Requests"] ?? "0").split(" ")[0] ?? "0",
              memory: (row["Memory Requests"] ?? "0").split(" ")[0] ?? "0",
            },
          },
        },
      ],
    },
  }));
}

const accessModes: Readonly<Record<string, string>> = {
  RWO: "ReadWriteOnce",
  ROX: "ReadOnlyMany",
  RWX: "ReadWriteMany",
  RWOP: "ReadWriteOncePod",
};

const modes = (text: Description): readonly string[] =>
  text
    .value("Access Modes")
    .split(",")
    .filter(Boolean)
    .map((mode) => accessModes[mode] ?? mode);

function volume(text: Description): Parts {
  const [namespace, name] = text.value("Claim").split("/");
  return {
    spec: shaped({
      storageClassName: text.value("StorageClass"),
      accessModes: modes(text),
      capacity: shaped({ storage: text.value("Capacity") }),
      ...(name ? { claimRef: { namespace: namespace ?? "", name } } : {}),
    }),
    status: { phase: text.value("Status").split(" ")[0] ?? "" },
  };
}

function claim(text: Description): Parts {
  return {
    spec: shaped({
      storageClassName: text.value("StorageClass"),
      volumeName: text.value("Volume"),
      accessModes: modes(text),
    }),
    status: { phase: text.value("Status").split(" ")[0] ?? "" },
  };
}

function account(text: Description): Parts {
  const secrets = text
    .items("Image pull secrets")
    .map((item) => item.replace(/ \(not found\)$/, ""));
  return secrets.length === 0
    ? {}
    : { spec: { imagePullSecrets: secrets.map((name) => ({ name })) } };
}

function secret(text: Description): Parts {
  return { status: { keys: [...bytesOf(text)] } };
}

/** The keys below `Data`; of values only the lengths are printed. */
function bytesOf(text: Description): readonly string[] {
  return text.entries.filter(({ value }) => /^\d+ bytes$/.test(value)).map(({ key }) => key);
}

function quota(text: Description): Parts {
  const header = text.entries.at(-1)?.lines ?? [];
  const rows = tableRows(header.filter((line) => !/^[\s-]+$/.test(line)).join("\n"));
  const column = (name: string): JsonObject =>
    Object.fromEntries(rows.map((row) => [row["Resource"] ?? "", row[name] ?? ""]));
  return { spec: { hard: column("Hard") }, status: { hard: column("Hard"), used: column("Used") } };
}
