/** `/mcp`: several servers as one, for the official client in both eras. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { everythingListener } from "../../fixtures/everything-server.ts";
import { fakeSpine } from "../../fixtures/fake-spine.ts";
import {
  auto,
  listen,
  startGateway,
  type TestGateway,
  type TestHttpServer,
} from "../../fixtures/mcp-gateway.ts";

const spine = fakeSpine(
  ({ tool }) => ({ decision: tool === "one:test_error_handling" ? "deny" : "allow" }),
  ["two:test_sampling"],
);
let http: TestHttpServer;
let dual: TestGateway;
let mixed: TestGateway;

beforeAll(async () => {
  http = await listen(everythingListener());
  const one = { url: `${http.url}/mcp` };
  const stdio = (...args: string[]): { command: [string, ...string[]] } => ({
    command: [process.execPath, ...args],
  });
  dual = await startGateway(
    { one, two: stdio("test/fixtures/everything-server.ts", "--stdio") },
    spine,
  );
  const older = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
  mixed = await startGateway({ one, old: stdio(older, "stdio") }, spine);
});
afterAll(async () => {
  await Promise.all([dual.close(), mixed.close()]);
  http.close();
});

for (const [mode, options] of [
  ["legacy", {}],
  ["modern", auto],
] as const)
  test(`${mode}: lists are merged, sorted and filtered; calls are routed and governed once`, async () => {
    const client = await dual.client("", options);
    expect(client.getProtocolEra()).toBe(mode);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(names).toContain("one.test_sampling");
    expect(names).toContain("two.test_simple_text");
    expect(names).not.toContain("two.test_sampling");
    spine.seen.length = 0;
    const result = await client.callTool({ name: "two.test_simple_text", arguments: {} });
    expect(result.content).toEqual([
      { type: "text", text: "This is a simple text response for testing." },
    ]);
    const denied = await client.callTool({ name: "one.test_error_handling", arguments: {} });
    expect(denied.isError).toBe(true);
    expect(spine.seen.map(({ tool }) => tool)).toEqual([
      "two:test_simple_text",
      "one:test_error_handling",
    ]);
    const prompt = await client.getPrompt({ name: "one.test_simple_prompt" });
    expect(prompt.messages).toHaveLength(1);
    await expect(client.callTool({ name: "nowhere.x", arguments: {} })).rejects.toThrow(/Unknown/);
    // Both servers show the same resources here, so none is shown: nobody could say which is meant.
    expect((await client.listResources()).resources).toEqual([]);
  });

test("a server of the older era among others is reachable for a stateless client", async () => {
  const client = await mixed.client("", auto);
  expect(client.getProtocolEra()).toBe("modern");
  const echo = await client.callTool({ name: "old.echo", arguments: { message: "hi" } });
  expect(echo.content).toEqual([{ type: "text", text: "Echo: hi" }]);
  const read = await client.readResource({ uri: "test://static-text" });
  expect(read.contents).toHaveLength(1);
});

test("a server's question reaches the client, and the answer reaches that server", async () => {
  const client = await dual.client("", { capabilities: { elicitation: {} } });
  client.setRequestHandler("elicitation/create", async () => ({
    action: "accept",
    content: { username: "ada", email: "ada@example.org" },
  }));
  for (const server of ["one", "two"]) {
    const name = `${server}.test_elicitation`;
    const result = await client.callTool({ name, arguments: { message: "who?" } });
    expect(JSON.stringify(result.content)).toContain("ada@example.org");
  }
});
