/** OPA's data API with a spine of the test: what is refused, in OPA's words. Equality with OPA is a system test. */
import { expect, test } from "vitest";
import { ActivePolicy, createSpine, InFlight } from "../../../../src/gateway/index.ts";
import { opaApi } from "../../../../src/gateway/opa/index.ts";
import { type JsonObject, ok } from "../../../../src/kernel/index.ts";
import type { Ledger } from "../../../../src/ledger/index.ts";
import { compile, loadPolicySet } from "../../../../src/policy/index.ts";
import {
  recordingLog,
  recordingTelemetry,
  SimClock,
  unlimited,
} from "../../../../src/sim/index.ts";
import { bodyJson, frontRequest, identifier } from "../fake-spine.ts";

const policies = `
policy: pay
tools:
  "pay:create": { effect: write, risk: high }
rules:
  - { id: look, match: { effect: read }, outcome: allow }
  - { id: pay, match: { tools: "pay:create" }, when: args.amount < 10, outcome: allow }
  - id: card
    match: { tools: "pay:create" }
    when: args.amount == 5
    outcome: sanitize
    obligations: [{ redact: args.card.number, with: remove }]
`;

function world({ loaded = true, perAgentMax = 9, tenant = "acme" } = {}) {
  const entries: JsonObject[] = [];
  const policy = new ActivePolicy();
  const { set } = loadPolicySet([{ path: "pay.yaml", text: policies }]);
  if (set === undefined) throw new Error("the policies load");
  if (loaded) policy.activate(compile(set, "rev-1"));
  const ledger = {
    bundleSerial: 0,
    append: async (entry: JsonObject) => ok({ index: entries.push(entry) - 1, treeSize: 1 }),
    receipt: () => "receipt",
  } as unknown as Ledger;
  const spine = createSpine({
    ...{ ledger, policy, clock: new SimClock(), entropy: { bytes: (n) => new Uint8Array(n) } },
    ...{ log: recordingLog(), telemetry: recordingTelemetry() },
    inFlight: new InFlight({ perAgentMax, totalMax: 9 }),
    ...unlimited,
    origin: { instance: "i", site: "s", epoch: 0 },
  });
  const face = opaApi({
    ...{ spine, identifier, bodyBytesMax: 4_096, depthMax: 16 },
    enforcementPoints: [{ agent: "pep", tenant, obligations: [] }],
  });
  const send = async (method: string, target: string, body?: JsonObject | string, headers = {}) => {
    const sent = { authorization: "Bearer pep", ...headers };
    const answer = await face(frontRequest(method, target, body, sent));
    return { ...answer, json: await bodyJson(answer.body) };
  };
  return { entries, send };
}

const input = (change: JsonObject = {}): JsonObject => ({
  subject: { type: "agent", id: "desk", delegation: [], properties: {} },
  action: { name: "pay:create", effect: "write", risk: "high", properties: {} },
  resource: { type: "tool", id: "pay:create", properties: {} },
  args: { amount: 3 },
  context: {},
  ...change,
});
const verdict = "/v1/data/holdfast/verdict";

test("a decision: result, decision_id, recorded with who asked", async () => {
  const { entries, send } = world();
  const { status, json, headers } = await send("POST", verdict, { input: input() });
  expect([status, json["result"]]).toEqual([
    200,
    {
      ...{ outcome: "allow", reason: expect.any(String), determiningRules: ["pay/pay"] },
      ...{ indeterminate: [], obligations: [], opened: false },
    },
  ]);
  expect(headers).toMatchObject({ "holdfast-receipt": "cmVjZWlwdA" });
  expect(entries).toMatchObject([
    { call: json["decision_id"], face: "opa", caller: "pep", agent_id: "desk", tool: "pay:create" },
  ]);
});

test("allow is no yes while something must be changed first", async () => {
  const { send } = world();
  const asked = input({ args: { amount: 5, card: { number: "4111" } } });
  expect((await send("POST", "/v1/data/holdfast/allow", { input: asked })).json["result"]).toBe(
    false,
  );
  const { json } = await send("POST", verdict, { input: asked });
  expect(json["result"]).toMatchObject({ outcome: "sanitize", obligations: [{ kind: "redact" }] });
});

