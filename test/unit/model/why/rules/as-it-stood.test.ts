/** A contradiction is the likelier cause when it came after the workload was well, and less likely when it stood then. */
import { expect, test } from "vitest";
import type { JsonObject } from "../../../../../src/kernel/index.ts";
import { why } from "../../../../../src/model/index.ts";
import { ShopCluster } from "./shop-cluster.ts";

const cart = "workload:shop/cart";
const well = { replicas: 1, availableReplicas: 1 };
const down = { replicas: 1, unavailableReplicas: 1 };
/** It was well an hour ago, and waits for a node now. */
function waiting(): ShopCluster {
  const healthy = new ShopCluster();
  const pod = (aspect: string) => healthy.at("Pod", "cart-pod", [aspect]) as JsonObject;
  return new ShopCluster()
    .was(60, "Deployment", "cart", "status", well)
    .was(60, "Pod", "cart-pod", "spec", pod("spec"))
    .was(60, "Pod", "cart-pod", "status", pod("status"))
    .pending("cart")
    .template("cart", ["nodeSelector"], { disk: "tape" })
    .put("Deployment", "cart", ["status"], down);
}

const selecting = (disk: string): JsonObject =>
  new ShopCluster()
    .template("cart", ["nodeSelector"], { disk })
    .at("Deployment", "cart", ["spec"]) as JsonObject;

const first = (shop: ShopCluster, before?: number) => {
  const at = 1_800_000_000_000;
  const events = shop.events().filter((event) => event.at <= at - (before ?? 0) * 60_000);
  const [cause] = why(events, { at, text: "the shop is broken" }).causes;
  return cause === undefined
    ? undefined
    : { ...cause, weights: cause.evidence.map(({ weight }) => weight) };
};

test("what was not so when it was well is shown with what changed, and since when", () => {
  const shop = waiting().was(120, "Deployment", "cart", "spec", selecting("ssd"));
  const cause = first(shop);
  expect(cause).toMatchObject({ node: cart, kind: "schedule.node_selector", weights: [7, 1.5] });
  expect(cause?.evidence[1]?.says).toContain(
    'spec.template.spec.nodeSelector.disk from "ssd" to "tape"',
  );
  expect(cause?.onsetAt).toBe(1_800_000_000_000 - 5 * 60_000);
});

test("what stood so when it was well, and nothing has changed since, is less likely the cause", () => {
  const cause = first(waiting());
  expect(cause).toMatchObject({ node: cart, kind: "schedule.node_selector", weights: [7, -2.5] });
});

test("what stood so is no less likely when something else has changed since", () => {
  const shop = waiting()
    .was(120, "Node", "n1", "spec", { taints: [] })
    .put("Node", "n1", ["spec"], {
      taints: [{ key: "maintenance", value: "yes", effect: "NoSchedule" }],
    });
  expect(first(shop)?.weights).toEqual([7]);
});

test("where nothing is known of a better time, nothing is said of it", () => {
  const shop = new ShopCluster()
    .pending("cart")
    .template("cart", ["nodeSelector"], { disk: "tape" })
    .put("Deployment", "cart", ["status"], down);
  expect(first(shop)?.weights).toEqual([7]);
});

test("as of a time before the change there is nothing to say", () => {
  const shop = waiting().was(120, "Deployment", "cart", "spec", selecting("ssd"));
  expect(first(shop, 10)).toBeUndefined();
});
