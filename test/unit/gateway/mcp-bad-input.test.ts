/** Bad input at the MCP face: each a clear refusal, and the upstream saw nothing. */
import { afterEach, expect, test } from "vitest";
import { type FrontRequest, upstreamFace } from "../../../src/gateway/index.ts";
import { ok } from "../../../src/kernel/index.ts";
import type { HttpRequest } from "../../../src/ports.ts";
import { fakeIdentifier, fakeSpine, realClock, silentLog } from "../../fixtures/fake-spine.ts";

const spine = fakeSpine();
const sent: HttpRequest[] = [];
const tools = [
  {
    name: "pay",
    inputSchema: {
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
    },
  },
];
const { face } = upstreamFace(
  {
    server: "bank",
    url: "http://bank.test/mcp",
    trusted: false,
    transport: {
      send: async (request) => {
        const { id, method } = JSON.parse(new TextDecoder().decode(request.body));
        if (!String(id).startsWith("holdfast-")) sent.push(request);
        const result = method === "tools/list" ? { tools } : { content: [] };
        const body = new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id, result }));
        async function* once(): AsyncGenerator<Uint8Array> {
          yield body;
        }
        return ok({ status: 200, headers: { "content-type": "application/json" }, body: once() });
      },
    },
  },
  { spine, identifier: fakeIdentifier, clock: realClock, log: silentLog },
);

afterEach(() => {
  sent.length = 0;
  spine.seen.length = 0;
});

function request(body: string, headers: Record<string, string | string[]> = {}): FrontRequest {
  const all = { "content-type": "application/json", host: "localhost", ...headers };
  return {
    method: "POST",
    path: "/mcp/bank",
    query: "",
    headers: Object.fromEntries(Object.entries(all).map(([k, v]) => [k, [v].flat()])),
    body: new TextEncoder().encode(body),
    signal: new AbortController().signal,
  };
}

interface Answer {
  readonly id?: unknown;
  readonly result?: { readonly isError?: boolean };
  readonly error?: { readonly code: number; readonly message: string };
}

async function post(
  body: string,
  headers: Record<string, string | string[]> = {},
): Promise<{ status: number; answer: Answer }> {
  const response = await face(request(body, headers));
  const text = new TextDecoder().decode(response.body as Uint8Array);
  return { status: response.status, answer: JSON.parse(text) as Answer };
}

const call = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":${args}}}`;
const envelope =
  '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
const modern = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":${args},${envelope}}}`;
const mirrored = {
  "mcp-protocol-version": "2026-07-28",
  "mcp-method": "tools/call",
  "mcp-name": "pay",
};

