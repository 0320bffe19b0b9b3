/** An MCP upstream that answers as the test says and remembers what it was sent. */
import { type FrontRequest, upstreamFace } from "../../../../src/gateway/index.ts";
import { ok } from "../../../../src/kernel/index.ts";
import type { HttpRequest } from "../../../../src/ports.ts";
import {
  type FakeSpine,
  fakeIdentifier,
  fakeSpine,
  realClock,
  silentLog,
} from "../../../fixtures/fake-spine.ts";

type FrontFace = ReturnType<typeof upstreamFace>["face"];

interface Said {
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface World {
  readonly face: FrontFace;
  readonly spine: FakeSpine;
  /** Without what the gateway asks by itself. */
  readonly sent: HttpRequest[];
  /** What the gateway asks by itself. */
  readonly listed: HttpRequest[];
}

export const tools: readonly object[] = [
  {
    name: "pay",
    inputSchema: {
      type: "object",
      properties: {
        amount: { type: "number" },
        to: { type: "array", items: { type: "object", properties: { iban: {} } } },
      },
    },
  },
  { name: "hidden", inputSchema: { type: "object" } },
];

/** `say` answers a request; by default `initialize` opens the session of the agent's name, all else is an empty result. */
export function world(
  say: (request: HttpRequest, rpc: { id?: unknown; method?: string }) => Said | Promise<Said>,
  spine: FakeSpine = fakeSpine(undefined, ["bank:hidden"]),
): World {
  const sent: HttpRequest[] = [];
  const listed: HttpRequest[] = [];
  const { face } = upstreamFace(
    {
      server: "bank",
      url: "http://bank.test/mcp",
      trusted: false,
      transport: {
        send: async (request) => {
          const rpc = request.body ? JSON.parse(new TextDecoder().decode(request.body)) : {};
          const own = String(rpc.id).startsWith("holdfast-");
          (own ? listed : sent).push(request);
          const said = own ? answer(rpc.id, { tools }) : await say(request, rpc);
          async function* once(): AsyncGenerator<Uint8Array> {
            yield new TextEncoder().encode(said.body);
          }
          const headers = { "content-type": said.type ?? "application/json", ...said.headers };
          return ok({ status: 200, headers, body: once() });
        },
      },
    },
    { spine, identifier: fakeIdentifier, clock: realClock, log: silentLog },
  );
  return { face, spine, sent, listed };
}

export function answer(id: unknown, result: object): Said {
  return { body: JSON.stringify({ jsonrpc: "2.0", id, result }) };
}

export function stream(...messages: readonly string[]): Said {
  return {
    type: "text/event-stream",
    body: messages.map((data, i) => `id: e${i}\ndata: ${data}\n\n`).join(""),
  };
}

export function front(
  body: string | object,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  method = "POST",
): FrontRequest {
  const all = { "content-type": "application/json", host: "localhost", ...headers };
  return {
    method,
    path: "/mcp/bank",
    query: "",
    headers: Object.fromEntries(Object.entries(all).map(([k, v]) => [k, [v].flat()])),
    body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
    signal: new AbortController().signal,
  };
}

export function rpc(id: unknown, method: string, params: object = {}): object {
  return { jsonrpc: "2.0", id, method, params };
}

export async function textOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Opens the session `id` for the agent. The upstream must answer `initialize` with that header. */
export async function openSession(face: FrontFace, agent: string): Promise<void> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: {} };
  await face(front(rpc(0, "initialize", params), { authorization: `Bearer ${agent}` }));
}
