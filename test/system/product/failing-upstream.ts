/**
 * An upstream that fails as it is told: an HTTP API, and the same two tools as an MCP server of the legacy era below
 * `/mcp`. It writes down every action that reaches it. What carries a key is done once for each key.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What it does with an action: after it was done, for `breaks` and `breaks_off`. */
export type Mode = "well" | "fails" | "busy" | "hangs" | "breaks" | "breaks_off";

export interface Action {
  readonly what: string;
  readonly key: string | undefined;
  readonly args: Readonly<Record<string, unknown>>;
}

interface RpcMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Record<string, unknown> };
}

const tools = ["look", "put"].map((name) => ({
  name,
  inputSchema: { type: "object", properties: { dry_run: { type: "boolean" } } },
  annotations: { readOnlyHint: name === "look" },
}));

export class FailingUpstream {
  /** For every action that has no mode of its own in `plan`. */
  mode: Mode = "well";
  /** For the next actions, one each. */
  plan: Mode[] = [];
  readonly received: Action[] = [];
  /** Writes that took effect. */
  readonly done: Action[] = [];
  readonly #server: Server;
  #port = 0;

  static async start(): Promise<FailingUpstream> {
    const upstream = new FailingUpstream();
    await upstream.up();
    return upstream;
  }

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, after `down` where it did before. */
  async up(): Promise<void> {
    await new Promise<void>((listening) => {
      this.#server.listen(this.#port, "127.0.0.1", listening);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const sent = request.headers["idempotency-key"];
    const key = typeof sent === "string" ? sent : undefined;
    if (request.url?.startsWith("/mcp")) this.#mcp(request, response, body, key);
    else this.#http(request, response, body, key);
  }

  #http(request: IncomingMessage, response: ServerResponse, body: string, key?: string): void {
    const url = new URL(request.url ?? "", this.url);
    const args = body === "" ? {} : (JSON.parse(body) as Record<string, unknown>);
    const dryRun = url.searchParams.has("dry_run") ? { dry_run: true } : {};
    const action = { what: `${request.method} ${url.pathname}`, key, args: { ...args, ...dryRun } };
    this.#act(action, request.method === "POST", response, { done: true });
  }

  #mcp(request: IncomingMessage, response: ServerResponse, body: string, key?: string): void {
    const message = body === "" ? {} : (JSON.parse(body) as RpcMessage);
    const { id, method = "", params } = message;
    if (request.method !== "POST" || id === undefined)
      response.writeHead(request.method === "POST" ? 202 : 405).end();
    else if (method === "tools/call") {
      const { name = "", arguments: args = {} } = params ?? {};
      const result = { content: [{ type: "text", text: "done" }] };
      const said = { jsonrpc: "2.0", id, result };
      this.#act({ what: name, key, args }, name === "put", response, said);
    } else {
      const result = aboutServer[method];
      const error = { code: -32601, message: "Method not found" };
      answer(response, 200, { jsonrpc: "2.0", id, ...(result ? { result } : { error }) });
    }
  }

  #act(action: Action, isWrite: boolean, response: ServerResponse, said: object): void {
    this.received.push(action);
    const mode = this.plan.shift() ?? this.mode;
    const acts = mode === "well" || mode === "breaks" || mode === "breaks_off";
    const isRepeat = action.key !== undefined && this.done.some(({ key }) => key === action.key);
    if (acts && isWrite && !isRepeat && action.args["dry_run"] !== true) this.done.push(action);
    answers[mode](response, said);
  }
}

const aboutServer: Readonly<Record<string, object>> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "failing", version: "1" },
  },
  "tools/list": { tools },
};

const answers: Readonly<Record<Mode, (response: ServerResponse, said: object) => void>> = {
  well: (response, said) => answer(response, 200, said),
  fails: (response) => answer(response, 500, { error: "it fails" }),
  busy: (response) => {
    response.setHeader("retry-after", "1");
    answer(response, 503, { error: "it is busy" });
  },
  hangs: () => undefined,
  breaks: (response) => response.destroy(),
  breaks_off: (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
    response.write('{"begun":', () => response.destroy());
  },
};

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
