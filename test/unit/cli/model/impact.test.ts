/** `holdfast impact` and `holdfast model calibration` over a small graph and a policy. */
import { expect, test } from "vitest";
import { showCalibration } from "../../../../src/cli/model/calibration.ts";
import { type ImpactOptions, showImpact } from "../../../../src/cli/model/impact.ts";
import { impactOf } from "../../../../src/cli/model/impact-of.ts";
import {
  type ConfirmedIncident,
  Graph,
  incidentEvent,
  type Prediction,
  remembranceUnlessGiven,
  type Traffic,
} from "../../../../src/model/index.ts";
import { loadPolicySet } from "../../../../src/policy/load.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";
import { change, edge, fact, traffic } from "../../../fixtures/model-events.ts";

const at = Date.UTC(2026, 4, 4, 12);
const minute = 60_000;
const entered = (caller: string | null, callee: string, entry: string, count: number): Traffic => ({
  ...traffic(at - 5 * minute, caller, callee, { id: `${callee}${entry}`, count }),
  entry,
  operation: entry.split(" ").slice(1).join(" "),
});
const graph = new Graph();
graph.add([
  entered(null, "service:front", "front GET /cart", 250),
  entered(null, "service:front", "front GET /", 750),
  entered("service:front", "service:cart", "front GET /cart", 250),
  edge(at - minute, "service:cart", "config:cart", { kind: "configured_by" }),
  fact(at - minute, "service:cart", "contract", { zone: "shop", data_classes: ["orders"] }),
  { ...change(at - 30 * minute, "cart-1", ["config:cart"]), kind: "config" },
]);

const policy = loadPolicySet([
  {
    path: "p.yaml",
    text: `
tools:
  ops:configure: { effect: write, target: "config:{args.name}", change: config }
  ops:restart: { effect: write, target: "service:{args.name}", change: restart }
  ops:look: { effect: read }
policy: p
rules:
  - { id: usual, match: { tools: "ops:*" }, outcome: allow }
  - id: wide
    match: { tools: ops:configure }
    when: "!model.known || model.blastRadius.trafficShare > 0.2"
    outcome: approval_needed
    reason: It is wide
  - { id: reads, match: { tools: "ops:*", effect: read }, outcome: allow }
`,
  },
]).set;

const settled: Prediction = {
  ...{ id: "call-7", target: "config:cart", change: "config", at: at - 60 * minute },
  share: { value: 0.25, low: 0.2, high: 0.3 },
  services: ["service:cart"],
  ...{ touched: 0.25, isDone: true },
  outcome: { share: 0.24, services: ["service:cart", "service:front"], at: at - 55 * minute },
};

const ask = (what: string, more: object = {}, prediction: Prediction | null = settled) =>
  impactOf(
    { what, at, ...more },
    {
      graph,
      predictions: prediction === null ? [] : [prediction],
      policy,
      incidentKeepMs: remembranceUnlessGiven.incident.keepMs,
    },
  );

test("a tool with its arguments: what it touches, which rules would look at it, what happened to its like", () => {
  const asked = ask("ops:configure", { args: { name: "cart" } });
  if (!asked.ok) throw new Error(asked.error);
  const { felt, services, operations, zones, dataClasses, policies, similar, prediction } =
    asked.value;
  // One outcome was 96 % of what was touched, and one of caution.
  expect(felt?.value).toBeCloseTo((0.25 * (0.96 + 1)) / 2, 10);
  expect(services).toEqual(["service:cart", "service:front"]);
  expect(operations).toEqual([{ entry: "front GET /cart", part: 1, requests: 250 }]);
  expect([zones, dataClasses]).toEqual([["shop"], ["orders"]]);
  expect(policies.map(({ rule, outcome, readsModel }) => [rule, outcome, readsModel])).toEqual([
    ["p/usual", "allow", false],
    ["p/wide", "approval_needed", true],
  ]);
  expect(similar.map(({ action, felt: part }) => [action, part])).toEqual([
    ["deploy:cart-1", null],
    ["call-7", 0.24],
  ]);
  expect(prediction).toMatchObject({ target: "config:cart", change: "config", isDone: false });
  const again = ask("ops:configure", { args: { name: "cart" } });
  expect(again).toEqual(asked);
});

const incident = (id: string, felt: readonly string[]): ConfirmedIncident => ({
  ...{ id, at: at - 40 * minute, confirmedAt: at - 35 * minute, chain: [], felt },
  ...{ node: "config:cart", kind: "change.config" },
});

function askRemembering(
  incidents: readonly ConfirmedIncident[],
  predictions: readonly Prediction[] = [],
) {
  const remembering = new Graph();
  remembering.add(graph.events());
  remembering.add(incidents.map((each) => incidentEvent(each, "here")));
  const sources = { graph: remembering, predictions, policy, incidentKeepMs: 60 * minute };
  const asked = impactOf({ what: "config:cart", change: "config", at }, sources);
  if (!asked.ok) throw new Error(asked.error);
  return asked.value;
}

