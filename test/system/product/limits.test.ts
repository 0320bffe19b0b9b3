/** Limits: each refusal names its limit, and the upstream sees nothing of what is refused. */
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decisionIn, root, supportBot, type World, world } from "./harness.ts";

const made: { it?: World } = {};
const here = (): World => made.it as World;

beforeAll(async () => {
  made.it = await world({
    limits: [
      "body_bytes_max: 2000, depth_max: 8, headers_max: 20, header_bytes_max: 4096",
      "path_bytes_max: 200, parameters_max: 3, evaluations_max: 2",
      "calls_in_flight_per_agent_max: 1, calls_in_flight_max: 4",
    ].join(", "),
  });
  await here().both();
});
afterAll(() => here().close());

const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;

/** Headers as they are given, which `fetch` would tidy. */
async function send(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; said: string }> {
  const all = {
    authorization: `Bearer ${supportBot}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  };
  return await new Promise((done, failed) => {
    const sent = request(`${here().gatewayUrl}${path}`, { method: "POST", headers: all });
    sent.once("error", failed);
    sent.once("response", (response) => {
      text(response).then((said) => done({ status: response.statusCode ?? 0, said }), failed);
    });
    sent.end(body);
  });
}

const call = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","arguments":{"x":${args}}}}`;
const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, "1"]));
const question = '{"action":{"name":"x"}}';
const evaluations = `{"subject":{"type":"agent","id":"support-bot"},"resource":{"type":"tool","id":"desk:GET /items"},"evaluations":[${question},${question},${question}]}`;

const cases: readonly (readonly [
  string,
  string,
  string,
  Record<string, string>,
  number,
  string,
])[] = [
  [
    "a body, HTTP",
    "/http/desk/items",
    `{"x":"${"y".repeat(2_000)}"}`,
    {},
    413,
    "limits.body_bytes_max",
  ],
  ["a body, MCP", "/mcp/notes", call(`"${"y".repeat(2_000)}"`), {}, 413, "limits.body_bytes_max"],
  [
    "a body, AuthZEN",
    "/access/v1/evaluation",
    `{"x":"${"y".repeat(2_000)}"}`,
    {},
    413,
    "limits.body_bytes_max",
  ],
  ["depth, HTTP", "/http/desk/items", deep(9), {}, 400, "limits.depth_max"],
  ["depth, MCP", "/mcp/notes", call(deep(9)), {}, 400, "limits.depth_max"],
  ["depth, AuthZEN", "/access/v1/evaluation", deep(9), {}, 400, "limits.depth_max"],
  ["header lines", "/http/desk/items", "{}", many, 431, "limits.headers_max"],
  [
    "header bytes",
    "/http/desk/items",
    "{}",
    { "x-long": "y".repeat(5_000) },
    431,
    "limits.header_bytes_max",
  ],
  [
    "path and query",
    `/http/desk/items?a=${"y".repeat(200)}`,
    "{}",
    {},
    414,
    "limits.path_bytes_max",
  ],
  ["parameters", "/http/desk/items?a=1&b=2&c=3&d=4", "{}", {}, 400, "limits.parameters_max"],
  ["evaluations", "/access/v1/evaluations", evaluations, {}, 400, "limits.evaluations_max"],
];

test.each(cases)("%s", async (_, path, body, headers, status, name) => {
  here().desk.seen.length = 0;
  const refused = await send(path, body, headers);
  expect([refused.status, refused.said]).toEqual([status, expect.stringContaining(name)]);
  expect(here().desk.seen).toEqual([]);
});

test("calls at the same time: of one agent, and of all", async () => {
  here().desk.seen.length = 0;
  const held = here().desk.hold();
  const first = here().http("POST", "/http/desk/items", { weight: 1 });
  await held.arrived;
  const second = await here().http("POST", "/http/desk/items", { weight: 2 });
  expect(second.status).toBe(429);
  expect(second.headers.get("retry-after")).not.toBeNull();
  expect(second.body).toMatchObject({ refusal: "too_many_calls" });
  expect(second.body["reason"]).toContain("limits.calls_in_flight_per_agent_max");
  const client = await here().client("everything");
  const result = await client.callTool({ name: "echo", arguments: { message: "hi" } });
  expect(decisionIn(result)).toMatchObject({ decision: "deny", refusal: "too_many_calls" });
  // Another agent has room.
  const other = await here().http(
    "GET",
    "/http/desk/items",
    undefined,
    "report-bot-development-token",
  );
  expect(other.status).toBe(200);
  expect(here().desk.seen.map(({ method }) => method)).toEqual(["POST", "GET"]);
  held.release();
  expect((await first).status).toBe(200);
  expect((await here().http("POST", "/http/desk/items", { weight: 3 })).status).toBe(200);
});

test("a foreign Host and a foreign Origin are refused", async () => {
  for (const headers of [{ host: "evil.example" }, { origin: "https://evil.example" }]) {
    const refused = await send("/mcp/notes", call("1"), headers);
    expect([refused.status, refused.said]).toEqual([
      403,
      expect.stringMatching(/allowed_(hosts|origins)/),
    ]);
  }
});

test("every limit of the configuration is wired", () => {
  const schema = JSON.parse(readFileSync(`${root}/schemas/config.schema.json`, "utf8")) as {
    properties: { limits: { properties: Record<string, unknown> } };
  };
  const wired = ["faces", "gateway-process", "people-and-limits", "wrap-process"]
    .map((file) => readFileSync(`${root}/src/main/${file}.ts`, "utf8"))
    .join("\n");
  for (const name of Object.keys(schema.properties.limits.properties))
    expect(wired).toMatch(new RegExp(`limits\\.${name}\\b`));
});
