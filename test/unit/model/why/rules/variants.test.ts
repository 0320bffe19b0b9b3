/** The same trouble with other words, other objects, or told by others than usual. */
import { expect, test } from "vitest";
import type { JsonObject } from "../../../../../src/kernel/index.ts";
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
