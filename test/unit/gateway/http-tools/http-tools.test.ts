/** The HTTP face with a spine and an upstream of the test: what is judged, what is refused, what is answered. */
import { describe, expect, test } from "vitest";
import { bodyJson, bodyText, frontRequest } from "../fake-spine.ts";
import { payment, world } from "./pay-world.ts";

test("a write: named by its route, judged by its arguments, sent as it was judged", async () => {
  const { face, spine, transport } = world(
    ({ args }) => ({
      decision: "sanitize",
      args: { ...args, body: { amount: 5, card: "***" } },
      sanitized_payload: { digest: "sha256:00", redacted: {} },
    }),
    () => ({ status: 201, headers: { location: "https://pay.test/v1/payments/7" }, body: "made" }),
  );
  const answer = await face(
    frontRequest("POST", "/http/pay/payments?dry=1", { amount: 5, card: "4111" }),
  );
  expect(spine.asked[0]).toMatchObject({
    face: "http",
    method: "POST",
    tool: "pay:POST /payments",
    effectHint: "write",
    args: { path: {}, query: { dry: "1" }, body: { amount: 5, card: "4111" } },
    resource: { type: "http", id: "/payments" },
    context: { http: { method: "POST", body: "json" } },
  });
  expect(transport.sent[0]).toMatchObject({
    method: "POST",
    url: "https://pay.test/v1/payments?dry=1",
    headers: { authorization: "Bearer upstream-secret", "idempotency-key": "call-1" },
  });
  expect(Buffer.from(transport.sent[0]?.body ?? []).toString()).toBe('{"amount":5,"card":"***"}');
  expect(answer.status).toBe(201);
  expect(answer.headers).toMatchObject({
    location: "/http/pay/payments/7",
    "holdfast-decision": "sanitize",
    "holdfast-call": "call-1",
    "holdfast-policy-version": "rev-1",
    "holdfast-sanitized-payload-digest": "sha256:00",
  });
  expect(await bodyText(answer.body)).toBe("made");
});

test("a read: typed parameters, no idempotency key, signal of the client", async () => {
  const { face, spine, transport } = world();
  const target = "/http/pay/payments/a%20b?limit=3&tag=x&deep=true&free=7";
  const request = frontRequest("GET", target, undefined, { "idempotency-key": "k" });
  await face(request);
  expect(spine.asked[0]?.args).toEqual({
    path: { id: "a b" },
    query: { limit: 3, tag: ["x"], deep: true, free: "7" },
  });
  expect(transport.sent[0]?.url).toBe(
    "https://pay.test/v1/payments/a%20b?limit=3&tag=x&deep=true&free=7",
  );
  expect(transport.sent[0]?.headers["idempotency-key"]).toBe(undefined);
  expect(transport.sent[0]?.signal).toBe(request.signal);
});

test.each([
  "limit=03",
  "limit=3.5",
  "limit=1e2",
  "limit=9007199254740993",
  "limit=1&limit=2",
  "deep=yes",
])("the parameter %s is not of its type: refused, nothing judged", async (query) => {
  const { face, spine } = world();
  expect((await face(frontRequest("GET", `/http/pay/payments/1?${query}`))).status).toBe(400);
  expect(spine.asked).toEqual([]);
});

