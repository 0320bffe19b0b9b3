/** AuthZEN Authorization API 1.0, with a spine of the test. Sections are those of the specification. */
import { describe, expect, test } from "vitest";
import type { Decision } from "../../../../src/gateway/call.ts";
import { digestOf, type JsonObject } from "../../../../src/kernel/index.ts";
import { bodyJson, fakeSpine, frontRequest } from "../fake-spine.ts";
import { realSpine } from "./real-spine.ts";
import { authZenWorld, pep } from "./world.ts";

const world = (say?: Parameters<typeof fakeSpine>[0], points = [pep]) =>
  authZenWorld(fakeSpine(say), { enforcementPoints: points, evaluationsMax: 4 });

const question = {
  subject: { type: "user", id: "alice", properties: { principal: "alice@x", delegation: ["d"] } },
  action: { name: "read", properties: { amount: 3 } },
  resource: { type: "record", id: "record-1" },
  context: { time: "now" },
};

describe("evaluation", () => {
  test("the subject is judged, the enforcement point is recorded as caller", async () => {
    const { spine, post } = world(() => ({ receipt: "r" }));
    const { status, json } = await post("evaluation", question);
    expect(status).toBe(200);
    expect(json).toEqual({
      decision: true,
      context: {
        outcome: "allow",
        reason: "the test says so",
        rules: ["test/rule"],
        policy_version: "rev-1",
        call_id: "call-1",
        agent_id: "user:alice",
        tool: "record:read",
        effect: "write",
        risk: "high",
        next: "Go on.",
        receipt: "r",
      },
    });
    expect(spine.asked[0]).toMatchObject({
      face: "authzen",
      identity: {
        agent: "user:alice",
        principal: "alice@x",
        delegation: ["d"],
        tenant: "acme",
        how: "asserted",
      },
      caller: { agent: "pep", how: "development_token" },
      tool: "record:read",
      resource: { type: "record", id: "record-1", properties: {} },
      args: { amount: 3 },
      context: { time: "now" },
    });
  });

  test.each([
    [{ type: "tool", id: "pay:POST /payments" }, "execute", "pay:POST /payments"],
    [{ type: "account", id: "7" }, "pay:refund", "pay:refund"],
    [{ type: "tool", id: "unqualified" }, "execute", "tool:execute"],
    // What the default mappings of COAZ-MCP (draft 1) ask.
    [{ type: "tool", id: "files:read_file" }, "tools/call", "files:read_file"],
    [{ type: "tool", id: "read_file" }, "tools/call", "tool:tools/call"],
    [{ type: "resource", id: "file:///a" }, "resources/read", "resource:resources/read"],
    [{ type: "prompt", id: "greet" }, "prompts/get", "prompt:prompts/get"],
    [{ type: "mcp_server", id: "https://m.test" }, "tools/list", "mcp_server:tools/list"],
  ])("the tool of %j and action %s is %s", async (resource, name, tool) => {
    const { spine, post } = world();
    await post("evaluation", { ...question, resource, action: { name } });
    expect(spine.asked[0]?.tool).toBe(tool);
  });

  test("an agent is itself; anybody else asks only when configured", async () => {
    const { spine, post } = world();
    const headers = { authorization: "Bearer buyer" };
    const itself = { ...question, subject: { type: "agent", id: "buyer" } };
    expect((await post("evaluation", itself, headers)).status).toBe(200);
    expect(spine.asked[0]?.identity.how).toBe("development_token");
    expect(spine.asked[0]?.caller).toBe(undefined);
    expect((await post("evaluation", question, headers)).status).toBe(403);
    const namesake = { ...question, subject: { type: "user", id: "buyer" } };
    expect((await post("evaluation", namesake, headers)).status).toBe(403);
    expect(spine.asked.length).toBe(1);
  });

  test("a malformed delegation chain is not dropped", async () => {
    const { spine, post } = world();
    const subject = { type: "agent", id: "a", properties: { delegation: "not a list" } };
    await post("evaluation", { ...question, subject });
    expect(spine.asked[0]?.identity.delegation.length).toBe(1);
  });

  test.each<readonly [Partial<Decision>, boolean]>([
    [{ decision: "allow" }, true],
    [{ decision: "deny" }, false],
    [{ decision: "approval_needed", approval_id: "apr-1" }, false],
    [{ decision: "sanitize" }, false],
    [{ decision: "allow", refusal: "record_failed" }, false],
  ])("%j is decision %s", async (said, decision) => {
    const { json } = await world(() => said).post("evaluation", question);
    expect(json).toMatchObject({ decision, context: { outcome: said.decision } });
  });
});

