/** The wrap between the official stdio client and a stdio server, in both eras of both. */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterEach, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";

const clients: Client[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

const servers = {
  older: ["node_modules/@modelcontextprotocol/server-everything/dist/index.js", "stdio"],
  "dual-era": ["test/fixtures/everything-server.ts", "--stdio"],
} as const;

async function wrapped(server: keyof typeof servers, options: object): Promise<Client> {
  const client = new Client({ name: "desktop", version: "1" }, options);
  const args = ["test/fixtures/wrap-main.ts", process.execPath, ...servers[server]];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  clients.push(client);
  return client;
}

for (const [mode, options] of [
  ["legacy", {}],
  ["auto", auto],
] as const) {
  test(`${mode} client, older server: a call goes through`, async () => {
    const client = await wrapped("older", options);
    const result = await client.callTool({ name: "echo", arguments: { message: "hi" } });
    expect(result.content).toEqual([{ type: "text", text: "Echo: hi" }]);
    expect(result._meta?.["io.holdfast/receipt"]).toBe("proof");
  });

  test(`${mode} client, dual-era server: allowed, denied, progress`, async () => {
    const client = await wrapped("dual-era", options);
    const progress: number[] = [];
    await client.callTool(
      { name: "test_tool_with_progress", arguments: {} },
      { onprogress: (p) => progress.push(p.progress) },
    );
    // The client may drop progress that comes in one chunk with the answer.
    expect(progress.slice(0, 2)).toEqual([0, 50]);
    const denied = await client.callTool({ name: "test_error_handling", arguments: {} });
    expect(denied.isError).toBe(true);
    expect(JSON.stringify(denied.content)).toContain("Denied: wrapped:test_error_handling");
    const headered = await client.callTool({
      name: "test_custom_header",
      arguments: { region: "eu" },
    });
    expect(headered.content).toEqual([{ type: "text", text: "region eu" }]);
  });
}
