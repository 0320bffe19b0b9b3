/** What else the composed gateway serves: AuthZEN, probes, metrics, spans, and all servers as one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import { type Collector, startCollector } from "../../fixtures/otlp-collector.ts";
import {
  type Answer,
  ask,
  decisionIn,
  reportBot,
  supportBot,
  until,
  type World,
  world,
} from "./harness.ts";

const made: { it?: World; collector?: Collector } = {};
const here = (): World => made.it as World;
const collector = (): Collector => made.collector as Collector;

beforeAll(async () => {
  made.collector = await startCollector();
  made.it = await world({
    payments: true,
    config: `
telemetry: { otlp_endpoint: "${made.collector.endpoint}", service_name: product-test }
authzen: { enforcement_points: [{ agent: report-bot, obligations: [replace_arguments] }] }
`,
  });
  await here().both();
});
afterAll(async () => {
  await here().close();
  collector().close();
});

const evaluate = (body: unknown, token = reportBot, path = "evaluation"): Promise<Answer> =>
  here().http("POST", `/access/v1/${path}`, body, token);
const about = (agent: string, tool: string, properties: object = {}): object => ({
  subject: { type: "agent", id: agent },
  action: { name: "call", properties },
  resource: { type: "tool", id: tool },
});

test("AuthZEN: a decision with its reason, recorded, nothing forwarded", async () => {
  const yes = await evaluate(about("support-bot", "desk:POST /items"));
  expect([yes.status, yes.body["decision"]]).toEqual([200, true]);
  const payment = { body: { amount: 75_000, currency: "EUR", account_id: "acct_1" } };
  const later = await evaluate(about("support-bot", "payments:POST /payments", payment));
  expect(later.body["decision"]).toBe(false);
  expect(JSON.stringify(later.body["context"])).toContain("needs the approval of a person");
  const no = await evaluate(about("report-bot", "payments:POST /payments", payment));
  expect(no.body["decision"]).toBe(false);
  const foreign = await evaluate(about("report-bot", "desk:POST /items"), supportBot);
  expect(foreign.status).toBe(403);
  const two = { subject: { type: "agent", id: "support-bot" }, action: { name: "call" } };
  const evaluations = ["desk:POST /items", "files:move_file"].map((id) => ({
    resource: { type: "tool", id },
  }));
  const both = await evaluate({ ...two, evaluations }, reportBot, "evaluations");
  expect(both.body["evaluations"]).toMatchObject([{ decision: true }, { decision: false }]);
  expect(here().desk.seen).toEqual([]);
  const metadata = await ask(`${here().gatewayUrl}/.well-known/authzen-configuration`);
  expect(metadata.body).toMatchObject({
    policy_decision_point: here().gatewayUrl,
    access_evaluation_endpoint: `${here().gatewayUrl}/access/v1/evaluation`,
    access_evaluations_endpoint: `${here().gatewayUrl}/access/v1/evaluations`,
  });
  const recorded = here()
    .entries()
    .filter(({ face }) => face === "authzen");
  expect(recorded).toHaveLength(5);
  expect(recorded[0]).toMatchObject({ agent_id: "support-bot", caller: "report-bot" });
});

for (const [era, options] of [
  ["legacy", {}],
  ["modern", auto],
] as const)
  test(`/mcp, all servers as one, for a client of the ${era} era`, async () => {
    const client = await here().client("", options);
    expect(client.getProtocolEra()).toBe(era);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("files.read_text_file");
    expect(names).toContain("everything.echo");
    expect(names).not.toContain("everything.get-env");
    expect(names).not.toContain("files.move_file");
    const path = here().path("workspace/welcome.txt");
    const read = await client.callTool({ name: "files.read_text_file", arguments: { path } });
    expect([read.isError ?? false, decisionIn(read)["tool"]]).toEqual([
      false,
      "files:read_text_file",
    ]);
  });

test("metrics, probes and spans tell of the calls", async () => {
  expect((await here().http("POST", "/http/desk/items", { weight: 1 })).status).toBe(200);
  expect((await here().http("POST", "/http/desk/broken", { weight: 101 })).status).toBe(403);
  expect((await ask(`${here().gatewayUrl}/livez`)).body).toEqual({ live: true });
  const metrics = String((await ask(`${here().gatewayUrl}/metrics`)).body["text"]);
  for (const line of [
    /^holdfast_calls_total\{face="http",server="desk",decision="allow",outcome="ok"\} 1$/m,
    /^holdfast_calls_total\{face="http",server="[a-z]+",decision="deny",outcome="refused"\} 1$/m,
    /^holdfast_calls_in_flight 0$/m,
    /^holdfast_call_duration_seconds_count\{face="http"\} 2$/m,
    /^holdfast_record_duration_seconds_count/m,
    /^holdfast_ledger_entries [1-9]\d*$/m,
    /^holdfast_ledger_healthy 1$/m,
    /^holdfast_policy_loaded 1$/m,
    /^holdfast_build_info\{version="0.1.0"\} 1$/m,
  ])
    expect(metrics).toMatch(line);
  const span = await until("the spans", async () =>
    collector().spans.find(
      ({ attributes }) =>
        attributes["holdfast.decision"] === "deny" &&
        attributes["holdfast.tool"] === "desk:POST /broken",
    ),
  );
  expect(span.resource["service.name"]).toBe("product-test");
  expect(span.attributes).toMatchObject({
    "holdfast.agent_id": "support-bot",
    "holdfast.decision_reason": "Nothing over a hundred",
    "holdfast.cost_estimate_micro_usd": 0,
  });
  const ready = await ask(`${here().gatewayUrl}/readyz`);
  expect(span.attributes["holdfast.policy_version"]).toBe(ready.body["policy_version"]);
});
