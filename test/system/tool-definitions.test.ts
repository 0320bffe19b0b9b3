/** Real servers through a real gateway: their tools are stored, known to policy, and a change is impossible to miss. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "holdfast-definitions-"));
const bin = resolve("bin/holdfast.mjs");
const log = join(folder, "log.jsonl");
const stored = join(folder, "data/tools/files.json");
const waitMs = 20_000;
let gateway = "";
let control = "";
let running: ChildProcess | undefined;

const policy = (field: string): string => `policy: p
rules:
  - { id: look, match: { tools: files:list_directory }, when: args.${field} != "", outcome: allow }
  - { id: echo, match: { tools: everything:echo }, outcome: allow }
`;

beforeAll(async () => {
  gateway = `127.0.0.1:${await freePort()}`;
  control = `127.0.0.1:${await freePort()}`;
  const server = (name: string): string =>
    resolve(`node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);
  mkdirSync(join(folder, "policies"));
  writeFileSync(join(folder, "policies/p.yaml"), policy("path"));
  writeFileSync(
    join(folder, "holdfast.yaml"),
    `listen: ${gateway}
control: { listen: "${control}" }
data: data
policies: policies
upstreams:
  files: { mcp: { command: [node, ${server("filesystem")}, ${folder}] } }
  everything: { mcp: { command: [node, ${server("everything")}, stdio] } }
development_tokens: [{ token: a-token-for-this-test, agent: bot }]
`,
  );
});

afterEach(stop);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("listed once, the tools are stored, and policy is checked against them", async () => {
  await start();
  await withClient("files", async (client) => void (await client.listTools()));
  await withClient("everything", async (client) => void (await client.listTools()));
  await until(async () => {
    const status = await json(`http://${gateway}/statusz`);
    expect(status["tool_definitions"]).toMatchObject({
      files: { known: expect.any(Number), changed: 0 },
      everything: { changed: 0 },
    });
    expect(holdfast("tools").stdout).toMatch(/^everything:echo +write +high +default +sha256:/m);
  });
  writeFileSync(join(folder, "policies/p.yaml"), policy("pth"));
  await until(async () => {
    const { errors } = await json(`http://${control}/readyz`);
    expect(String(errors)).toContain("did you mean path?");
  });
  expect(holdfast("policy", "check", "policies").stderr).toContain("did you mean path?");
  writeFileSync(join(folder, "policies/p.yaml"), policy("path"));
  expect(holdfast("policy", "check", "policies").status).toBe(0);
});

test("a policy that was fine is checked again when a server says what it has", async () => {
  rmSync(stored);
  writeFileSync(join(folder, "policies/p.yaml"), policy("pth"));
  await start();
  expect((await json(`http://${control}/readyz`))["errors"]).toEqual([]);
  await withClient("files", async (client) => void (await client.listTools()));
  await until(async () => {
    const { errors, revision } = await json(`http://${control}/readyz`);
    expect(String(errors)).toContain("did you mean path?");
    expect(revision).not.toBeNull();
  });
  writeFileSync(join(folder, "policies/p.yaml"), policy("path"));
});

test("a definition that is not the pinned one: log, metric, status, record; and the call goes on", async () => {
  const file = readFileSync(stored, "utf8");
  const pinned = JSON.parse(file) as { tools: { name: string; digest: string }[] };
  const real = pinned.tools.find(({ name }) => name === "list_directory")?.digest ?? "";
  const old = `sha256:${"0".repeat(64)}`;
  writeFileSync(stored, file.replace(real, old));
  await start();
  await withClient("files", async (client) => {
    const answer = await client.callTool({ name: "list_directory", arguments: { path: folder } });
    expect(answer.isError).not.toBe(true);
  });
  expect(events("tool_definition_changed")).toEqual([
    expect.objectContaining({ tool: "files:list_directory", old_digest: old, new_digest: real }),
  ]);
  const metrics = await (await fetch(`http://${gateway}/metrics`)).text();
  expect(metrics).toContain('holdfast_tool_definitions_changed_total{server="files"} 1');
  const status = await json(`http://${gateway}/statusz`);
  expect(status["tool_definitions"]).toMatchObject({ files: { changed: 1 } });
  expect((await json(`http://${gateway}/readyz`))["ready"]).toBe(true);
  await stop();
  const shown = holdfast("audit", "show", "data/log", "--json", "--tool", "files:list_directory");
  expect(JSON.parse(shown.stdout.trim())).toMatchObject({ definition_digest: real });
  expect(holdfast("tools").stdout).toMatch(/^files:list_directory .* \d{4}-\d\d-\d\dT/m);
});

async function start(): Promise<void> {
  const out = openSync(log, "w");
  running = spawn(process.execPath, [bin, "up"], { cwd: folder, stdio: ["ignore", out, out] });
  for (const at of [control, gateway])
    await until(async () => expect((await fetch(`http://${at}/readyz`)).ok).toBe(true));
}

async function stop(): Promise<void> {
  const child = running;
  running = undefined;
  if (child === undefined) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await ended;
}

async function withClient(server: string, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ name: "test", version: "1" });
  const requestInit = { headers: { authorization: "Bearer a-token-for-this-test" } };
  const url = new URL(`http://${gateway}/mcp/${server}`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  await use(client);
  await client.close();
}

function holdfast(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, [bin, ...args], { cwd: folder, encoding: "utf8" });
}

function events(event: string): readonly Record<string, unknown>[] {
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line["event"] === event);
}

async function json(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

/** Until it holds; the last failure otherwise. */
async function until(holds: () => Promise<void>): Promise<void> {
  const end = performance.now() + waitMs;
  for (;;) {
    try {
      return await holds();
    } catch (thrown) {
      if (performance.now() > end) throw thrown;
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => done(port));
    });
  });
}
