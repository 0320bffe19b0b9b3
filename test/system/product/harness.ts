/**
 * The product as its users run it: `bin/holdfast.mjs` as real processes on free ports, a data folder of its own, the
 * payments example, real MCP servers, and one upstream inside the test that can be held, cut and asked what it saw.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  Client,
  type ClientOptions,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { type PaymentsProgram, startPayments } from "../../fixtures/payments-program.ts";
import { type Desk, startDesk } from "./desk.ts";

export const root: string = resolve(import.meta.dirname, "../../..");
const program = join(root, "bin/holdfast.mjs");
export const supportBot = "support-bot-development-token";
export const reportBot = "report-bot-development-token";
const waitMs = 60_000;

/** Asks again until the answer is there. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + waitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`waited ${waitMs} ms in vain for ${what}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** Ports that are free now; 0 asks for any. Rejects when one is taken. */
export async function freePorts(wanted: readonly number[]): Promise<readonly number[]> {
  const servers = wanted.map(() => createServer());
  const ports: number[] = [];
  try {
    for (const [at, server] of servers.entries()) {
      server.listen(wanted[at], "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      ports.push(typeof address === "object" && address !== null ? address.port : 0);
    }
    return ports;
  } finally {
    for (const server of servers) server.close();
  }
}

/** The first of so many free ports in a row. */
export async function freeRow(count: number): Promise<number> {
  return await until(`${count} free ports in a row`, async () => {
    const [first = 0] = await freePorts([0]);
    const others = Array.from({ length: count - 1 }, (_, i) => first + 1 + i);
    const row = await freePorts(others).catch(() => []);
    return row.length === others.length ? first : undefined;
  });
}

/** One process of Holdfast. What it writes is kept. */
export class Process {
  readonly child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals>;
  log = "";

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [program, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    this.exit = new Promise((ended) => {
      this.child.once("close", (code, signal) => ended(signal ?? code ?? 1));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first log line from `from` on that holds the words. */
  async line(words: string, from = 0): Promise<Record<string, unknown>> {
    const found = await until(words, async () => {
      const lines = this.log.slice(from).split("\n").slice(0, -1);
      const line = lines.find((one) => one.includes(words));
      if (line === undefined && this.child.exitCode !== null)
        throw new Error(`ended without saying ${words}:\n${this.log}`);
      return line;
    });
    return found.startsWith("{") ? (JSON.parse(found) as Record<string, unknown>) : { found };
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return await this.exit;
  }
}

export interface WorldOptions {
  /** YAML below `limits:`. */
  readonly limits?: string;
  /** More top-level YAML. */
  readonly config?: string;
  /** Where policy comes from, top-level YAML; default: the folder `policies`. */
  readonly policy?: string;
  /** YAML of the control plane's token. */
  readonly controlToken?: string;
  /** YAML below `upstreams:`, indented by two. */
  readonly upstreams?: string;
  readonly payments?: boolean;
  /** YAML: the limits of the agent support-bot, instead of those of the example. Default: none. */
  readonly supportBot?: string;
}

/** A folder with configuration and policies, and whatever was started in it. */
export class World {
  readonly folder: string;
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  readonly desk: Desk;
  readonly payments: PaymentsProgram | undefined;
  /** Of every process that is started after it was set. */
  env: Readonly<Record<string, string>> = {};
  readonly #processes: Process[] = [];
  readonly #clients: Client[] = [];

  constructor(
    folder: string,
    ports: readonly number[],
    desk: Desk,
    payments: PaymentsProgram | undefined,
  ) {
    this.folder = folder;
    this.gatewayUrl = `http://127.0.0.1:${ports[0]}`;
    this.controlUrl = `http://127.0.0.1:${ports[1]}`;
    this.desk = desk;
    this.payments = payments;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  start(role: "gateway" | "control" | "up"): Process {
    const started = new Process([role, "--config", this.path("holdfast.yaml")], this.env);
    this.#processes.push(started);
    return started;
  }

  async gateway(): Promise<Process> {
    const gateway = this.start("gateway");
    await gateway.line("gateway_listening");
    return gateway;
  }

  /** Control until it has published, then a gateway that decides. */
  async both(): Promise<{ readonly control: Process; readonly gateway: Process }> {
    const control = this.start("control");
    await control.line("bundle_published");
    const gateway = await this.gateway();
    return { control, gateway };
  }

  async client(
    server: string,
    options: ClientOptions = {},
    token: string = supportBot,
  ): Promise<Client> {
    const client = new Client({ name: "product-test", version: "1" }, options);
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    const url = new URL(`${this.gatewayUrl}/mcp/${server}`);
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
    this.#clients.push(client);
    return client;
  }

  /** An HTTP call through the gateway. */
  async http(
    method: string,
    path: string,
    body?: unknown,
    token: string = supportBot,
  ): Promise<Answer> {
    const response = await fetch(`${this.gatewayUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await answerOf(response);
  }

  policy(file: string, text: string): void {
    writeFileSync(this.path("policies", file), text);
  }

  entries(): readonly Record<string, unknown>[] {
    const { stdout } = this.audit("show", ["--json"]);
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** `holdfast audit <command> <the gateway's log>`; needs no running process. */
  audit(
    command: string,
    options: readonly string[] = [],
    log: string = this.path("data/log"),
  ): { code: number | null; stdout: string } {
    const args = [program, "audit", command, log, ...options];
    const how = { encoding: "utf8", cwd: root, maxBuffer: 256 * 1024 * 1024 } as const;
    const run = spawnSync(process.execPath, args, how);
    return { code: run.status, stdout: `${run.stdout}` };
  }

  /** `holdfast <words> --config <that of this world>`, to its end. */
  command(...words: string[]): { code: number | null; stdout: string; stderr: string } {
    const args = [program, ...words, "--config", this.path("holdfast.yaml")];
    const run = spawnSync(process.execPath, args, { encoding: "utf8", cwd: root });
    return { code: run.status, stdout: run.stdout, stderr: run.stderr };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close().catch(() => undefined)));
    for (const { child } of this.#processes) child.kill("SIGKILL");
    await Promise.all(this.#processes.map(({ exit }) => exit));
    this.payments?.stop();
    this.desk.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = /json/.test(response.headers.get("content-type") ?? "") && text !== "";
  const body = json ? (JSON.parse(text) as Record<string, unknown>) : { text };
  return { status: response.status, headers: response.headers, body };
}

export async function ask(url: string, init?: RequestInit): Promise<Answer> {
  return await answerOf(await fetch(url, init));
}

/** The decision, as a tool's answer carries it. */
export function decisionIn(result: { readonly _meta?: unknown }): Record<string, unknown> {
  const meta = (result._meta ?? {}) as Record<string, unknown>;
  return (meta["io.holdfast/decision"] ?? {}) as Record<string, unknown>;
}

export async function world(options: WorldOptions = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-product-"));
  const [ports, desk] = [await freePorts([0, 0]), await startDesk()];
  const payments = options.payments
    ? await startPayments(join(folder, "payments.jsonl"))
    : undefined;
  cpSync(join(root, "examples/policies"), join(folder, "policies"), { recursive: true });
  writeFileSync(join(folder, "policies/desk.yaml"), deskPolicy);
  limitSupportBot(join(folder, "policies/catalog.yaml"), options.supportBot ?? "");
  mkdirSync(join(folder, "workspace"));
  writeFileSync(join(folder, "workspace/welcome.txt"), "hello");
  const made = new World(folder, ports, desk, payments);
  writeFileSync(made.path("holdfast.yaml"), configOf(made, options));
  return made;
}

/** The example's limits are for real agents; tests call as fast as they can. */
function limitSupportBot(catalog: string, limits: string): void {
  const unlimited = readFileSync(catalog, "utf8").replace(/^ {4}(?:calls|budget)_\w+: \d+\n/gm, "");
  const own = limits === "" ? "" : `\n    ${limits}`;
  writeFileSync(catalog, unlimited.replace(/^ {2}support-bot:$/m, `$&${own}`));
}

/** Reads and writes that the tests hold, cut and count. */
export const deskPolicy: string = readFileSync(join(import.meta.dirname, "desk.yaml"), "utf8");

function configOf(made: World, options: WorldOptions): string {
  const { limits, config, policy = "policies: ./policies", controlToken, upstreams = "" } = options;
  const modules = join(root, "node_modules/@modelcontextprotocol");
  const node = JSON.stringify(process.execPath);
  return `
listen: ${made.gatewayUrl.slice(7)}
control: { listen: "${made.controlUrl.slice(7)}"${controlToken === undefined ? "" : `, token: ${controlToken}`} }
data: ./data
${policy}
upstreams:
  files:
    mcp:
      command: [${node}, ${modules}/server-filesystem/dist/index.js, ${made.path("workspace")}]
      trusted: true
  everything:
    mcp: { command: [${node}, ${modules}/server-everything/dist/index.js, stdio] }
  payments:
    http:
      base_url: ${made.payments?.base ?? "http://127.0.0.1:9"}
      openapi: ${root}/examples/payments/openapi.yaml
  desk:
    http:
      base_url: ${made.desk.url}
      routes:
        - { method: GET, path: /items }
        - { method: POST, path: /items }
        - { method: POST, path: /broken }
  gone:
    http: { base_url: "http://127.0.0.1:9", routes: [{ method: POST, path: /items }] }
  notes:
    mcp: { url: "${made.desk.url}/mcp" }
${upstreams}
development_tokens:
  - { token: ${supportBot}, agent: support-bot, model: m-1, principal: alice@example.com }
  - { token: ${reportBot}, agent: report-bot }
${limits === undefined ? "" : `limits: { ${limits} }`}
${config ?? ""}
`;
}