describe("bad input is refused before anything is judged, and the upstream sees nothing", () => {
  const bodies: readonly (readonly [string, string, string, number])[] = [
    ["duplicate key", '{"a":1,"a":2}', "application/json", 400],
    ["unsafe integer", '{"a":9007199254740993}', "application/json", 400],
    ["depth bomb", "[".repeat(70) + "]".repeat(70), "application/json", 400],
    ["not JSON", "{", "application/vnd.x+json", 400],
    ["charset", "{}", "application/json; charset=latin1", 415],
    ["bad form", "a=%zz", "application/x-www-form-urlencoded", 400],
    ["bad media type", "x", "no type", 400],
  ];
  test.each(bodies)("%s", async (_, body, type, status) => {
    const { face, spine, transport } = world();
    const request = frontRequest("POST", "/http/pay/payments", body, { "content-type": type });
    const answer = await face(request);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(await bodyJson(answer.body)).toMatchObject({ status, next: expect.any(String) });
    expect([...spine.asked, ...transport.sent]).toEqual([]);
  });

  const requests: readonly (readonly [string, string, Readonly<Record<string, string>>, number])[] =
    [
      ["GET", "/http/pay/payments/..%2f1", {}, 400],
      ["GET", "/http/pay/payments/1?a=%", {}, 400],
      ["GET", "/http/other/payments/1", {}, 404],
      ["GET", "/http/pay/unknown", {}, 404],
      ["PUT", "/http/pay/payments/1", {}, 405],
      ["TRACE", "/http/pay/payments/1", {}, 501],
      ["GET", "/http/pay/payments/1", { authorization: "Bearer nobody" }, 401],
      ["POST", "/http/pay/payments", { "content-encoding": "gzip" }, 415],
      ["POST", "/http/pay/payments", { "idempotency-key": "a b" }, 400],
      ["GET", `/http/pay/payments/${"x".repeat(9000)}`, {}, 414],
    ];
  test.each(requests)("%s %.40s %j", async (method, target, headers, status) => {
    const { face, spine, transport } = world();
    const answer = await face(frontRequest(method, target, undefined, headers));
    expect(answer.status).toBe(status);
    expect([...spine.asked, ...transport.sent]).toEqual([]);
    if (status === 405) expect(answer.headers["allow"]).toBe("DELETE, GET");
    if (status === 401) expect(answer.headers["www-authenticate"]).toBe("Bearer");
  });
});

test("headers that could change the action or carry credentials stay behind", async () => {
  const { face, transport } = world(undefined, undefined, { forwardHeaders: ["x-api-version"] });
  await face(
    frontRequest("GET", "/http/pay/payments/1", undefined, {
      accept: "application/json",
      cookie: "a=b",
      host: "gateway",
      forwarded: "for=1",
      "x-forwarded-for": "1",
      "x-http-method-override": "DELETE",
      "x-original-url": "/admin",
      "transfer-encoding": "chunked",
      "holdfast-decision": "allow",
      "x-api-version": "3",
      "x-anything": "else",
    }),
  );
  expect({ ...transport.sent[0]?.headers }).toEqual({
    accept: "application/json",
    "accept-encoding": "identity",
    authorization: "Bearer upstream-secret",
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    "x-api-version": "3",
  });
});

test("headers of the answer: nothing hop-by-hop, no credentials, no decision in the gateway's name", async () => {
  const { face } = world(undefined, () => ({
    headers: {
      connection: "close, x-hop",
      "x-hop": "1",
      "set-cookie": ["a=b"],
      "holdfast-decision": "deny",
      "x-kept": ["1", "2"],
      link: '<https://pay.test/v1/payments?page=2>; rel="next", <https://else.test/>; rel="x"',
      location: "https://else.test/v1/payments",
    },
  }));
  const { headers } = await face(frontRequest("GET", "/http/pay/payments/1"));
  expect({ ...headers }).toEqual({
    "x-kept": ["1", "2"],
    link: '</http/pay/payments?page=2>; rel="next", <https://else.test/>; rel="x"',
    location: "https://else.test/v1/payments",
    "holdfast-decision": "allow",
    "holdfast-call": "call-1",
    "holdfast-policy-version": "rev-1",
  });
});

test.each([
  ["7", "/http/pay/payments/7"],
  ["/v1/payments/7?a=1#b", "/http/pay/payments/7?a=1#b"],
  ["../../admin", "https://pay.test/admin"],
  ["/mcp/files", "https://pay.test/mcp/files"],
  ["//else.test/v1", "//else.test/v1"],
  ["https://pay.test.else/v1/x", "https://pay.test.else/v1/x"],
  ["https://[bad", "https://[bad"],
])("the Location %s is relayed as %s", async (location, relayed) => {
  const { face } = world(undefined, () => ({ status: 302, headers: { location } }));
  const answer = await face(frontRequest("GET", "/http/pay/payments/1"));
  expect([answer.status, answer.headers["location"]]).toEqual([302, relayed]);
});