test("approval_needed is false, and says that it can be requested (ARAP, draft 1)", async () => {
  const said = { decision: "approval_needed", approval_id: "apr-1", reason: "ask Ann" } as const;
  const { json } = await world(() => said).post("evaluation", question);
  const { context } = json as { context: Record<string, unknown> };
  expect(json["decision"]).toBe(false);
  expect(context).toMatchObject({
    evaluation_id: "call-1",
    approval_id: "apr-1",
    access_request: { display: { description: "ask Ann" } },
  });
  const { expires_at: expires } = context["access_request"] as { expires_at: string };
  const lifetimeMs = Date.parse(expires) - Date.parse(String(context["evaluated_at"]));
  expect(lifetimeMs).toBe(600_000);
  for (const other of [{ decision: "deny" }, { ...said, refusal: "record_failed" }] as const) {
    const denied = await world(() => other).post("evaluation", question);
    expect(denied.json["context"]).not.toHaveProperty("access_request");
  }
});

test("what is carried along reaches the spine", async () => {
  const { spine, post } = world();
  const carried = { "x-request-id": "req-1", traceparent: "00-a-b-01" };
  await post("evaluation", question, carried);
  expect(spine.asked[0]).toMatchObject({ requestId: "req-1", traceparent: "00-a-b-01" });
});

describe("an evaluation request", () => {
  test("unknown fields are ignored, and X-Request-ID comes back", async () => {
    const { post } = world();
    const answer = await post("evaluation", { ...question, foo: 1 }, { "x-request-id": "req-9" });
    expect(answer.status).toBe(200);
    expect(answer.headers["x-request-id"]).toBe("req-9");
    const refused = await post("evaluation", {}, { "x-request-id": "req-9" });
    expect(refused.headers["x-request-id"]).toBe("req-9");
  });

  const without = (key: string): JsonObject =>
    Object.fromEntries(Object.entries(question).filter(([name]) => name !== key));
  test.each<readonly [string, JsonObject | string]>([
    ["no subject", without("subject")],
    ["no action", without("action")],
    ["no resource", without("resource")],
    ["no subject type", { ...question, subject: { id: "a" } }],
    ["empty subject id", { ...question, subject: { type: "user", id: "" } }],
    ["no resource id", { ...question, resource: { type: "record" } }],
    ["no action name", { ...question, action: {} }],
    ["wrong type", { ...question, action: "read" }],
    ["context no object", { ...question, context: 1 }],
    ["properties no object", { ...question, action: { name: "a", properties: [] } }],
    ["duplicate keys", '{"subject":1,"subject":2}'],
    ["unsafe integer", '{"subject":9007199254740993}'],
    ["not JSON", "{"],
    ["an array", "[]"],
  ])("%s is 400", async (_, body) => {
    const { spine, post } = world();
    expect((await post("evaluation", body)).status).toBe(400);
    expect((await post("evaluations", body)).status).toBe(400);
    expect(spine.asked).toEqual([]);
  });
});

