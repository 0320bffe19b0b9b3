/** An incident that people confirm becomes a fact for policy: the next such call at the gateway is decided otherwise. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import { ModelLog } from "../../../src/control/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { traffic } from "../../fixtures/model-events.ts";
import { deskPolicy, until, type World, world } from "./harness.ts";

const made: { it?: World } = {};
const here = (): World => made.it as World;

const policy = deskPolicy
  .replace(
    "desk:POST /items: { effect: write, risk: high }",
    'desk:POST /items: { effect: write, risk: high, target: "service:{args.body.service}", change: deploy }',
  )
  .concat(`  - id: seen-before
    match: { tools: "desk:POST /items" }
    when: "!model.known || model.memory.sameChange > 0"
    outcome: approval_needed
    reason: A deploy of it has caused an incident before, or nobody knows
`);

beforeAll(async () => {
  made.it = await world({ config: "model: { facts_every_seconds: 0.1 }" });
  here().policy("desk.yaml", policy);
  const store = await SqliteStore.open(here().path("data/store.db"));
  if (!store.ok) throw new Error(store.error);
  const state = new SharedState(store.value);
  const now = Date.now();
  const events = ["front", "mail"].map((name) => ({
    ...traffic(now - 900, null, `service:${name}`, { id: name, count: 50 }),
    ...{ entry: `${name} GET /`, untilAt: now - 800 },
  }));
  await new ModelLog(state).write({ id: "calls", source: "test", events });
  await state.close();
  await here().both();
});
afterAll(() => here().close());

/** What becomes of a deploy, as soon as it is that. */
async function deployIs(service: string, expected: string): Promise<void> {
  await until(`a deploy of ${service} is ${expected}`, async () => {
    const { status, body } = await here().http("POST", "/http/desk/items", { service });
    return (status === 200 ? "allow" : body["decision"]) === expected ? true : undefined;
  });
}

test("a confirmed incident asks people before the same is done again, and only there", async () => {
  await deployIs("front", "allow");
  await deployIs("mail", "allow");
  const file = here().path("incident.json");
  const incident = {
    ...{ id: "inc-7", at: Date.now() - 60_000, confirmedAt: Date.now(), node: "service:front" },
    ...{ kind: "change.code", chain: ["service:front"], resolution: "rolled back" },
  };
  writeFileSync(file, JSON.stringify(incident));
  const confirmed = here().command("model", "confirm", file, "--by", "dana");
  expect(confirmed.code, confirmed.stderr).toBe(0);
  await deployIs("front", "approval_needed");
  await deployIs("mail", "allow");
  const decisions = here()
    .entries()
    .filter(({ kind, tool }) => kind === "decision" && tool === "desk:POST /items");
  expect(decisions.findLast(({ decision }) => decision === "approval_needed")).toMatchObject({
    prediction: { known: true, target: "service:front", change: "deploy" },
  });
});
