/** Each rule names what was broken, at whose fault, and nothing of the same cluster when it is well. */
import { expect, test } from "vitest";
import type { JsonObject } from "../../../../../src/kernel/index.ts";
import { defaultSettings, Graph, type ModelEvent, why } from "../../../../../src/model/index.ts";
import { scopeOf } from "../../../../../src/model/why/scope.ts";
import { ShopCluster } from "./shop-cluster.ts";

const now = 1_800_000_000_000;
const cart = "workload:shop/cart";
const container = ["containers", 0] as const;

const manifest = (kind: string, name: string, spec: JsonObject): JsonObject => ({
  kind,
  metadata: { name, namespace: "shop" },
  spec,
});

const refusedForQuota = (resource: string) => (shop: ShopCluster) =>
  shop
    .remove("Pod", "cart-pod")
    .warn(
      "ReplicaSet",
      "cart-rs",
      "FailedCreate",
      `pods "cart-1" is forbidden: exceeded quota: q, requested: ${resource}=1, used: ${resource}=9, limited: ${resource}=9`,
    );

const claimFor = (claim: object, volume: object) => (shop: ShopCluster) =>
  shop
    .pending("cart")
    .template("cart", ["volumes"], [{ name: "data", persistentVolumeClaim: { claimName: "data" } }])
    .set("PersistentVolumeClaim", "data", {
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        ...claim,
      },
      status: { phase: "Pending" },
    })
    .set("PersistentVolume", "v", {
      metadata: { labels: { tier: "gold" } },
      spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, ...volume },
      status: { phase: "Available" },
    });

const notPulled = (message: string) => (shop: ShopCluster) =>
  shop
    .unready("cart", "ImagePullBackOff")
    .warn(
      "Pod",
      "cart-pod",
      "Failed",
      `Failed to pull image "registry.example/cart:1": ${message}`,
    );

const database = (settings: Record<string, string>) => (shop: ShopCluster) => {
  shop.set("Service", "db", {
    spec: { selector: { app: "db" }, ports: [{ port: 3306, targetPort: 3306 }] },
  });
  shop.set("StatefulSet", "db", {
    spec: {
      replicas: 1,
      template: { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "db" }] } },
    },
  });
  shop.set("Pod", "db-0", {
    metadata: { labels: { app: "db" }, ownerReferences: [{ kind: "StatefulSet", name: "db" }] },
    spec: { nodeName: "n1" },
    status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
  });
  const usual = { DB_HOST: "db", DB_PORT: "3306", DB_USER: "shop", DB_PASSWORD: "sesame" };
  for (const name of ["front", "cart", "pay"]) {
    shop.set("Secret", `${name}-db`, { data: name === "cart" ? { ...usual, ...settings } : usual });
    shop.template(name, [...container, "envFrom"], [{ secretRef: { name: `${name}-db` } }]);
  }
  return shop;
};

