/** What people wrote becomes memory, and an answer's chain is held against theirs. */
import { expect, test } from "vitest";
import { instantText } from "../../../../src/kernel/index.ts";
import {
  type Cause,
  chainMatch,
  confirm,
  emptyMemory,
  incidentEvent,
  incidentOf,
  memoryOf,
  type Postmortem,
  readPostmortemJson,
  readPostmortemMarkdown,
} from "../../../../src/model/index.ts";

const markdown = `# Checkout was down on Tuesday

It began at 2026-03-03T10:15:00Z.

## Root cause
The port of service:cart was changed to one that nobody listens on.

kind: routing.port

## Propagation
object:Service/shop/cart -> service:cart -> service:front

## Resolution
The port was set back.

## Policy
ports-need-review
`;

const chainFile = JSON.stringify({
  id: "s1",
  groups: [
    { id: "load-pod", kind: "Pod", namespace: "n", filter: ["load-.*"], root_cause: true },
    { id: "load-service", kind: "Service", namespace: "n", filter: ["load\\b"] },
    { id: "front-service", kind: "Service", namespace: "n", filter: ["front\\b"] },
  ],
  aliases: [["load-pod", "load-service"]],
  fault: [{ category: "Change", condition: "a flood of requests" }],
  propagations: [
    {
      source: "load-pod",
      target: "load-service",
      condition: "more users",
      effect: "more requests",
    },
    { source: "load-service", target: "front-service", condition: "overload", effect: "errors" },
  ],
});

function read(result: { ok: true; value: Postmortem } | { ok: false; error: string }): Postmortem {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

test("Markdown gives the cause, its kind, the chain, the resolution and the policy", () => {
  const postmortem = read(readPostmortemMarkdown(markdown, "2026-03-03"));
  expect(postmortem.chain.map(({ from, to }) => [from, to])).toEqual([
    ["object:Service/shop/cart", "service:cart"],
    ["service:cart", "service:front"],
  ]);
  expect(incidentOf(postmortem, { at: 7, by: "mika" })).toMatchObject({
    id: "2026-03-03",
    at: Date.UTC(2026, 2, 3, 10, 15),
    node: "service:cart",
    kind: "routing.port",
    felt: ["service:cart", "service:front"],
    resolution: "The port was set back.",
    policy: "ports-need-review",
    confirmedBy: "mika",
  });
});

test.each([
  ["Date: 2026-03-04", "2026-03-04T00:00:00.000Z"],
  ["**Date:** 2026-03-04 +02:00", "2026-03-03T22:00:00.000Z"],
  ["| Date | 2026-03-04 |", "2026-03-04T00:00:00.000Z"],
  ["Date: 2026-03-04 10:15 (UTC)", "2026-03-04T10:15:00.000Z"],
  ["Date: 2026-03-04\n\nIt began at 2026-03-04T10:15:00-05:00.", "2026-03-04T15:15:00.000Z"],
  ["Written on 2026-03-09.", undefined],
  ["Date: 2026-13-04", undefined],
])("%j was at %s", (line, at) => {
  const text = `# Down\n\n${line}\n\n## Root cause\nservice:cart\n`;
  const { at: told } = read(readPostmortemMarkdown(text, "x"));
  expect(told === undefined ? undefined : instantText(told)).toBe(at);
});

test("a chain without sections is a postmortem; a text without either is refused", () => {
  const postmortem = read(readPostmortemMarkdown("flags -> `cart` -> front (errors)", "x"));
  expect(postmortem.roots).toEqual(["service:flags"]);
  expect(postmortem.chain.map(({ to }) => to)).toEqual(["service:cart", "service:front"]);
  expect(readPostmortemMarkdown("nothing of use", "x").ok).toBe(false);
});

test("a file of groups and propagations gives a chain, and what is one thing to people", () => {
  const postmortem = read(readPostmortemJson(chainFile));
  expect(postmortem.roots).toEqual(["service:load"]);
  expect(postmortem.kind).toBe("external.traffic");
  expect(postmortem.chain).toHaveLength(2);
});

test.each([
  ["{}", "$.id"],
  ['{"id":"a","cause":"cart"}', "$.cause"],
  ['{"id":"a","cause":"service:cart","chain":[{"from":"x"}]}', "$.chain[0]"],
  ['{"id":"a","groups":[],"propagations":[{"source":"x"}]}', "$.propagations[0]"],
])("what is no postmortem is refused with its place: %s", (text, place) => {
  const result = readPostmortemJson(text);
  expect(result.ok ? "" : result.error).toContain(place);
});

test("an answer's chain is compared by what it joins, under the names that are the same", () => {
  const postmortem = read(readPostmortemJson(chainFile));
  const cause = (path: readonly (readonly [string, string])[]): Cause => ({
    node: "workload:n/load",
    kind: "external.traffic",
    confidence: 1,
    onsetAt: null,
    path: path.map(([from, to]) => ({ from, to, edge: "calls", because: "" })),
    evidence: [],
    remembered: [],
  });
  expect(chainMatch(cause([["service:load", "service:front"]]), postmortem)).toEqual({
    isRoot: true,
    precision: 1,
    recall: 1,
  });
  expect(chainMatch(cause([["service:load", "service:cart"]]), postmortem)).toMatchObject({
    precision: 0,
    recall: 0,
  });
});

test("the log remembers: told once, read back, corrected by a later word", () => {
  const incident = incidentOf(read(readPostmortemMarkdown(markdown, "m")), { at: 7, by: "mika" });
  if (incident === undefined) throw new Error("it has a cause");
  const later = { ...incident, kind: "routing.selector" as const, confirmedAt: 9 };
  const events = [incidentEvent(later, "b.md"), incidentEvent(incident, "a.md")];
  expect(memoryOf(events)).toEqual(confirm(emptyMemory, later));
  expect(memoryOf(events.toReversed())).toEqual(memoryOf(events));
});
