/** The same trouble with other words, other objects, or told by others than usual. */
import { expect, test } from "vitest";
import type { JsonObject } from "../../../../../src/kernel/index.ts";
import { why } from "../../../../../src/model/index.ts";
import { ShopCluster } from "./shop-cluster.ts";

const cart = "workload:shop/cart";
const container = ["containers", 0] as const;

const notPulled = (message: string) => (shop: ShopCluster) =>
  shop
    .unready("cart", "ImagePullBackOff")
    .warn(
      "Pod",
      "cart-pod",
      "Failed",
      `Failed to pull image "registry.example/cart:1": ${message}`,
    );

const repelledBy = (terms: JsonObject) => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [terms] },
});
const beside = (app: string): JsonObject => ({
  topologyKey: "kubernetes.io/hostname",
  labelSelector: { matchLabels: { app } },
});

test("pods are kept out by what runs beside them, by its rule or theirs", () => {
  const shop = () => new ShopCluster().pending("cart");
  const everywhere = (each: ShopCluster) => each.put("Node", "n2", ["spec", "unschedulable"], true);
  const theirs = everywhere(shop()).template("pay", ["affinity"], repelledBy(beside("cart")));
  expect(theirs.causes()[0]).toBe(`schedule.anti_affinity ${cart}`);
  const far = shop().template("cart", ["affinity"], {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [beside("nobody")] },
  });
  expect(far.causes()[0]).toBe(`schedule.pod_affinity ${cart}`);
  const spread = shop()
    .put("Node", "n1", ["metadata", "labels", "zone"], "a")
    .template(
      "cart",
      ["topologySpreadConstraints"],
      [{ topologyKey: "rack", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule" }],
    );
  expect(spread.causes()[0]).toBe(`schedule.topology_spread ${cart}`);
});

test("where the scheduler names other reasons than the nodes that are known, it is believed", () => {
  const shop = new ShopCluster()
    .pending("cart")
    .template("cart", [...container, "resources", "requests", "cpu"], "16")
    .warn(
      "Pod",
      "cart-pod",
      "FailedScheduling",
      "0/9 nodes are available: 9 node(s) had untolerated taint {team: a}.",
    );
  expect(shop.causes()[0]).toBe(`schedule.taint ${cart}`);
});

const denied =
  "failed to authorize: pull access denied, repository does not exist or may require authorization";

test.each([
  [
    "a private place, pulled from by nobody else",
    "registry.example/cart:1",
    denied,
    "image.pull_secret",
  ],
  ["an official image", "redis:alpinee", "403 Forbidden", "image.reference"],
  ["what peers pull from without a secret", "open.example/crat:1", denied, "image.reference"],
  ["no word of rights", "registry.example/cart:1", "manifest unknown", "image.reference"],
])("denied: %s", (_, image, message, kind) => {
  const place = image.startsWith("open") ? "open.example" : "elsewhere.example";
  const shop = new ShopCluster()
    .unready("cart", "ImagePullBackOff")
    .template("cart", [...container, "image"], image)
    .template("pay", [...container, "image"], `${place}/pay:1`)
    .template("front", [...container, "image"], `${place}/front:1`)
    .warn("Pod", "cart-pod", "Failed", `Failed to pull image "${image}": ${message}`);
  expect(shop.causes()[0]).toBe(`${kind} ${cart}`);
});

test("where peers pull with a secret, or their account does, the one without lacks it", () => {
  const shop = notPulled(denied)(new ShopCluster())
    .set("ServiceAccount", "puller", { spec: { imagePullSecrets: [{ name: "pull" }] } })
    .template("pay", ["serviceAccountName"], "puller");
  expect(shop.causes()[0]).toBe(`image.pull_secret ${cart}`);
});

test("a database that takes no writes is found by one client, by its address alone", () => {
  const shop = new ShopCluster()
    .template("pay", [...container, "image"], "registry.example/library/redis:7")
    .template("cart", [...container, "env"], [{ name: "STORE", value: "redis://pay:80/0" }])
    .says("cart", "READONLY You can't write against a read only replica.");
  expect(shop.causes()[0]).toBe("database.read_only workload:shop/pay");
});

test("a unit that is restarted again and again is as good as stopped, and so is a pod of the same", () => {
  const flapping = new ShopCluster().put("Node", "n2", ["units", "kube-proxy"], {
    activeState: "activating",
    subState: "auto-restart",
  });
  expect(flapping.causes()).toEqual(["host.proxy host:n2"]);
});

test("services that other nodes reach and one does not are its proxy's matter", () => {
  const shop = new ShopCluster();
  for (const host of ["n1", "n2"])
    for (const name of ["cart", "pay", "front"])
      shop.tell({
        type: "condition",
        node: `host:${host}`,
        name: "Reaches",
        status: host === "n1" || name === "front" ? "true" : "false",
        message: `${name}:80`,
      });
  expect(shop.causes()).toEqual(["host.proxy host:n2"]);
});

test("a command of a probe that asks another port asks a wrong port, and no other protocol", () => {
  const shop = new ShopCluster()
    .unready("cart", "CrashLoopBackOff", { restartCount: 4 })
    .template("cart", [...container, "livenessProbe"], {
      exec: { command: ["/bin/grpc_health_probe", "-addr=:9090"] },
    })
    .warn(
      "Pod",
      "cart-pod",
      "Unhealthy",
      "Liveness probe failed: timeout: failed to connect service",
    );
  expect(shop.causes()).toEqual([`probe.liveness_port ${cart}`]);
});

test("where all who use a service look for it at the port that its pods listen on, the service is wrong", () => {
  const shop = new ShopCluster()
    .template("front", [...container, "env"], [{ name: "CART_ADDR", value: "cart:8080" }])
    .says("front", "dial tcp: connect to cart:8080: i/o timeout");
  expect(shop.causes()[0]).toBe(`routing.port ${cart}`);
});

test("an account's pull secret that is not there is missing too", () => {
  const shop = notPulled(denied)(new ShopCluster()).set("ServiceAccount", "default", {
    spec: { imagePullSecrets: [{ name: "gone" }] },
  });
  expect(shop.causes()[0]).toBe(`image.pull_secret ${cart}`);
});

test("a policy that lets no names out is found, though only a caller passes on what fails", () => {
  const shop = new ShopCluster()
    .calls("pay", "cart")
    .set("NetworkPolicy", "pay-out", {
      spec: {
        podSelector: { matchLabels: { app: "pay" } },
        policyTypes: ["Egress"],
        egress: [{ ports: [{ port: 80, protocol: "TCP" }] }],
      },
    })
    .says("pay", "DNS resolution failed for cart:80: Timeout while contacting DNS servers")
    .says(
      "front",
      "pay failed: DNS resolution failed for cart:80: Timeout while contacting DNS servers",
    );
  expect(shop.causes()[0]).toBe("network.dns workload:shop/pay");
});

test("what is deployed and has no service is not resolved by others: it lacks the service", () => {
  const shop = new ShopCluster()
    .remove("Service", "cart")
    .says("front", "dial tcp: lookup cart on 10.0.0.10:53: no such host");
  expect(shop.causes()[0]).toBe(`network.dns ${cart}`);
});

test("who runs, resolves others and is told that one name does not exist has a resolver: the name fails", () => {
  const shop = new ShopCluster().says("front", "lookup cart on 10.0.0.10:53: no such host");
  expect(shop.causes()).toEqual([`network.dns ${cart}`, "network.dns workload:shop/front"]);
  const silent = new ShopCluster().says("front", "lookup cart on 10.0.0.10:53: i/o timeout");
  expect(silent.causes()).toEqual(["network.dns workload:shop/front"]);
  const both = new ShopCluster()
    .says("front", "lookup cart on 10.0.0.10:53: no such host")
    .says("front", "lookup pay on 10.0.0.10:53: no such host");
  expect(both.causes()).toEqual(["network.dns workload:shop/front"]);
});

test("of two who do not resolve the same name, the one that the other calls is meant", () => {
  const shop = new ShopCluster()
    .says("pay", "getaddrinfo EAI_AGAIN ledger.example")
    .says("front", "pay failed: getaddrinfo EAI_AGAIN ledger.example");
  expect(shop.causes()).toEqual(["network.dns workload:shop/pay"]);
});

test.each([
  ["config.missing", "Failed", 'Error: configmap "cart-rules" not found'],
  ["volume.attachment", "FailedAttachVolume", "Multi-Attach error for volume pvc-1"],
])("%s is told by the platform's own word", (kind, reason, message) => {
  const shop = new ShopCluster()
    .unready("cart", "CreateContainerConfigError")
    .warn("Pod", "cart-pod", reason, message);
  expect(shop.causes()[0]).toBe(`${kind} ${cart}`);
});

test("admission and quotas of any resource are told by the API server's refusal", () => {
  const refused = (message: string) =>
    new ShopCluster()
      .remove("Pod", "cart-pod")
      .warn("ReplicaSet", "cart-rs", "FailedCreate", message);
  expect(
    refused('admission webhook "policy.example" denied the request: no limits').causes()[0],
  ).toBe(`admission.denied ${cart}`);
  expect(
    refused(
      'pods "c" is forbidden: exceeded quota: q, requested: count/jobs.batch=1, used: 9, limited: 9',
    ).causes()[0],
  ).toBe("quota.objects namespace:shop");
  expect(
    refused('pods "c" is forbidden: failed quota: q: must specify limits.cpu').causes()[0],
  ).toBe("quota.cpu namespace:shop");
});

test("where not all pods are listed, what the workload says of itself counts", () => {
  const listed = (ready: number) =>
    new ShopCluster()
      .put("Deployment", "cart", ["spec", "replicas"], 2)
      .put("Deployment", "cart", ["status"], { replicas: 2, readyReplicas: ready })
      .causes();
  expect(listed(2)).toEqual([]);
  expect(listed(1)[0]).toBe(`workload.failing ${cart}`);
});

const place = (shop: ShopCluster): string | undefined => {
  const [cause] = why(shop.events(), { at: 1_800_000_000_000, text: "broken" }).causes;
  expect(cause?.kind).toBe("workload.failing");
  expect(cause?.confidence).toBeGreaterThan(0.5);
  expect(cause?.confidence).toBeLessThan(0.9);
  return cause?.node;
};

test("trouble that no rule knows is still told of the right place, without being sure", () => {
  const crash = (shop: ShopCluster, ...names: readonly string[]) =>
    names.reduce((each, name) => each.unready(name, "CrashLoopBackOff", { restartCount: 4 }), shop);
  // From callee to caller: who waits is not meant.
  expect(place(crash(new ShopCluster(), "front", "cart"))).toBe(cart);
  // All on one machine, where nothing else runs well.
  expect(place(crash(new ShopCluster(), "front", "cart", "pay"))).toBe("host:n1");
  // Several without any pod.
  const without = new ShopCluster().remove("Pod", "cart-pod").remove("Pod", "pay-pod");
  expect(place(without)).toBe("namespace:shop");
});

test("a volume that was retained is still its former claim's, and the binder is believed", () => {
  const claimed = new ShopCluster()
    .pending("cart")
    .template("cart", ["volumes"], [{ name: "data", persistentVolumeClaim: { claimName: "data" } }])
    .set("PersistentVolumeClaim", "data", {
      spec: { accessModes: ["ReadWriteOnce"] },
      status: { phase: "Pending" },
    });
  const volume = (claim: string) => ({
    spec: { accessModes: ["ReadWriteOnce"], claimRef: { namespace: "shop", name: claim } },
    status: { phase: "Released" },
  });
  expect(claimed.set("PersistentVolume", "v", volume("data")).causes()[0]).toBe(
    `volume.occupied ${cart}`,
  );
  const bound = claimed
    .set("PersistentVolume", "v", volume("other"))
    .warn(
      "PersistentVolumeClaim",
      "data",
      "VolumeMismatch",
      'Cannot bind to requested volume "v": requested PV is too small',
    );
  expect(bound.causes()[0]).toBe(`volume.capacity ${cart}`);
});

test("who uses the network of its host and the usual policy asks the resolver of the host", () => {
  const shop = new ShopCluster()
    .template("pay", ["hostNetwork"], true)
    .says("pay", "dial tcp: lookup cart on 127.0.0.53:53: no such host");
  expect(shop.causes()[0]).toBe("network.dns workload:shop/pay");
});

test("a service that leads outside, to a name that is not there, is meant where the log names none", () => {
  const shop = new ShopCluster()
    .put("Service", "cart", ["spec"], { type: "ExternalName", externalName: "gone.example" })
    .template("front", [...container, "env"], [{ name: "CART_ADDR", value: "cart:80" }])
    .says("front", "SocketException: Name or service not known");
  expect(shop.causes()[0]).toBe(`network.dns ${cart}`);
});

test("a name of another namespace, where nothing of it is, is a wrong address; a domain elsewhere is none of ours", () => {
  const using = (value: string) =>
    new ShopCluster()
      .template("front", [...container, "env"], [{ name: "CART_ADDR", value }])
      .causes();
  expect(using("cart.baskets:80")[0]).toBe("routing.address workload:shop/front");
  expect(using("cart.shop.svc.cluster.local:80")).toEqual([]);
  expect(using("cart.example.com:80")).toEqual([]);
});

test("what is killed from outside, by a probe that nothing can satisfy in time, needs no event", () => {
  const killed = (exitCode: number) =>
    new ShopCluster()
      .unready("cart", "CrashLoopBackOff", {
        restartCount: 9,
        lastState: { terminated: { reason: "Error", exitCode } },
      })
      .template("cart", [...container, "livenessProbe"], {
        httpGet: { port: 8080 },
        initialDelaySeconds: 0,
        periodSeconds: 1,
        failureThreshold: 1,
      })
      .causes()[0];
  expect(killed(137)).toBe(`probe.liveness_timing ${cart}`);
  expect(killed(1)).toBe(`workload.failing ${cart}`);
});

test("a path that misses a letter of its service leads nobody there, once somebody gets 404 for it", () => {
  const paths = (wrong: string) =>
    new ShopCluster().set("Ingress", "edge", {
      spec: {
        rules: [
          {
            http: {
              paths: ["front", "cart", "pay"].flatMap((name) => [
                { path: `/api/${name}`, backend: { service: { name } } },
                ...(name === "front"
                  ? [{ path: `/api/${wrong}`, backend: { service: { name } } }]
                  : []),
              ]),
            },
          },
        ],
      },
    });
  expect(paths("frnt").says("pay", "GET /api/front: 404 Not Found").causes()[0]).toBe(
    "routing.gateway workload:shop/front",
  );
  expect(paths("fronts").says("pay", "GET /api/front: 404 Not Found").causes()).toEqual([]);
});
