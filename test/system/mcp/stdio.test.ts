/** Real servers of the registry behind the gateway, driven by the official client, in both negotiation modes. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeSpine } from "../../fixtures/fake-spine.ts";
import { auto, startGateway, type TestGateway } from "../../fixtures/mcp-gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-fs-"));
const spine = fakeSpine(
  ({ tool, args }) =>
    tool === "fs:write_file"
      ? { decision: "deny" }
      : tool === "everything:echo" && args["message"] === "card"
        ? { decision: "sanitize", args: { message: "[redacted]" } }
        : { decision: "allow" },
  ["fs:write_file"],
);
let gateway: TestGateway;

const server = (name: string): string =>
  `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`;

beforeAll(async () => {
  writeFileSync(join(folder, "a.txt"), "hello");
  gateway = await startGateway(
    {
      everything: { command: [process.execPath, server("everything"), "stdio"] },
      fs: { command: [process.execPath, server("filesystem"), folder] },
    },
    spine,
  );
});
afterAll(() => gateway.close());

interface TextResult {
  readonly isError?: boolean;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}
const textOf = (result: unknown): string | undefined => (result as TextResult).content[0]?.text;

for (const [mode, options] of [
  ["legacy", {}],
  ["auto", auto],
] as const) {
  test(`${mode}: filesystem server: list is filtered, read allowed, write denied before the server sees it`, async () => {
    const client = await gateway.client("fs", options);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("read_text_file");
    expect(names).not.toContain("write_file");
    expect(names).toEqual([...names].sort());
    const path = join(folder, "a.txt");
    const read = await client.callTool({ name: "read_text_file", arguments: { path } });
    expect(textOf(read)).toBe("hello");
    const write = await client.callTool({
      name: "write_file",
      arguments: { path: join(folder, "b.txt"), content: "x" },
    });
    expect(write.isError).toBe(true);
    expect(textOf(write)).toMatch(/^Denied: fs:write_file was not executed\.\nReason: /);
    const { existsSync } = await import("node:fs");
    expect(existsSync(join(folder, "b.txt"))).toBe(false);
  });

  test(`${mode}: everything server: sanitized argument, progress, resources, prompts`, async () => {
    const client = await gateway.client("everything", options);
    const echo = await client.callTool({ name: "echo", arguments: { message: "card" } });
    expect(textOf(echo)).toBe("Echo: [redacted]");
    expect(echo._meta?.["io.holdfast/decision"]).toMatchObject({ decision: "sanitize" });
    const progress: number[] = [];
    const long = await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 0.3, steps: 3 } },
      { onprogress: (p) => progress.push(p.progress) },
    );
    expect(long.isError).not.toBe(true);
    // The client may drop progress that comes in one chunk with the answer.
    expect(progress.slice(0, 2)).toEqual([1, 2]);
    const { resources } = await client.listResources();
    const uri = resources[0]?.uri ?? "";
    expect((await client.readResource({ uri })).contents.length).toBeGreaterThan(0);
    expect(spine.seen.at(-1)).toMatchObject({
      tool: "everything:resources/read",
      args: { uri },
      effectHint: "read",
    });
    const prompt = await client.getPrompt({ name: "simple-prompt" });
    expect(prompt.messages.length).toBeGreaterThan(0);
    expect(spine.seen.at(-1)?.tool).toBe("everything:prompts/get");
  });
}

test("two principals never share a process or a session", async () => {
  const url = `${gateway.url}/mcp/everything`;
  const init = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "x", version: "1" },
    },
  };
  const post = (token: string, body: unknown, session?: string): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(session === undefined ? {} : { "mcp-session-id": session }),
      },
      body: JSON.stringify(body),
    });
  const opened = await post("alice", init);
  const session = opened.headers.get("mcp-session-id") ?? "";
  expect(session).toMatch(/^[0-9a-f]{32}$/);
  const ping = { jsonrpc: "2.0", id: 2, method: "ping" };
  expect((await post("alice", ping, session)).status).toBe(200);
  expect((await post("mallory", ping, session)).status).toBe(404);
});
