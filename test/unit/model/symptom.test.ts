import { expect, test } from "vitest";
import { readSymptom } from "../../../src/model/index.ts";

const known = [
  "service:front",
  "service:cart",
  "workload:shop/cart",
  "workload:a/queue",
  "workload:b/queue",
  "host:worker-01",
];
const at = 5;

test.each([
  ["service:front latency", { node: "service:front", signal: "latency" }],
  ["front slow", { node: "service:front", signal: "latency" }],
  ["slow front", { node: "service:front", signal: "latency" }],
  ["cart DOWN", { node: "service:cart", signal: "availability" }],
  ["cart /checkout errors", { node: "service:cart", operation: "/checkout", signal: "errors" }],
  ["latency", { signal: "latency" }],
  ["worker-01", { node: "host:worker-01" }],
  ["a/queue lag", { node: "workload:a/queue", signal: "lag" }],
])("%s", (text, expected) => {
  expect(readSymptom(text, at, { has: (id) => known.includes(id), nodes: () => known })).toEqual({
    ok: true,
    value: { at, text, ...expected },
  });
});

test.each([
  ["", "name what is wrong"],
  ["service:fron latency", "did you mean service:front?"],
  ["frotn latency", "did you mean service:front?"],
  ["service:crat latency", "did you mean "],
  ["nothing like it", "`holdfast model show` lists what is known"],
  ["queue", "several: workload:a/queue, workload:b/queue"],
  ["__proto__", "nothing named `__proto__`"],
])("%j is refused with what to do", (text, message) => {
  const read = readSymptom(text, at, { has: (id) => known.includes(id), nodes: () => known });
  expect(read.ok ? "" : read.error).toContain(message);
});