describe("sanitize is true only for those who promised to carry it out", () => {
  const redacted = { card: "***" };
  const said = {
    decision: "sanitize",
    sanitized_payload: { digest: digestOf(redacted), redacted },
  } as const;
  const supporting = { ...question, context: { obligations_supported: ["replace_arguments"] } };

  test("by configuration and in the request", async () => {
    const { json } = await world(() => said).post("evaluation", supporting);
    expect(json).toMatchObject({
      decision: true,
      context: {
        obligations: [
          {
            type: "replace_arguments",
            properties: { arguments: redacted, digest: digestOf(redacted) },
          },
        ],
      },
    });
  });

  test("not by one of the two alone, nor when the form given out is not what was judged", async () => {
    const onlyRequest = world(() => said, [{ ...pep, obligations: [] }]);
    const other = { ...said, sanitized_payload: { digest: digestOf({}), redacted } };
    for (const { json } of [
      await onlyRequest.post("evaluation", supporting),
      await world(() => said).post("evaluation", question),
      await world(() => other).post("evaluation", supporting),
      await world(() => ({ decision: "sanitize" })).post("evaluation", supporting),
    ]) {
      expect(json).toMatchObject({ decision: false, context: { outcome: "sanitize" } });
      expect(json["context"]).not.toHaveProperty("obligations");
    }
  });
});

describe("evaluations", () => {
  const { subject, action, resource } = question;
  const resources = ["r1", "r2", "r3"].map((id) => ({ resource: { type: "record", id } }));
  /** Allows r1 and r3. */
  const some = () =>
    world((request) => ({ decision: request.resource?.id === "r2" ? "deny" : "allow" }));
  const decisions = (json: Record<string, unknown>): readonly boolean[] =>
    (json["evaluations"] as readonly { decision: boolean }[]).map(({ decision }) => decision);

  test.each([
    [undefined, [true, false, true]],
    ["execute_all", [true, false, true]],
    ["deny_on_first_deny", [true, false]],
    ["permit_on_first_permit", [true]],
  ])("%s answers in order", async (semantic, expected) => {
    const options = semantic === undefined ? {} : { options: { evaluations_semantic: semantic } };
    const { spine, post } = some();
    const { json } = await post("evaluations", {
      subject,
      action,
      evaluations: resources,
      ...options,
    });
    expect(decisions(json)).toEqual(expected);
    expect(spine.asked.length).toBe(expected.length);
  });

  test("what an item says replaces the default whole", async () => {
    const { spine, post } = world();
    const item = { action: { name: "write" }, context: { b: 2 } };
    await post("evaluations", {
      subject,
      action,
      resource,
      context: { a: 1 },
      evaluations: [item, {}],
    });
    expect(spine.asked.map(({ tool, args, context }) => ({ tool, args, context }))).toEqual([
      { tool: "record:write", args: {}, context: { b: 2 } },
      { tool: "record:read", args: { amount: 3 }, context: { a: 1 } },
    ]);
  });

  test("an item that cannot be judged is false in its place, and the others are judged", async () => {
    const { spine, post } = world();
    const evaluations = [{ resource }, {}, 1, { resource, subject: { type: "user" } }];
    const { status, json } = await post("evaluations", { subject, action, evaluations });
    expect(status).toBe(200);
    expect(decisions(json)).toEqual([true, false, false, false]);
    expect(json["evaluations"]).toMatchObject([
      {},
      { context: { error: { status: 400 } } },
      {},
      {},
    ]);
    expect(spine.asked.length).toBe(1);
    const stranger = await post(
      "evaluations",
      {
        subject: { type: "agent", id: "buyer" },
        action,
        evaluations: [{ resource }, { resource, subject }],
      },
      { authorization: "Bearer buyer" },
    );
    expect(decisions(stranger.json)).toEqual([true, false]);
    expect(stranger.json["evaluations"]).toMatchObject([
      {},
      { context: { error: { status: 403 } } },
    ]);
  });

  test("without evaluations it is a single evaluation", async () => {
    for (const evaluations of [{}, { evaluations: [] }]) {
      expect(
        (await world().post("evaluations", { ...question, ...evaluations })).json,
      ).toMatchObject({
        decision: true,
      });
    }
  });

  test.each<readonly [string, JsonObject]>([
    ["a wrong default", { ...question, subject: "alice", evaluations: [{}] }],
    ["evaluations no array", { ...question, evaluations: {} }],
    [
      "an unknown semantic",
      { ...question, evaluations: [{}], options: { evaluations_semantic: "x" } },
    ],
    ["too many", { ...question, evaluations: [{}, {}, {}, {}, {}] }],
  ])("%s is 400 and nothing is judged", async (_, body) => {
    const { spine, post } = world();
    expect((await post("evaluations", body)).status).toBe(400);
    expect(spine.asked).toEqual([]);
  });
});

