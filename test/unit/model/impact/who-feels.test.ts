/** Who feels trouble: careful without memory, and by what was felt with it. */
import { expect, test } from "vitest";
import {
  type ConfirmedIncident,
  confirm,
  emptyMemory,
  likelyFelt,
  type Memory,
  type Structure,
  whoFeels,
} from "../../../../src/model/index.ts";

/** web -> front -> cart -> stock, front -> ads. */
const structure: Structure = {
  services: ["service:ads", "service:cart", "service:front", "service:stock", "service:web"],
  calls: [
    ["service:web", "service:front"],
    ["service:front", "service:cart"],
    ["service:front", "service:ads"],
    ["service:cart", "service:stock"],
  ],
  servedBy: (node) => [node.replace("workload:shop/", "service:")],
};
const cause = { node: "workload:shop/cart", kind: "code.exception" as const };

const after = (felt: readonly string[], times: number, node = cause.node): Memory =>
  Array.from(
    { length: times },
    (_, i): ConfirmedIncident => ({
      id: `i${i}`,
      at: i,
      confirmedAt: i,
      node,
      kind: cause.kind,
      chain: [],
      felt,
    }),
  ).reduce(confirm, emptyMemory);

test("without memory: what it is at and all that call it, and nobody else", () => {
  expect([...likelyFelt(whoFeels(structure, cause, emptyMemory))].sort()).toEqual([
    "service:cart",
    "service:front",
    "service:web",
  ]);
});

test("with memory: who felt it before", () => {
  const memory = after(["service:web"], 6);
  expect(likelyFelt(whoFeels(structure, cause, memory))).toEqual(["service:web"]);
});

test("a place that nothing is known of borrows from places of its kind", () => {
  const memory = after(["service:stock"], 8, "workload:shop/stock");
  const [probability] = whoFeels(structure, cause, memory)
    .filter(({ service }) => service === "service:web")
    .map((each) => each.probability);
  expect(probability).toBeLessThan(0.5);
});

test("what happened where none of these services are tells nothing", () => {
  const memory = after(["service:elsewhere"], 8, "workload:other/elsewhere");
  expect(whoFeels(structure, cause, memory)).toEqual(whoFeels(structure, cause, emptyMemory));
});