const refusals: readonly (readonly [
  string,
  string,
  Record<string, string | string[]>,
  number,
  number,
])[] = [
  ["malformed JSON", '{"jsonrpc":"2.0",', {}, 400, -32700],
  ["a control character", "\u0000", {}, 400, -32700],
  ["a duplicate key", call('{"to":"a","to":"b"}'), {}, 400, -32700],
  ["a duplicate method", call("{}").replace("{", '{"method":"ping",'), {}, 400, -32700],
  ["2^53+1", call('{"amount":9007199254740993}'), {}, 400, -32700],
  ["1e400", call('{"amount":1e400}'), {}, 400, -32700],
  ["a depth bomb", call(`{"a":${"[".repeat(100_000)}`), {}, 400, -32700],
  ["an oversize body", call(`{"a":"${"x".repeat(5 * 1024 * 1024)}"}`), {}, 413, -32700],
  ["a batch", `[${call("{}")}]`, {}, 400, -32600],
  ["another JSON-RPC version", call("{}").replace("2.0", "1.0"), {}, 400, -32600],
  ["a null id", call("{}").replace('"id":1', '"id":null'), {}, 400, -32600],
  ["a fractional id", call("{}").replace('"id":1', '"id":1.5'), {}, 400, -32600],
  [
    "params as a list",
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
    {},
    400,
    -32600,
  ],
  ["a call as a notification", call("{}").replace('"id":1,', ""), {}, 400, -32601],
  ["arguments as a list", call("[]"), {}, 200, -32602],
  ["a call without a name", call("{}").replace('"name":"pay",', ""), {}, 200, -32602],
  ["text/plain", call("{}"), { "content-type": "text/plain" }, 415, -32600],
  [
    "another method in the header",
    modern("{}"),
    { ...mirrored, "mcp-method": "ping" },
    400,
    -32020,
  ],
  [
    "another case in the header",
    modern("{}"),
    { ...mirrored, "mcp-method": "Tools/Call" },
    400,
    -32020,
  ],
  ["another name in the header", modern("{}"), { ...mirrored, "mcp-name": "read" }, 400, -32020],
  ["the name header twice", modern("{}"), { ...mirrored, "mcp-name": ["pay", "pay"] }, 400, -32020],
  [
    "bad base64 in the name header",
    modern("{}"),
    { ...mirrored, "mcp-name": "=?base64?cGF5=?=" },
    400,
    -32020,
  ],
  ["no headers beside a modern body", modern("{}"), {}, 400, -32020],
  [
    "another revision in the header",
    modern("{}"),
    { ...mirrored, "mcp-protocol-version": "2025-11-25" },
    400,
    -32020,
  ],
  ["a modern header without a claim", call("{}"), mirrored, 400, -32602],
  [
    "a lying name beside a legacy body",
    call("{}"),
    { "mcp-method": "tools/call", "mcp-name": "read" },
    400,
    -32020,
  ],
  [
    "a revision of the future",
    modern("{}").replace("2026-07-28", "2027-01-01"),
    { ...mirrored, "mcp-protocol-version": "2027-01-01" },
    400,
    -32022,
  ],
  ["a missing parameter header", modern('{"region":"eu"}'), mirrored, 400, -32020],
  [
    "another parameter header",
    modern('{"region":"eu"}'),
    { ...mirrored, "mcp-param-region": "us" },
    400,
    -32020,
  ],
];

for (const [what, body, headers, status, code] of refusals)
  test(`${what} is refused with ${status} and ${code}, and nothing is sent`, async () => {
    const { status: got, answer } = await post(body, headers);
    expect([got, answer.error?.code]).toEqual([status, code]);
    expect(answer.error?.message.length).toBeGreaterThan(10);
    expect(sent).toEqual([]);
    expect(spine.seen).toEqual([]);
  });

test("the same call, well formed, is sent: the refusals above are not refusing everything", async () => {
  const headers = {
    ...mirrored,
    "mcp-name": "=?base64?cGF5?=",
    "mcp-param-region": "=?base64?ZXU=?=",
  };
  expect((await post(call("{}"))).status).toBe(200);
  expect((await post(modern('{"region":"eu"}'), headers)).status).toBe(200);
  expect(sent.length).toBe(2);
});

test("a bad token is refused with a challenge", async () => {
  const response = await face(request(call("{}"), { authorization: "Bearer bad" }));
  expect(response.status).toBe(401);
  expect(response.headers["www-authenticate"]).toBe("Bearer");
  expect(sent).toEqual([]);
});

test("an unknown method is governed as a write, so nothing new passes policy by", async () => {
  await post('{"jsonrpc":"2.0","id":1,"method":"vendor/launch","params":{"x":1,"_meta":{"k":1}}}');
  expect(spine.seen[0]).toMatchObject({
    tool: "bank:vendor/launch",
    effectHint: "write",
    args: { x: 1 },
  });
});

test("credentials, cookies and connection headers of the caller do not cross", async () => {
  await post(call("{}"), {
    authorization: "Bearer alice",
    cookie: "a=b",
    connection: "x-drop",
    "x-drop": "1",
    "x-forwarded-user": "root",
  });
  const [one] = sent;
  const crossed = Object.keys(one?.headers ?? {});
  for (const name of [
    "authorization",
    "cookie",
    "x-drop",
    "connection",
    "host",
    "x-forwarded-user",
  ])
    expect(crossed).not.toContain(name);
});