test("a list longer than the room of its asker is judged whole, and in order", async () => {
  const policy = `
tools: { "record:read": { effect: read, risk: low } }
policy: all
rules: [{ id: all, match: { tools: "record:read" }, outcome: allow }]
`;
  const { spine, entries } = realSpine(policy, {}, undefined, 3);
  const { post } = authZenWorld(spine, { evaluationsMax: 50, evaluationsAtOnceMax: 3 });
  const many = Array.from({ length: 50 }, (_, at) => ({
    resource: { type: "record", id: `r${at}` },
    action: { name: at % 5 === 0 ? "write" : "read" },
  }));
  const { json } = await post("evaluations", { subject: question.subject, evaluations: many });
  const answers = json["evaluations"] as readonly { decision: boolean }[];
  expect(answers.map(({ decision }) => decision)).toEqual(
    many.map(({ action: { name } }) => name === "read"),
  );
  expect(entries.length).toBe(50);
});

describe("transport", () => {
  test("metadata names exactly what is served", async () => {
    const { face } = world();
    const answer = await face(frontRequest("GET", "/.well-known/authzen-configuration"));
    const metadata = await bodyJson(answer.body);
    expect(metadata).toEqual({
      policy_decision_point: "https://gate.test",
      access_evaluation_endpoint: "https://gate.test/access/v1/evaluation",
      access_evaluations_endpoint: "https://gate.test/access/v1/evaluations",
      search_subject_endpoint: "https://gate.test/access/v1/search/subject",
      search_resource_endpoint: "https://gate.test/access/v1/search/resource",
      search_action_endpoint: "https://gate.test/access/v1/search/action",
      obligations_supported: ["replace_arguments"],
    });
    for (const [name, url] of Object.entries(metadata)) {
      if (!name.endsWith("_endpoint")) continue;
      const served = await face(frontRequest("POST", new URL(String(url)).pathname, question));
      expect([name, served.status]).not.toEqual([name, 404]);
    }
  });

  test("a decision point with a path has its metadata under that path (9.2)", async () => {
    const { face } = authZenWorld(fakeSpine(), { publicUrl: "https://gate.test/tenant1" });
    const wellKnown = "/.well-known/authzen-configuration";
    const answer = await face(frontRequest("GET", `${wellKnown}/tenant1`));
    expect(await bodyJson(answer.body)).toMatchObject({
      policy_decision_point: "https://gate.test/tenant1",
      access_evaluation_endpoint: "https://gate.test/tenant1/access/v1/evaluation",
    });
    expect((await face(frontRequest("GET", wellKnown))).status).toBe(404);
  });

  test("no identity, wrong method, wrong path, wrong type", async () => {
    const { face, post } = world();
    const nobody = await post("evaluation", question, { authorization: "Bearer x" });
    expect([nobody.status, nobody.headers["www-authenticate"]]).toEqual([401, "Bearer"]);
    const get = await face(frontRequest("GET", "/access/v1/evaluation"));
    expect([get.status, get.headers["allow"]]).toEqual([405, "POST"]);
    expect((await post("search/nobody", question)).status).toBe(404);
    expect((await post("evaluation", question, { "content-type": "text/plain" })).status).toBe(400);
  });
});