const cases: Readonly<Record<string, (shop: ShopCluster) => ShopCluster>> = {
  [`schedule.node_selector ${cart}`]: (shop) =>
    shop.pending("cart").template("cart", ["nodeSelector"], { disk: "tape" }),
  [`schedule.node_affinity ${cart}`]: (shop) =>
    shop.pending("cart").template("cart", ["affinity"], {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "disk", operator: "NotIn", values: ["ssd", "hdd"] }] },
          ],
        },
      },
    }),
  [`schedule.anti_affinity ${cart}`]: (shop) =>
    shop
      .pending("cart")
      .put("Pod", "pay-pod", ["spec", "nodeName"], "n2")
      .template("cart", ["affinity"], {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            {
              topologyKey: "kubernetes.io/hostname",
              labelSelector: {
                matchExpressions: [{ key: "app", operator: "In", values: ["front", "pay"] }],
              },
            },
          ],
        },
      }),
  [`schedule.taint ${cart}`]: (shop) =>
    shop
      .pending("cart")
      .put("Node", "n1", ["spec", "taints"], [{ key: "gpu", value: "yes", effect: "NoSchedule" }])
      .put("Node", "n2", ["spec", "taints"], [{ key: "gpu", value: "yes", effect: "NoSchedule" }]),
  [`schedule.cordoned ${cart}`]: (shop) =>
    shop
      .pending("cart")
      .put("Node", "n1", ["spec", "unschedulable"], true)
      .put("Node", "n2", ["spec", "unschedulable"], true),
  [`schedule.cpu ${cart}`]: (shop) =>
    shop.pending("cart").template("cart", [...container, "resources", "requests", "cpu"], "16"),
  [`schedule.memory ${cart}`]: (shop) =>
    shop
      .pending("cart")
      .template("cart", [...container, "resources", "requests", "memory"], "64Gi"),
  [`schedule.replicas_zero ${cart}`]: (shop) =>
    shop.remove("Pod", "cart-pod").put("Deployment", "cart", ["spec", "replicas"], 0),
  "quota.cpu namespace:shop": refusedForQuota("requests.cpu"),
  "quota.memory namespace:shop": refusedForQuota("limits.memory"),
  "quota.pods namespace:shop": refusedForQuota("pods"),
  "quota.services namespace:shop": (shop) =>
    shop
      .set("Service", "cart", { declared: manifest("Service", "cart", {}) })
      .set("ResourceQuota", "q", {
        spec: { hard: { services: "2" } },
        status: { used: { services: "2" } },
      }),
  "quota.storage namespace:shop": (shop) =>
    shop
      .pending("cart")
      .set("PersistentVolumeClaim", "data", {
        declared: manifest("PersistentVolumeClaim", "data", {
          resources: { requests: { storage: "5Gi" } },
        }),
      })
      .set("ResourceQuota", "q", {
        spec: { hard: { "requests.storage": "1Gi" } },
        status: { used: { "requests.storage": "0" } },
      }),
  [`identity.service_account ${cart}`]: (shop) =>
    shop
      .remove("Pod", "cart-pod")
      .put("Deployment", "cart", ["spec", "template", "spec", "serviceAccountName"], "robot"),
  [`image.reference ${cart}`]: notPulled(
    "rpc error: code = NotFound desc = manifest unknown: not found",
  ),
  [`image.registry_dns ${cart}`]: notPulled(
    "dial tcp: lookup registry.example on 10.0.0.2:53: no such host",
  ),
  [`image.pull_secret ${cart}`]: (shop) =>
    notPulled("401 Unauthorized")(shop).template("cart", ["imagePullSecrets"], [{ name: "pull" }]),
  [`volume.selector ${cart}`]: claimFor({ selector: { matchLabels: { tier: "tin" } } }, {}),
  [`volume.storage_class ${cart}`]: claimFor(
    { storageClassName: "fast" },
    { storageClassName: "slow" },
  ),
  [`volume.access_mode ${cart}`]: claimFor({ accessModes: ["ReadWriteMany"] }, {}),
  [`volume.capacity ${cart}`]: claimFor({ resources: { requests: { storage: "5Gi" } } }, {}),
  [`volume.mode ${cart}`]: claimFor({ volumeMode: "Block" }, {}),
  [`volume.occupied ${cart}`]: claimFor({}, { claimRef: { namespace: "shop", name: "other" } }),
  [`volume.permission ${cart}`]: (shop) =>
    shop
      .unready("cart", "CrashLoopBackOff")
      .template("cart", ["volumes"], [{ name: "data", hostPath: { path: "/mnt" } }])
      .template("cart", [...container, "volumeMounts"], [{ name: "data", mountPath: "/data" }])
      .says("cart", "can't open /data/log: Permission denied"),
  [`secret.missing ${cart}`]: (shop) =>
    shop
      .set("Secret", "other", {})
      .unready("cart", "CreateContainerConfigError")
      .template("cart", [...container, "envFrom"], [{ secretRef: { name: "cart-keys" } }]),
  [`probe.readiness_port ${cart}`]: (shop) =>
    shop
      .unready("cart")
      .template("cart", [...container, "readinessProbe"], { httpGet: { port: 9090 } })
      .warn("Pod", "cart-pod", "Unhealthy", "Readiness probe failed: connection refused"),
  [`probe.readiness_protocol ${cart}`]: (shop) =>
    shop
      .unready("cart")
      .template("cart", [...container, "readinessProbe"], { grpc: { port: 8080 } })
      .warn(
        "Pod",
        "cart-pod",
        "Unhealthy",
        "Readiness probe failed: error reading server preface: http2: frame too large",
      ),
  [`probe.liveness_port ${cart}`]: (shop) =>
    shop
      .unready("cart", "CrashLoopBackOff", { restartCount: 4 })
      .template("cart", [...container, "livenessProbe"], { httpGet: { port: 9090 } })
      .warn("Pod", "cart-pod", "Unhealthy", "Liveness probe failed: connection refused"),
  [`probe.liveness_timing ${cart}`]: (shop) =>
    shop
      .unready("cart", "CrashLoopBackOff", { restartCount: 4 })
      .template("cart", [...container, "livenessProbe"], {
        httpGet: { port: 8080 },
        initialDelaySeconds: 1,
        periodSeconds: 1,
        failureThreshold: 1,
      })
      .event(
        "Pod",
        "cart-pod",
        "Killing",
        "Container main failed liveness probe, will be restarted",
      )
      .warn("Pod", "cart-pod", "Unhealthy", "Liveness probe failed: connection refused"),
  [`compute.memory ${cart}`]: (shop) =>
    shop.unready("cart", "CrashLoopBackOff", {
      restartCount: 4,
      lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } },
    }),
  [`network.port_conflict ${cart}`]: (shop) =>
    shop
      .unready("cart", "CrashLoopBackOff")
      .put("Pod", "cart-pod", ["spec", "containers", 1], {
        name: "sidecar",
        ports: [{ containerPort: 8080 }],
      })
      .says("cart", "listen tcp :8080: bind: address already in use"),
  [`network.dns ${cart}`]: (shop) =>
    shop
      .template("cart", ["dnsPolicy"], "None")
      .template("cart", ["dnsConfig"], { nameservers: ["192.0.2.1"] })
      .says("cart", "dial tcp: lookup pay: no such host"),
  [`routing.selector ${cart}`]: (shop) =>
    shop.put("Service", "cart", ["spec", "selector"], { app: "carts" }).unreachable("cart"),
  [`routing.port ${cart}`]: (shop) =>
    shop.put("Service", "cart", ["spec", "ports", 0, "targetPort"], 9090).unreachable("cart"),
  [`routing.protocol ${cart}`]: (shop) =>
    shop.put("Service", "cart", ["spec", "ports", 0, "protocol"], "UDP").unreachable("cart"),
  "routing.address workload:shop/front": (shop) =>
    shop
      .template("front", [...container, "env"], [{ name: "CART_ADDR", value: "cart:81" }])
      .says("front", "dial cart:81: connection refused"),
  "routing.gateway workload:shop/pay": (shop) =>
    shop.set("Ingress", "edge", {
      spec: {
        rules: [
          {
            http: {
              paths: ["front", "cart", "pay", "cart/items"].map((path) => ({
                path: `/api/${path}`,
                backend: {
                  service: { name: path === "pay" ? "cart" : (path.split("/")[0] ?? "") },
                },
              })),
            },
          },
        ],
      },
    }),
  [`database.credentials ${cart}`]: (shop) =>
    database({ DB_PASSWORD: "wrong" })(shop)
      .unready("cart", "CrashLoopBackOff")
      .says("cart", "Access denied for user 'shop'"),
  [`database.port ${cart}`]: (shop) =>
    database({ DB_PORT: "3307" })(shop)
      .unready("cart", "CrashLoopBackOff")
      .says("cart", "Communications link failure"),
  "database.connections workload:shop/db": (shop) =>
    database({})(shop)
      .unready("cart", "CrashLoopBackOff")
      .unready("pay", "CrashLoopBackOff")
      .says("cart", "Too many connections")
      .says("pay", "Too many connections"),
  "database.read_only workload:shop/db": (shop) =>
    database({})(shop)
      .says("cart", "The MySQL server is running with the --read-only option")
      .says("pay", "The MySQL server is running with the --read-only option"),
  "host.kubelet host:n1": (shop) =>
    shop.put("Node", "n1", ["units", "kubelet", "activeState"], "inactive"),
  "host.runtime host:n1": (shop) =>
    shop.put("Node", "n1", ["units", "containerd"], { activeState: "failed", subState: "failed" }),
  "host.proxy host:n1": (shop) =>
    shop.put("Node", "n1", ["units", "kube-proxy"], { activeState: "inactive", subState: "dead" }),
  "host.scheduler host:cp": (shop) =>
    shop.pending("cart").put("Node", "cp", ["units", "kube-scheduler", "activeState"], "inactive"),
  [`compute.cpu ${cart}`]: (shop) =>
    shop
      .moved("service:cart", "cpu", "cpu core", 0.02, 0.2)
      .moved("service:cart", "cpu", "cpu_cfs", 0, 0.8),
  [`network.delay ${cart}`]: (shop) =>
    shop
      .moved("service:cart", "latency", "p50latency", 5, 900)
      .moved("service:front", "latency", "p50latency", 20, 1_000),
  "network.loss host:n2": (shop) =>
    shop.moved("host:n2", "errors", "TCP Retransmission", 0.01, 8.5),
};

