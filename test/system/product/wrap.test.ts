/** `holdfast mcp wrap`, as a desktop client starts it: the official stdio client, and a reference server inside. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client, type ClientOptions } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import { decisionIn, root, supportBot, type World, world } from "./harness.ts";

const made: { it?: World } = {};
const here = (): World => made.it as World;

beforeAll(async () => {
  made.it = await world();
  const catalog =
    "rules:\n  - { id: try, match: { tools: [everything:echo, everything:get-env] }, outcome: allow }";
  here().policy("everything.yaml", `policy: everything\n${catalog}\n`);
});
afterAll(() => here().close());

const wrapped = (): string[] => [
  join(root, "bin/holdfast.mjs"),
  ...["mcp", "wrap", "--config", here().path("holdfast.yaml"), "--server", "everything", "--"],
  process.execPath,
  join(root, "node_modules/@modelcontextprotocol/server-everything/dist/index.js"),
  "stdio",
];

async function desktop(options: ClientOptions): Promise<Client> {
  const client = new Client({ name: "desktop", version: "1" }, options);
  const env = { PATH: process.env["PATH"] ?? "", HOLDFAST_TOKEN: supportBot };
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: wrapped(), env, stderr: "ignore" }),
  );
  return client;
}

for (const [mode, options] of [
  ["legacy", {}],
  ["modern", auto],
] as const)
  test(`a client that speaks ${mode}: list filtered, allowed, denied, recorded`, async () => {
    const client = await desktop(options);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(["echo", "get-env"]);
    const echo = await client.callTool({ name: "echo", arguments: { message: "hi" } });
    expect(echo.content).toEqual([{ type: "text", text: "Echo: hi" }]);
    expect(decisionIn(echo)).toMatchObject({ decision: "allow", agent_id: "support-bot" });
    const denied = await client.callTool({ name: "get-sum", arguments: { a: 1, b: 2 } });
    expect([denied.isError, decisionIn(denied)["decision"]]).toEqual([true, "deny"]);
    // The wrapped server never sees the agent's token.
    const environment = await client.callTool({ name: "get-env", arguments: {} });
    expect(JSON.stringify(environment.content)).toContain("PATH");
    expect(JSON.stringify(environment.content)).not.toContain(supportBot);
    await client.close();
    const log = here().path("data/wrap/everything/log");
    expect(here().audit("verify", [], log).code).toBe(0);
    const shown = here().audit("show", ["--json", "--decision", "deny"], log).stdout;
    expect(shown).toContain('"tool":"everything:get-sum"');
    expect(shown).toContain('"instance":"wrap-everything"');
  });

test("without a token, or with one nobody issued: said, and nothing is let through", async () => {
  const run = spawnSync(process.execPath, wrapped(), { encoding: "utf8", input: "" });
  expect([run.status, run.stdout]).toEqual([1, ""]);
  expect(run.stderr).toContain("put the agent's token into the variable HOLDFAST_TOKEN");
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "x", version: "1" },
    },
  };
  const [program = "", ...args] = wrapped();
  const foreign = spawn(process.execPath, [program, ...args], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, HOLDFAST_TOKEN: "somebody-elses" },
  });
  const lines = createInterface({ input: foreign.stdout });
  foreign.stdin.write(`${JSON.stringify(initialize)}\n`);
  const [line] = (await once(lines, "line")) as [string];
  const answer = JSON.parse(line) as Record<string, unknown>;
  expect(answer["error"]).toBeDefined();
  expect(answer["result"]).toBeUndefined();
  // The client closes its side, and the wrap ends before the client would have to kill it.
  const closed = performance.now();
  foreign.stdin.end();
  expect(await once(foreign, "close")).toEqual([0, null]);
  expect(performance.now() - closed).toBeLessThan(4_000);
});
