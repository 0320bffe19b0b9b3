/** Agents read the model over MCP: by the official client straight, and through the gateway, where policy and record hold. */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import { ModelLog } from "../../../src/control/index.ts";
import { incidentEvent, type ModelEvent, type Traffic } from "../../../src/model/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { change, edge, fact, traffic } from "../../fixtures/model-events.ts";
import { root, type World, world } from "../product/harness.ts";

const program = `${root}/bin/holdfast.mjs`;
const made: { it?: World; client?: Client } = {};
const here = (): World => made.it as World;
const client = (): Client => made.client as Client;

const now = Date.now();
const minute = 60_000;
const entered = (caller: string | null, callee: string, count: number): Traffic => ({
  ...traffic(now - 10 * minute, caller, callee, { id: `${caller}${callee}`, count }),
  ...{ entry: "front GET /cart", untilAt: now - 9 * minute },
});
const events: readonly ModelEvent[] = [
  entered(null, "service:front", 400),
  entered("service:front", "service:cart", 100),
  edge(now - 20 * minute, "service:cart", "config:cart", { kind: "configured_by" }),
  fact(now - 90 * minute, "service:cart", "spec", { replicas: 3 }),
  fact(now - 20 * minute, "service:cart", "spec", { replicas: 1 }),
  change(now - 20 * minute, "cart-7", ["service:cart"]),
  incidentEvent(
    {
      ...{ id: "inc-7", at: now - 80 * minute, confirmedAt: now - 70 * minute, chain: [] },
      ...{ node: "config:cart", kind: "change.config" },
      felt: ["service:cart", "service:front"],
    },
    "test",
  ),
  ...Array.from({ length: 150 }, (_, i) =>
    change(now - 30 * minute - i, `mail-${i}`, ["service:mail"]),
  ),
];

beforeAll(async () => {
  made.it = await world({
    upstreams: `  model: { mcp: { command: ["${process.execPath}", "${program}", model, mcp, --config, "holdfast.yaml"], cwd: "." } }\n`,
  });
  here().policy(
    "model.yaml",
    `tools:
  model:impact: { effect: read }
  model:why: { effect: read }
policy: model
rules:
  - { id: look, match: { tools: model:impact }, outcome: allow }
`,
  );
  const store = await SqliteStore.open(here().path("data/store.db"));
  if (!store.ok) throw new Error(store.error);
  const state = new SharedState(store.value);
  const written = await new ModelLog(state).write({ id: "seed", source: "test", events });
  await state.close();
  if (!written.ok) throw new Error(written.error);
  made.client = new Client({ name: "model-test", version: "1" });
  await client().connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [program, "model", "mcp", "--config", here().path("holdfast.yaml")],
      cwd: root,
    }),
  );
});
afterAll(async () => {
  await made.client?.close();
  await made.it?.close();
});

async function ask(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { isError, content, structuredContent } = await client().callTool({
    name,
    arguments: args,
  });
  const [first] = content as { text: string }[];
  if (isError === true) return { refused: first?.text };
  expect(JSON.parse(first?.text ?? "")).toEqual(structuredContent);
  return structuredContent as Record<string, unknown>;
}

test("five tools that only read, each with a closed schema", async () => {
  const { tools } = await client().listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    "why",
    "impact",
    "as_of",
    "neighbours",
    "history",
  ]);
  for (const { annotations, inputSchema } of tools) {
    expect(annotations?.readOnlyHint).toBe(true);
    expect(inputSchema["additionalProperties"]).toBe(false);
  }
  expect(client().getInstructions()).toContain("Ask `impact` before you change anything");
});

test("impact says what an action would touch", async () => {
  const told = await ask("impact", { what: "config:cart", change: "config" });
  expect(told).toMatchObject({
    target: "config:cart",
    felt: { value: 0.25 },
    services: ["service:cart", "service:front"],
  });
});

test("impact says who is likely to feel it, and from which incidents that was learned", async () => {
  const told = await ask("impact", { what: "config:cart", change: "config" });
  expect(told["likely"]).toEqual(["service:cart", "service:front"]);
  expect(told["feelings"]).toMatchObject([
    { service: "service:cart", relation: "self", learnedFrom: ["inc-7"] },
    { service: "service:front", relation: "waits_little", learnedFrom: ["inc-7"] },
  ]);
});

test("as_of answers by the moment, and with the last version that was good", async () => {
  const aspects = async (args: object) =>
    (await ask("as_of", { node: "cart", ...args }))["aspects"];
  expect(await aspects({})).toMatchObject([
    { aspect: "spec", value: { replicas: 1 }, last_known_good: { value: { replicas: 3 } } },
  ]);
  expect(await aspects({ at: "60m" })).toMatchObject([{ value: { replicas: 3 } }]);
  expect(await aspects({ known_at: "60m" })).toMatchObject([{ value: { replicas: 3 } }]);
});

test("neighbours and history are bounded, and say what was left out", async () => {
  const around = await ask("neighbours", { node: "cart", direction: "in" });
  expect(around["neighbours"]).toMatchObject([{ node: "service:front", kind: "calls" }]);
  const past = await ask("history", { node: "service:cart" });
  expect(past["events"]).toMatchObject([{ type: "change", change: "deploy:cart-7" }]);
  const all = await ask("history", {});
  expect([(all["events"] as unknown[]).length, all["events_left_out"]]).toEqual([100, 51]);
});

test("why answers, and says when the evidence is not enough", async () => {
  const told = await ask("why", { symptom: "front latency" });
  expect(["none", "insufficient"]).toContain(told["verdict"]);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["impact", { what: "config:cart", force: true }, /additional properties|force/i],
  ["impact", {}, /what/],
  ["impact", { what: 7 }, /string/],
  ["impact", { what: "cart", change: "reboot" }, /change|allowed values|enum/],
  ["neighbours", { node: "cart", depth: 99 }, /depth|<= 6/],
  ["as_of", { node: "nobody" }, /knows nothing named `nobody`/],
  ["as_of", { node: "cart", at: "soon" }, /at: `soon` is no moment/],
])("%s %j is refused", async (name, args, words) => {
  const told = await ask(name, args).catch((thrown: Error) => ({ refused: thrown.message }));
  expect(told["refused"]).toMatch(words);
});

test("behind the gateway what policy allows is answered and recorded, and the rest refused", async () => {
  await here().both();
  const agent = await here().client("model");
  const told = await agent.callTool({ name: "impact", arguments: { what: "cart" } });
  expect(told.structuredContent).toMatchObject({ target: "service:cart" });
  const denied = await agent.callTool({ name: "why", arguments: { symptom: "cart slow" } });
  expect(denied.isError).toBe(true);
  const recorded = here()
    .entries()
    .filter(({ kind }) => kind === "decision")
    .map(({ tool, decision, effect }) => [tool, decision, effect]);
  expect(recorded).toEqual([
    ["model:impact", "allow", "read"],
    ["model:why", "deny", "read"],
  ]);
});