test("a client's idempotency key is stable for its agent and tool, and never sent as it came", async () => {
  const { face, transport } = world();
  const post = (key: string) =>
    face(frontRequest("POST", "/http/pay/payments", payment, { "idempotency-key": key }));
  await post("one");
  await post("one");
  await post("two");
  await face(
    frontRequest("POST", "/http/pay/payments", payment, {
      "idempotency-key": "one",
      authorization: "Bearer pep",
    }),
  );
  const [first, again, other, foreign] = transport.sent.map((r) => r.headers["idempotency-key"]);
  expect(first).toMatch(/^hf-[\w-]{43}$/);
  expect(again).toBe(first);
  expect(new Set([first, other, foreign]).size).toBe(3);
});

test.each([
  [{ decision: "deny" }, 403, "deny"],
  [
    { decision: "approval_needed", approval_id: "apr-1", pending_state: "pending" },
    403,
    "approval_needed",
  ],
  [{ decision: "deny", refusal: "no_policy" }, 503, "no_policy"],
  [{ decision: "deny", refusal: "record_failed" }, 503, "record_failed"],
  [{ decision: "deny", refusal: "too_many_calls" }, 429, "too_many_calls"],
  [{ decision: "deny", refusal: "stopping" }, 503, "stopping"],
] as const)("refused %j is problem %i %s", async (said, status, type) => {
  const { face, transport } = world(() => ({ ...said, receipt: "the receipt" }));
  const answer = await face(frontRequest("POST", "/http/pay/payments", payment));
  expect(answer.status).toBe(status);
  expect(await bodyJson(answer.body)).toMatchObject({
    type: `urn:holdfast:problem:${type}`,
    status,
    decision: said.decision,
    reason: "the test says so",
    determining_rules: ["test/rule"],
    policy_version: "rev-1",
    next: "Go on.",
    receipt: "the receipt",
    ...("approval_id" in said ? { approval_id: "apr-1", pending_state: "pending" } : {}),
  });
  expect(transport.sent).toEqual([]);
});

test("a full rate says in Retry-After when there is room, a budget in words alone", async () => {
  const limit = { id: "refunds", left: 0, unit: "calls" } as const;
  const told = async (said: Parameters<typeof world>[0]) => {
    const { face } = world(said);
    const { status, headers, body } = await face(
      frontRequest("POST", "/http/pay/payments", payment),
    );
    return [status, headers["retry-after"], (await bodyJson(body))["limit"]];
  };
  const full = { ...limit, room_in_seconds: 42 };
  const rate = { decision: "deny", refusal: "over_rate" } as const;
  expect(await told(() => ({ ...rate, limit: full }))).toEqual([429, "42", full]);
  expect(await told(() => ({ ...rate, limit }))).toEqual([429, undefined, limit]);
  const budget = { decision: "deny", refusal: "over_budget", limit: full } as const;
  expect(await told(() => budget)).toEqual([403, undefined, full]);
});

test("a receipt goes into a header when it fits, else by link", async () => {
  const short = await world(() => ({ receipt: "short" })).face(
    frontRequest("GET", "/http/pay/payments/1"),
  );
  expect(short.headers["holdfast-receipt"]).toBe(Buffer.from("short").toString("base64url"));
  const long = await world(
    () => ({ receipt: "x".repeat(100) }),
    () => ({ headers: { link: "<https://else.test/>" } }),
  ).face(frontRequest("GET", "/http/pay/payments/1"));
  expect(long.headers["holdfast-receipt"]).toBe(undefined);
  expect(long.headers["link"]).toEqual([
    "<https://else.test/>",
    '</receipts/call-1>; rel="urn:holdfast:rel:receipt"',
  ]);
});
