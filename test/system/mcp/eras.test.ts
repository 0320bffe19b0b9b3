/** Clients and servers of different eras, both ways. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { everythingListener } from "../../fixtures/everything-server.ts";
import { fakeSpine } from "../../fixtures/fake-spine.ts";
import {
  listen,
  startGateway,
  type TestGateway,
  type TestHttpServer,
} from "../../fixtures/mcp-gateway.ts";

const spine = fakeSpine(({ tool }) => ({
  decision: tool === "old:test_error_handling" ? "deny" : "allow",
}));
const pinned = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;
let http: TestHttpServer;
let gateway: TestGateway;
let stateless: TestHttpServer;

beforeAll(async () => {
  stateless = await listen(everythingListener("stateless"));
  http = await listen(everythingListener("older"));
  const stdio = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
  gateway = await startGateway(
    {
      new: { url: `${stateless.url}/mcp` },
      old: { url: `${http.url}/mcp` },
      stdio: { command: [process.execPath, stdio, "stdio"] },
    },
    spine,
  );
});
afterAll(async () => {
  await gateway.close();
  http.close();
  stateless.close();
});

test("lists, calls, progress, resources, prompts and completion", async () => {
  const client = await gateway.client("old", pinned);
  expect(client.getProtocolEra()).toBe("modern");
  expect((await client.listTools()).tools.length).toBeGreaterThan(10);
  const progress: number[] = [];
  await client.callTool(
    { name: "test_tool_with_progress", arguments: {} },
    { onprogress: (p) => progress.push(p.progress) },
  );
  // The client may drop progress that comes in one chunk with the answer.
  expect(progress.slice(0, 2)).toEqual([0, 50]);
  const denied = await client.callTool({ name: "test_error_handling", arguments: {} });
  expect(JSON.stringify(denied.content)).toContain("Denied: old:test_error_handling");
  expect((await client.readResource({ uri: "test://static-text" })).contents).toHaveLength(1);
  expect((await client.getPrompt({ name: "test_simple_prompt" })).messages).toHaveLength(1);
  const ref = { type: "ref/prompt", name: "test_prompt_with_arguments" } as const;
  const completed = await client.complete({ ref, argument: { name: "arg1", value: "par" } });
  expect(completed.completion.values).toContain("paris");
});

test("the server's question becomes input_required, and the retry is decided again", async () => {
  const client = await gateway.client("old", { ...pinned, capabilities: { elicitation: {} } });
  client.setRequestHandler("elicitation/create", async () => ({
    action: "accept",
    content: { username: "ada", email: "ada@example.org" },
  }));
  spine.seen.length = 0;
  const call = { name: "test_elicitation", arguments: { message: "who?" } };
  const result = await client.callTool(call);
  expect(JSON.stringify(result.content)).toContain("ada@example.org");
  expect(spine.seen.map(({ tool }) => tool)).toEqual([
    "old:test_elicitation",
    "old:test_elicitation",
  ]);
  expect(spine.seen[1]?.context).toMatchObject({
    mcp: { input_responses: { input: { action: "accept" } } },
  });
});

test("a stdio server of the older era, two callers side by side", async () => {
  const [alice, bob] = await Promise.all([
    gateway.client("stdio", pinned, "alice"),
    gateway.client("stdio", pinned, "bob"),
  ]);
  const echoes = await Promise.all(
    [alice, bob, alice].map((client, i) =>
      client.callTool({ name: "echo", arguments: { message: String(i) } }),
    ),
  );
  expect(echoes.map(({ content }) => content)).toEqual(
    [0, 1, 2].map((i) => [{ type: "text", text: `Echo: ${i}` }]),
  );
});

test("an older client of a stateless server: lists, calls, progress, headers from arguments, changes", async () => {
  let told = 0;
  const onChanged = (): void => {
    told += 1;
  };
  const client = await gateway.client("new", {
    listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
  });
  expect(client.getProtocolEra()).toBe("legacy");
  expect((await client.listTools()).tools.length).toBeGreaterThan(10);
  const region = { name: "test_custom_header", arguments: { region: "eü" } };
  expect((await client.callTool(region)).content).toEqual([{ type: "text", text: "region eü" }]);
  const progress: number[] = [];
  await client.callTool(
    { name: "test_tool_with_progress", arguments: {} },
    { onprogress: (p) => progress.push(p.progress) },
  );
  expect(progress.slice(0, 2)).toEqual([0, 50]);
  expect((await client.readResource({ uri: "test://static-text" })).contents).toHaveLength(1);
  expect(await client.ping()).toBeDefined();
  await expect
    .poll(
      async () => {
        await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
        return told;
      },
      { timeout: 5_000, interval: 200 },
    )
    .toBeGreaterThan(0);
});

test("an older client answers what a stateless server asks with input_required", async () => {
  const client = await gateway.client("new", { capabilities: { elicitation: {} } });
  client.setRequestHandler("elicitation/create", async ({ params }) => ({
    action: "accept",
    content: { name: "Ada", color: "green", asked: params.message },
  }));
  for (const [tool, said] of [
    ["elicitation", "Hello, Ada!"],
    ["multi_round", "done after two rounds"],
  ] as const) {
    const name = `test_input_required_result_${tool}`;
    const result = await client.callTool({ name, arguments: {} });
    expect(result.content).toEqual([{ type: "text", text: said }]);
  }
});