test("a request that contradicts the catalog is denied and recorded as what the tool is", async () => {
  const { entries, send } = world();
  const action = { name: "pay:create", effect: "read", risk: "low", properties: {} };
  const { json } = await send("POST", verdict, { input: input({ action }) });
  expect(json["result"]).toMatchObject({
    outcome: "deny",
    reason: expect.stringContaining("catalog says it is a write"),
  });
  expect(entries).toMatchObject([{ decision: "deny", effect: "write", risk: "high" }]);
});

test.each([
  ["a subject that is no agent", { subject: { type: "user", id: "desk" } }, "subject.type"],
  ["no delegation", { subject: { type: "agent", id: "desk" } }, "subject.delegation"],
  ["a chain of numbers", { subject: { type: "agent", id: "a", delegation: [1] } }, "delegation"],
  ["no effect", { action: { name: "pay:create" } }, "action.effect"],
  ["no tool id", { action: { name: "pay", effect: "read" } }, "action.name"],
  ["no args", { args: 3 }, "input.args"],
  ["no resource", { resource: [] }, "input.resource"],
])(
  "%s is an error of OPA's shape that names the member, and no record",
  async (_, change, name) => {
    const { entries, send } = world();
    const { status, json } = await send("POST", verdict, { input: input(change as JsonObject) });
    expect([status, json["code"]]).toEqual([400, "invalid_parameter"]);
    expect(json["message"]).toContain(name);
    expect(entries).toEqual([]);
  },
);

test.each([
  ["no input", "POST", verdict, {}, 400, "invalid_parameter"],
  ["a body that is no object", "POST", verdict, "[]", 400, "invalid_parameter"],
  ["broken JSON", "POST", verdict, "{bad", 400, "invalid_parameter"],
  ["a repeated key", "POST", verdict, '{"input":1,"input":2}', 400, "invalid_parameter"],
  ["too much", "POST", verdict, `{"input":"${"x".repeat(5_000)}"}`, 413, "invalid_parameter"],
  ["GET without input", "GET", verdict, undefined, 400, "invalid_parameter"],
  ["another method", "PUT", verdict, "{}", 405, "invalid_parameter"],
  ["another document", "POST", "/v1/data/holdfast/policy", {}, 404, "undefined_document"],
  ["all of it", "GET", "/v1/data", undefined, 404, "undefined_document"],
  ["another API", "POST", "/v1/query", {}, 404, "resource_not_found"],
  ["a bad path", "GET", `${verdict}/%zz`, undefined, 400, "invalid_parameter"],
])("%s is refused in OPA's shape", async (_, method, path, body, status, code) => {
  const { entries, send } = world();
  const answer = await send(method, path, body);
  expect([answer.status, answer.json]).toEqual([status, { code, message: expect.any(String) }]);
  expect(entries).toEqual([]);
});

test("YAML and packed bodies are told so", async () => {
  const { send } = world();
  const yaml = await send("POST", verdict, "input: 1", { "content-type": "application/x-yaml" });
  expect(yaml.json["message"]).toContain("YAML");
  const packed = await send("POST", verdict, "x", { "content-encoding": "gzip" });
  expect(packed.json["message"]).toContain("gzip");
});

test("the tenant is that of the enforcement point", async () => {
  const { send } = world();
  const of = (tenant: string): JsonObject =>
    input({ subject: { type: "agent", id: "d", tenant, delegation: [], properties: {} } });
  expect((await send("POST", verdict, { input: of("acme") })).status).toBe(200);
  const other = await send("POST", verdict, { input: of("other") });
  expect([other.status, other.json["code"]]).toEqual([403, "unauthorized"]);
  const namesake = await world({ tenant: "other" }).send("POST", verdict, { input: input() });
  expect([namesake.status, namesake.json["code"]]).toEqual([403, "unauthorized"]);
});

test("without a policy, and without room, there is no result but an error", async () => {
  const none = await world({ loaded: false }).send("POST", verdict, { input: input() });
  expect([none.status, none.json["code"]]).toEqual([503, "internal_error"]);
  const full = await world({ perAgentMax: 0 }).send("POST", verdict, { input: input() });
  expect([full.status, full.json["code"]]).toEqual([429, "internal_error"]);
});
