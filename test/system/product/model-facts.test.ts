/** Policy judges by what the runtime model predicts, and asks people where it does not know. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import { ModelLog } from "../../../src/control/index.ts";
import {
  factsLines,
  type ModelEvent,
  type TargetFacts,
  type Traffic,
} from "../../../src/model/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { traffic } from "../../fixtures/model-events.ts";
import { type Answer, deskPolicy, type Process, until, type World, world } from "./harness.ts";

const freshSeconds = 30;
const made: { it?: World; gateway?: Process } = {};
const here = (): World => made.it as World;

const policy = deskPolicy
  .replace(
    "desk:POST /items: { effect: write, risk: high }",
    'desk:POST /items: { effect: write, risk: high, target: "service:{args.body.service}", change: restart }',
  )
  .concat(`  - id: too-wide
    match: { tools: "desk:POST /items" }
    when: model.known && model.blastRadius.trafficShare > 0.25
    outcome: deny
    reason: It would touch more than a quarter of the traffic
  - id: unsure
    match: { tools: "desk:POST /items" }
    when: "!model.known"
    outcome: approval_needed
    reason: Nobody knows what it would touch
`);

beforeAll(async () => {
  made.it = await world({
    config: `model: { facts_every_seconds: 0.1, facts_fresh_seconds: ${freshSeconds}, outcome_window_seconds: 1 }`,
  });
  here().policy("desk.yaml", policy);
  const { control, gateway } = await here().both();
  made.gateway = gateway;
  // From here on the facts are what the test writes.
  await control.stop();
});
afterAll(() => here().close());

const facts = (name: string, share: number): TargetFacts => ({
  target: `service:${name}`,
  dependents: 2,
  recentChanges: 0,
  memory: { count: 0, byChange: {} },
  reached: {
    "*": {
      services: 2,
      share: { value: share, low: share / 2, high: Math.min(1, share * 2) },
      zones: [],
      dataClasses: [],
    },
  },
});

let version = 0;
function writeFacts(toldAtMs: number): void {
  version += 1;
  const head = { version, madeAtMs: Date.now(), toldAtMs };
  const lines = [...factsLines(head, [facts("front", 0.9), facts("mail", 0.02)]), ""];
  mkdirSync(here().path("data/model"), { recursive: true });
  writeFileSync(here().path("data/model/new"), lines.join("\n"));
  renameSync(here().path("data/model/new"), here().path("data/model/facts.jsonl"));
}

const restart = (service?: string): Promise<Answer> =>
  here().http("POST", "/http/desk/items", service === undefined ? {} : { service });

/** What became of it; a snapshot takes a moment to be read. */
async function outcomeOf(service: string | undefined, expected: string): Promise<void> {
  await until(`${service} is ${expected}`, async () => {
    const { status, body } = await restart(service);
    const decision = status === 200 ? "allow" : (body["decision"] as string);
    return decision === expected ? true : undefined;
  });
}

test("within the bound it is done, beyond it denied, unknown it is for people; the record says what was predicted", async () => {
  await outcomeOf("mail", "approval_needed");
  writeFacts(Date.now());
  await outcomeOf("mail", "allow");
  await outcomeOf("front", "deny");
  await outcomeOf("basket", "approval_needed");
  await outcomeOf(undefined, "approval_needed");
  writeFacts(Date.now() - freshSeconds * 2_000);
  await outcomeOf("mail", "approval_needed");
  const told = here()
    .entries()
    .filter(({ kind, tool }) => kind === "decision" && tool === "desk:POST /items")
    .map(({ decision, prediction }) => ({ decision, ...(prediction as object) }));
  const restarted = { known: true, change: "restart", services: 2 };
  for (const expected of [
    { decision: "allow", ...restarted, target: "service:mail", share: 0.02, share_high: 0.04 },
    { decision: "deny", ...restarted, target: "service:front", share: 0.9, share_high: 1 },
    { decision: "approval_needed", known: false, target: "service:mail", why: "no_model" },
    { decision: "approval_needed", known: false, target: "service:basket", why: "unknown_target" },
    { decision: "approval_needed", known: false, target: null, why: "no_target" },
    { decision: "approval_needed", known: false, target: "service:mail", why: "stale" },
  ])
    expect(told).toContainEqual(expect.objectContaining(expected));
  expect(here().audit("verify", ["--key", here().path("data/log/log.vkey")]).code).toBe(0);
});

/** What an adapter does: a batch of events into the store that the processes share. */
async function tell(id: string, events: readonly ModelEvent[]): Promise<void> {
  const store = await SqliteStore.open(here().path("data/store.db"));
  if (!store.ok) throw new Error(store.error);
  const state = new SharedState(store.value);
  const written = await new ModelLog(state).write({ id, source: "test", events });
  await state.close();
  expect(written).toEqual({ ok: true, value: "taken" });
}

const calls = (
  at: number,
  caller: string | null,
  callee: string,
  more: { count: number; errors?: number; entry: string },
): Traffic => ({
  ...traffic(at, caller, callee, { id: `${at}${callee}${more.entry}`, ...more }),
  ...{ entry: more.entry, untilAt: at + 100 },
});

test("the control process makes the facts from what it was told, and puts beside a prediction what happened", async () => {
  const now = Date.now();
  await tell("before", [
    calls(now - 900, null, "service:front", { count: 98, entry: "front GET /" }),
    calls(now - 900, null, "service:front", { count: 2, entry: "front POST /mail" }),
    calls(now - 900, "service:front", "service:mail", { count: 2, entry: "front POST /mail" }),
  ]);
  here().start("control");
  await outcomeOf("front", "deny");
  await outcomeOf("mail", "allow");
  const recorded = here().entries();
  const done = recorded.findLast(({ kind }) => kind === "outcome") ?? {};
  const at = Date.parse(String(done["time"]));
  // Its restart was felt by half of what came through it.
  const around = (when: number, errors: number): Traffic =>
    calls(when, null, "service:front", { count: 40, errors, entry: "front POST /mail" });
  await tell("around", [around(at - 500, 0), around(at + 500, 20)]);
  const settled = await until("the outcome", async () => {
    const { stdout } = here().command("model", "calibration", "--json", "--window", "1");
    const { predictions } = JSON.parse(stdout) as {
      predictions: { id: string; outcome: object | null }[];
    };
    const found = predictions.find(({ id }) => id === done["call"]);
    return found?.outcome === null ? undefined : found;
  });
  expect(settled).toMatchObject({
    ...{ target: "service:mail", change: "restart", isDone: true },
    share: { value: 0.02 },
    // One in fifty requests of the front asks it.
    services: ["service:mail"],
    feelings: [
      { service: "service:mail", probability: 0.95 },
      { service: "service:front", probability: expect.closeTo(0.05) },
    ],
    outcome: { share: 0.5, services: ["service:front"] },
  });
  const metrics = await until("the metric", async () => {
    const text = await (await fetch(`${here().controlUrl}/metrics`)).text();
    return text.includes("holdfast_model_prediction_brier") ? text : undefined;
  });
  expect(metrics).toMatch(/holdfast_model_prediction_bias\{change="restart"\} 0\.4\d/);
  expect(metrics).toMatch(/holdfast_model_prediction_services_brier\{change="restart"\} 0\.90/);
});
