/** A part that is left out reaches every source of evidence, so that a comparison says what the part is worth. */
import { expect, test } from "vitest";
import { part, Story } from "./changes/story.ts";
import { ShopCluster } from "./rules/shop-cluster.ts";

const unguarded = part("api/cache.go", "mu sync.Mutex\nc.mu.Lock()\ndefer c.mu.Unlock()", "");

test("without topology no rule knows a workload's pods, nor whom a service selects", () => {
  const image = new ShopCluster().unready("cart", "ImagePullBackOff");
  expect(image.causes()[0]).toBe("image.reference workload:shop/cart");
  expect(image.causes("topology")).toEqual([]);
  const misled = new ShopCluster()
    .put("Service", "cart", ["spec", "selector"], { app: "crat" })
    .unreachable("cart");
  expect(misled.causes()[0]).toBe("routing.selector workload:shop/cart");
  expect(misled.causes("topology")).toEqual([]);
});

test("without types no rule and no cause outside of ours is known", () => {
  const image = new ShopCluster().unready("cart", "ImagePullBackOff");
  expect(image.causes("types")).toEqual([]);
  const story = new Story(60)
    .deploys("api", 57, "list orders", [part("api/a.go", "a", "b")])
    .says("api", "x509: certificate has expired or is not yet valid");
  expect(story.culprit("api fails")).toBe("external.certificate");
  expect(story.culprit("api fails", "types")).toBe("c1");
});

test("without changes what is outside of ours is still a cause, and no change is", () => {
  const story = new Story(60)
    .deploys("api", 50, "refactor: simplify the cache", [unguarded])
    .says("api", "x509: certificate has expired or is not yet valid");
  const causes = story.answer("api fails", "changes").causes;
  expect(causes[0]?.kind).toBe("external.certificate");
  expect(causes.filter(({ change }) => change !== undefined)).toEqual([]);
});

test("without time a deploy after the onset may have done it too", () => {
  const story = new Story(60)
    .deploys("api", 64, "drop the lock", [unguarded])
    .deploys("api", 55, "list orders", [part("api/a.go", "a", "b")])
    .says("api", "fatal error: concurrent map writes");
  expect(story.culprit("api fails")).toBe("c2");
  expect(story.culprit("api fails", "time")).toBe("c1");
});