test.each(Object.entries(cases))("%s", (expected, breakIt) => {
  expect(breakIt(new ShopCluster()).causes()[0]).toBe(expected);
});

/** The same shop in other namespaces, well; the front of the first calls them all. */
function amongOthers(events: readonly ModelEvent[], others: number): ModelEvent[] {
  const wellText = JSON.stringify(new ShopCluster().events().filter(isOfShop));
  const copies = Array.from({ length: others }, (_, at) => {
    const renamed = wellText
      .replaceAll("shop", `shop${at}`)
      .replaceAll(/"service:([a-z]+)"/g, `"service:$1${at}"`)
      .replaceAll(/"id":"/g, `"id":"${at}/`);
    const call: ModelEvent = {
      ...{ type: "edge", id: `call${at}`, at: now, knownAt: now, kind: "calls", basis: "declared" },
      ...{ from: "service:front", to: `service:front${at}`, origin: { source: "", reference: "" } },
    };
    return [...(JSON.parse(renamed) as ModelEvent[]), call];
  });
  return [...events, ...copies.flat()];
}

const isOfShop = (event: ModelEvent): boolean => JSON.stringify(event).includes("shop");

test.each(Object.entries(cases))("%s, in a shop among forty others", (expected, breakIt) => {
  const events = amongOthers(breakIt(new ShopCluster()).events(), 40);
  const graph = new Graph();
  graph.add(events);
  const symptom = { node: "service:front", at: now };
  const scope = scopeOf(graph, symptom, defaultSettings, events.length / 4);
  const [cause] = why(scope.events, symptom).causes;
  expect(`${cause?.kind} ${cause?.node}`).toBe(expected);
});

test("a healthy cluster gives no rule a word", () => {
  expect(new ShopCluster().causes()).toEqual([]);
});

test("what always was so, and hurts nobody, is no cause", () => {
  const shop = new ShopCluster()
    // Refused before its account was there, and created since.
    .warn("ReplicaSet", "cart-rs", "FailedCreate", 'serviceaccount "default" not found')
    // A dependency that nobody calls.
    .template("front", [...container, "env"], [{ name: "ASSISTANT_ADDR", value: "assistant:80" }])
    // A volume that was given back, and a selector that the pod did not need.
    .set("PersistentVolume", "old", { spec: {}, status: { phase: "Released" } })
    // The database's own log of somebody's wrong password.
    .says("pay", "Access denied for user 'nobody'");
  expect(shop.causes()).toEqual([]);
});

test("the same facts in another order give the same answer", () => {
  const events = cases[`routing.port ${cart}`]?.(new ShopCluster()).events() ?? [];
  const symptom = { at: 1_800_000_000_000, text: "" };
  expect(why(events.toReversed(), symptom)).toEqual(why(events, symptom));
});

test("an answer has the way from the object to who complains", () => {
  const shop = new ShopCluster()
    .calls("web", "front")
    .put("Service", "cart", ["spec", "ports", 0, "targetPort"], 9090)
    .unreachable("cart");
  const ask = (node?: string) =>
    why(shop.events(), { at: 1_800_000_000_000, ...(node === undefined ? {} : { node }) })
      .causes[0]?.path.map(({ to }) => to)
      .join(" ");
  expect(ask("service:front")).toBe("service:cart service:front");
  expect(ask()).toBe("service:cart service:front service:web");
});
