/** Confirmed incidents are kept, expire, are read back, and are seen in the next answer. */
import { expect, test } from "vitest";
import {
  type ConfirmedIncident,
  confirm,
  defaultSettings,
  emptyMemory,
  memoryText,
  readMemory,
  unexpired,
  why,
} from "../../../../src/model/index.ts";
import { recall } from "../../../../src/model/memory/recall.ts";
import { ShopCluster } from "../why/rules/shop-cluster.ts";

const hour = 3_600_000;
const at = 1_800_000_000_000;
const incident: ConfirmedIncident = {
  id: "i1",
  at: at - 5 * hour,
  confirmedAt: at - 4 * hour,
  node: "workload:shop/cart",
  kind: "routing.port",
  chain: ["workload:shop/cart", "service:cart", "service:front"],
  share: 0.8,
  served: ["service:cart"],
  felt: ["service:cart", "service:front"],
  resolution: "targetPort corrected",
  policy: "services-are-checked",
  confirmedBy: "mika",
};

test("memory reads back what it wrote", () => {
  const memory = confirm(confirm(emptyMemory, { ...incident, id: "i2" }), incident);
  expect(readMemory(memoryText(memory))).toEqual({ ok: true, value: memory });
});

test("the order of confirming changes nothing; the later word on an incident counts", () => {
  const [a, b] = [incident, { ...incident, id: "i2" }];
  expect(confirm(confirm(emptyMemory, a), b)).toEqual(confirm(confirm(emptyMemory, b), a));
  const corrected = { ...incident, kind: "routing.selector" as const, confirmedAt: at };
  expect(confirm(confirm(emptyMemory, corrected), incident).incidents).toEqual([corrected]);
  expect(confirm(confirm(emptyMemory, incident), corrected).incidents).toEqual([corrected]);
});

test("what has expired is not remembered, and what bears its own date keeps it", () => {
  const memory = confirm(confirm(emptyMemory, incident), {
    ...incident,
    id: "i2",
    expiresAt: at + hour,
  });
  const ids = (now: number, keepMs: number) =>
    unexpired(memory, { now, keepMs }).incidents.map(({ id }) => id);
  expect(ids(at, 5 * hour)).toEqual(["i1", "i2"]);
  expect(ids(at, 4 * hour)).toEqual(["i2"]);
  expect(ids(at + hour, 50 * hour)).toEqual(["i1"]);
});

test.each([
  ["{", "not JSON"],
  ['{"schema":"holdfast.memory/9","incidents":[]}', "$.schema"],
  ['{"schema":"holdfast.memory/1","incidents":[{"id":"a","kind":"magic"}]}', "$.incidents[0].kind"],
  [
    '{"schema":"holdfast.memory/1","incidents":[{"id":"a","kind":"routing.port","node":"x"}]}',
    "$.incidents[0].node",
  ],
])("what is no memory is refused with its place: %s", (text, place) => {
  const read = readMemory(text);
  expect(read.ok ? "" : read.error).toContain(place);
});

test("the next answer is likelier by it and says so; an incident of later is not known yet", () => {
  const events = new ShopCluster()
    .put("Service", "cart", ["spec", "ports", 0, "targetPort"], 9090)
    .events();
  const ask = (memory = emptyMemory) =>
    why(events, { at, text: "" }, { ...defaultSettings, memory }).causes[0];
  const remembered = ask(confirm(emptyMemory, incident));
  expect(remembered?.remembered).toEqual(["i1"]);
  expect(remembered?.confidence).toBeGreaterThan(ask()?.confidence ?? 1);
  expect(ask(confirm(emptyMemory, { ...incident, confirmedAt: at + hour }))?.remembered).toEqual(
    [],
  );
});

test("however often it happened before, memory alone never decides", () => {
  const often = Array.from({ length: 500 }, (_, each) => ({ ...incident, id: `i${each}` }));
  const memory = often.reduce(confirm, emptyMemory);
  const { nats, incidents } = recall(memory, { node: incident.node, kind: incident.kind, at });
  expect(nats).toBe(1);
  expect(incidents).toHaveLength(3);
});
