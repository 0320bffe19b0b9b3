/** What servers ask of clients: sampling is decided and recorded in both eras and across them; elicitation passes. */
import { spawnSync } from "node:child_process";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startComposed } from "../../fixtures/composed-gateway.ts";
import { everythingListener } from "../../fixtures/everything-server.ts";
import { type FakeVerdict, fakeSpine } from "../../fixtures/fake-spine.ts";
import {
  auto,
  listen,
  startGateway,
  type TestGateway,
  type TestHttpServer,
} from "../../fixtures/mcp-gateway.ts";

const sampling = "sampling/createMessage";
let verdict: FakeVerdict = { decision: "allow" };
const spine = fakeSpine(({ tool }) => (tool.endsWith(sampling) ? verdict : { decision: "allow" }));
const servers: TestHttpServer[] = [];
let gateway: TestGateway;
let heard: unknown[] = [];

beforeAll(async () => {
  const upstreams: Record<string, { url: string }> = {};
  for (const eras of ["both", "older", "stateless"] as const) {
    const server = await listen(everythingListener(eras));
    servers.push(server);
    upstreams[eras] = { url: `${server.url}/mcp` };
  }
  gateway = await startGateway(upstreams, spine);
});
afterAll(async () => {
  await gateway.close();
  for (const server of servers) server.close();
});
beforeEach(() => {
  verdict = { decision: "allow" };
  heard = [];
  spine.seen.length = 0;
  spine.outcomes.length = 0;
});

async function answering(server: string, mode: "legacy" | "modern"): Promise<Client> {
  const capabilities = { sampling: {}, elicitation: {} };
  const client = await gateway.client(server, { ...(mode === "modern" ? auto : {}), capabilities });
  expect(client.getProtocolEra()).toBe(mode);
  client.setRequestHandler(sampling, async ({ params }) => {
    heard.push(params.messages);
    const content = { type: "text", text: "a poem" } as const;
    return { role: "assistant", model: "m", content };
  });
  client.setRequestHandler("elicitation/create", async () => ({
    action: "accept",
    content: { username: "ada", email: "ada@example.org" },
  }));
  return client;
}

const legacyCall = { name: "test_sampling", arguments: { prompt: "write" } };
const modernCall = { name: "test_input_required_result_sampling", arguments: {} };
const routes = [
  ["both", "legacy", legacyCall],
  ["both", "modern", modernCall],
  ["older", "modern", legacyCall],
  ["stateless", "legacy", modernCall],
] as const;

const samplings = (): readonly unknown[] => spine.seen.filter(({ method }) => method === sampling);

for (const [server, mode, call] of routes) {
  test(`${mode} client, ${server} server: sampling is decided as a read, then relayed`, async () => {
    const client = await answering(server, mode);
    const result = await client.callTool(call);
    expect(JSON.stringify(result.content)).toContain("a poem");
    expect(heard).toHaveLength(1);
    expect(samplings()).toMatchObject([
      { tool: `${server}:${sampling}`, effectHint: "read", face: "mcp" },
    ]);
    expect(spine.outcomes).not.toContain("unknown");
    expect(spine.outcomes.length).toBe(spine.seen.length);
  });

  test(`${mode} client, ${server} server: refused sampling never reaches the client`, async () => {
    verdict = { decision: "deny" };
    const client = await answering(server, mode);
    const result = await client.callTool(call);
    expect(heard).toEqual([]);
    expect(samplings()).toHaveLength(1);
    expect(result.isError).toBe(true);
    const said = JSON.stringify(result.content);
    if (mode === "modern") expect(said).toContain(`Denied: ${server}:${sampling}`);
  });

  test(`${mode} client, ${server} server: sanitized sampling arrives sanitized`, async () => {
    const messages = [{ role: "user", content: { type: "text", text: "[redacted]" } }];
    verdict = { decision: "sanitize", args: { messages, maxTokens: 5 } };
    const client = await answering(server, mode);
    await client.callTool(call);
    expect(heard).toEqual([messages]);
  });
}

test("elicitation passes without a decision of its own", async () => {
  verdict = { decision: "deny" };
  const client = await answering("both", "legacy");
  const call = { name: "test_elicitation", arguments: { message: "who?" } };
  expect(JSON.stringify((await client.callTool(call)).content)).toContain("ada@example.org");
  expect(spine.seen.map(({ tool }) => tool)).toEqual(["both:test_elicitation"]);
});

test("by a rule, in the composed gateway, and in its log", async () => {
  const tool = "both:sampling/createMessage";
  const composed = await startComposed({
    upstreams: { both: { mcp: { url: `${servers[0]?.url}/mcp` } } },
    tools: { [tool]: { effect: "read", risk: "low" } },
    rules: [{ id: "own-model", match: { tools: tool }, outcome: "deny", reason: "costs money" }],
  });
  try {
    const client = new Client(
      { name: "test", version: "1" },
      { ...auto, capabilities: { sampling: {} } },
    );
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${composed.openUrl}/mcp/both`)),
    );
    const result = await client.callTool(modernCall);
    await client.close();
    expect(JSON.stringify(result.content)).toContain("rule=conformance/own-model");
    const args = ["audit", "show", "--tool", tool, composed.log];
    const show = spawnSync(process.execPath, ["bin/holdfast.mjs", ...args]);
    expect(`${show.stdout}${show.stderr}`).toMatch(/deny/);
  } finally {
    await composed.close();
  }
});