test("services are likely to feel it as far as their requests wait, unless incidents tell otherwise", () => {
  const unlearned = askRemembering([]);
  expect(unlearned.feelings).toMatchObject([
    { service: "service:cart", relation: "self", probability: 0.95, learnedFrom: [] },
    { service: "service:front", relation: "waits_little", probability: 0.25, learnedFrom: [] },
  ]);
  expect(unlearned.likely).toEqual(["service:cart"]);
  const both = ["service:cart", "service:front"];
  const learned = askRemembering(["i1", "i2", "i3"].map((id) => incident(id, both)));
  expect(learned.likely).toEqual(both);
  expect(learned.feelings[1]).toMatchObject({
    ...{ service: "service:front", trouble: "change.config", learnedFrom: ["i1", "i2", "i3"] },
  });
  expect(learned.feelings[1]?.probability).toBeGreaterThan(0.8);
  expect(learned.prediction?.services).toEqual(both);
  expect(learned.prediction?.feelings).toEqual(
    learned.feelings.map(({ service, probability }) => ({ service, probability })),
  );
});

test("incidents of another manner, and those that are too old, tell nothing; outcomes of such changes do", () => {
  const both = ["service:cart", "service:front"];
  const slow = { ...incident("slow", both), kind: "compute.cpu" as const };
  const old = { ...incident("old", both), confirmedAt: at - 61 * minute };
  expect(askRemembering([slow, old]).feelings).toEqual(askRemembering([]).feelings);
  const unfelt = { ...settled, outcome: { share: 0, services: [], at: at - 55 * minute } };
  const told = askRemembering([], [unfelt]);
  expect(told.feelings[0]).toMatchObject({ service: "service:cart", learnedFrom: ["call-7"] });
  expect(told.feelings[0]?.probability).toBeLessThan(0.5);
  const later = { ...unfelt, outcome: { ...unfelt.outcome, at: at - 10 * minute } };
  expect(ask("config:cart", { change: "config", knownAt: at - 20 * minute }, later)).toEqual(
    ask("config:cart", { change: "config", knownAt: at - 20 * minute }, null),
  );
  const restarts = askRemembering([], [{ ...unfelt, change: "restart" }]);
  expect(restarts.feelings).toEqual(askRemembering([]).feelings);
});

test.each([
  ["ops:configure", {}, "do not name the target"],
  ["ops:look", {}, "says of no node"],
  ["service:basket", {}, "knows nothing named `service:basket`"],
  ["cart", { change: "configuration" }, "no kind of change: give one of deploy"],
  ["latency", {}, "names no node and no tool"],
])("%s %j is refused", (what, more, words) => {
  const asked = ask(what, more);
  expect(asked.ok ? "" : asked.error).toContain(words);
});

function world() {
  const state = new SharedState(
    new SimDatabase(new Random(7), new SimClock(), noStoreFaults).open(),
  );
  const lines = { out: [] as string[], err: [] as string[] };
  const io = {
    out: (line: string) => void lines.out.push(line),
    err: (line: string) => void lines.err.push(line),
  };
  const opened = { graph, nowMs: at };
  const impact = (what: string, options: Partial<ImpactOptions> = {}) =>
    showImpact(
      what,
      { keep: true, ...options },
      { ...opened, state, config: { model: { kinds: {} } }, io },
    );
  const calibration = (options: { json?: boolean; window?: string } = {}) =>
    showCalibration(opened, state, { window: "300", ...options }, io);
  return { impact, calibration, lines };
}

test("the command says it for people and for programs, and keeps the prediction unless told not to", async () => {
  const { impact, calibration, lines } = world();
  expect(await impact("cart", { change: "restart" })).toBe(0);
  expect(lines.out.join("\n")).toMatch(
    /service:cart, restart, at 2026-05-04T12:00.*\n25 % \(0 % to .*all are taken to feel it/,
  );
  expect(lines.out.join("\n")).toMatch(
    /services likely to feel it\n.*LEARNED FROM\n +service:cart +95 % +it starts there +schedule.replicas_zero +structure and traffic alone\n\nother services that could\n +service:front +25 %/,
  );
  expect(await impact("config:cart", { json: true, keep: false })).toBe(0);
  expect(JSON.parse(lines.out.at(-1) ?? "")).toMatchObject({
    target: "config:cart",
    requests: 1000,
    feelings: [{ service: "service:cart", probability: 0.95 }, { service: "service:front" }],
    likely: ["service:cart"],
  });
  expect(await calibration()).toBe(0);
  expect(lines.out.join("\n")).toMatch(/restart +1 +0/);
  expect(lines.out.at(-1)).toContain("nothing can be compared yet");
  expect(await calibration({ json: true })).toBe(0);
  expect(JSON.parse(lines.out.at(-1) ?? "")).toMatchObject({
    all: { predictions: 1, settled: 0 },
    predictions: [{ feelings: [{ service: "service:cart", probability: 0.95 }, {}] }],
  });
});

test("what is asked about the past with what was learned since is no prediction, and is not kept", async () => {
  const { impact, calibration, lines } = world();
  expect(await impact("cart", { change: "restart", at: "5s", knownAt: "now" })).toBe(0);
  expect(await calibration({ json: true })).toBe(0);
  expect(JSON.parse(lines.out.at(-1) ?? "")).toMatchObject({ all: { predictions: 0 } });
});

test("wrong usage is said as such", async () => {
  const { impact, calibration, lines } = world();
  expect(await impact("cart", { at: "soon" })).toBe(2);
  expect(await impact("cart", { args: "[]" })).toBe(2);
  expect(await impact("nobody")).toBe(2);
  expect(await calibration({ window: "x" })).toBe(2);
  expect(lines.err).toEqual([
    expect.stringContaining("--at: `soon` is no moment"),
    expect.stringContaining("--args: is no JSON object"),
    expect.stringContaining("knows nothing named `nobody`"),
    expect.stringContaining("--window"),
  ]);
});
