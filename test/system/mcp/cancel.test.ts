/** Cancelled and broken calls: the outcome is recorded as unknown, and nothing is left open. */
import type { RequestListener } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fakeSpine } from "../../fixtures/fake-spine.ts";
import {
  auto,
  listen,
  startGateway,
  type TestGateway,
  type TestHttpServer,
} from "../../fixtures/mcp-gateway.ts";

const spine = fakeSpine();
let gateway: TestGateway;
let breaking: TestHttpServer;

const results: Readonly<Record<string, unknown>> = {
  initialize: {
    protocolVersion: "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "breaking", version: "1" },
  },
  "tools/list": { tools: [{ name: "go", inputSchema: { type: "object" } }] },
};

/** Lists one tool; a call gets an event and then the connection breaks. */
const breakingListener: RequestListener = (request, response) => {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    const { id, method } = JSON.parse(String(Buffer.concat(pieces)) || "{}");
    const result = results[String(method)];
    if (result !== undefined)
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    else if (method !== "tools/call")
      response.writeHead(request.method === "GET" ? 405 : 202).end();
    else {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(": begun\n\n");
      setTimeout(() => response.destroy(), 50);
    }
  });
};

beforeAll(async () => {
  breaking = await listen(breakingListener);
  const older = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
  gateway = await startGateway(
    {
      older: { command: [process.execPath, older, "stdio"] },
      newer: { command: [process.execPath, "test/fixtures/everything-server.ts", "--stdio"] },
      breaking: { url: breaking.url },
    },
    spine,
  );
});
afterAll(async () => {
  await gateway.close();
  breaking.close();
});

for (const [server, options, call] of [
  ["older", {}, { name: "trigger-long-running-operation", arguments: { duration: 60, steps: 2 } }],
  ["newer", auto, { name: "test_tool_with_progress", arguments: {} }],
] as const)
  test(`${server}: a cancelled call ends as unknown at once, and the session goes on`, async () => {
    const client = await gateway.client(server, options);
    await client.listTools();
    spine.outcomes.length = 0;
    const stop = new AbortController();
    const result = client.callTool(call, { signal: stop.signal });
    setTimeout(() => stop.abort(), 60);
    await expect(result).rejects.toThrow();
    await expect.poll(() => spine.outcomes, { timeout: 3_000 }).toEqual(["unknown"]);
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
  });

test("a connection that breaks in the middle is told as an unknown outcome", async () => {
  const client = await gateway.client("breaking");
  await client.listTools();
  spine.outcomes.length = 0;
  const result = await client.callTool({ name: "go", arguments: {} });
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result.content)).toContain("Outcome unknown: breaking:go");
  expect(spine.outcomes).toEqual(["unknown"]);
});
