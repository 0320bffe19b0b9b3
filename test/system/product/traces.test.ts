/**
 * Traces through the real gateway, end to end: agent → gateway → upstream, in both eras of MCP and for HTTP tools, decoded by
 * a collector that is not the exporter's.
 */
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import {
  type CollectedSpan,
  type Collector,
  startCollector,
} from "../../fixtures/otlp-collector.ts";
import { checkMetrics } from "../../fixtures/promtool.ts";
import { startTraceEcho, type TraceEcho } from "../../fixtures/trace-echo.ts";
import { ask, decisionIn, root, supportBot, until, type World, world } from "./harness.ts";

const made: { it?: World; collector?: Collector; echo?: TraceEcho } = {};
const here = (): World => made.it as World;
const spans = (): readonly CollectedSpan[] => (made.collector as Collector).spans;

const policy = `
tools:
  echo:tell: { effect: read, risk: low }
  echo:fail: { effect: read, risk: low }
  echo:crash: { effect: read, risk: low }
  local:tell: { effect: read, risk: low }
  echo:prompts/get: { effect: read, risk: low }
  echo:resources/read: { effect: read, risk: low }
policy: echo
rules:
  - id: use
    match: { tools: ["echo:tell", "echo:fail", "echo:crash", "local:tell", "echo:prompts/get", "echo:resources/read"] }
    outcome: allow
`;

beforeAll(async () => {
  // Batches of spans wait 5 s otherwise.
  process.env["OTEL_BSP_SCHEDULE_DELAY"] = "50";
  made.collector = await startCollector();
  made.echo = await startTraceEcho();
  made.it = await world({
    config: `telemetry: { otlp_endpoint: "${made.collector.endpoint}" }`,
    upstreams: `  echo: { mcp: { url: "${made.echo.url}" } }
  local: { mcp: { command: ["${process.execPath}", "${join(root, "test/fixtures/trace-echo.ts")}"] } }`,
  });
  here().policy("echo.yaml", policy);
  await here().both();
});
afterAll(async () => {
  await here().close();
  made.collector?.close();
  made.echo?.close();
});

const inMessage = { trace: "1".repeat(32), span: "2".repeat(16) };
const aroundIt = { trace: "3".repeat(32), span: "4".repeat(16) };
const written = ({ trace, span }: typeof inMessage): string => `00-${trace}-${span}-01`;
const _meta = { traceparent: written(inMessage), tracestate: "vendor=a", baggage: "user=alice" };

/** The two spans of a call, by the id that its decision carries. */
async function spansOf(call: unknown): Promise<{ server: CollectedSpan; client?: CollectedSpan }> {
  return await until(`the spans of ${call}`, async () => {
    const found = spans().filter(({ attributes }) => attributes["holdfast.call_id"] === call);
    const [server, client] = [2, 3].map((kind) => found.find((span) => span.kind === kind));
    if (server === undefined) return undefined;
    return { server, ...(client === undefined ? {} : { client }) };
  });
}

interface Told {
  readonly meta: Readonly<Record<string, unknown>> | null;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

async function call(client: Client, name: string, meta: object | null = _meta) {
  const params = { name, arguments: {}, ...(meta === null ? {} : { _meta: meta }) };
  const result = await client.callTool(params as never);
  const [first] = result.content as readonly { readonly text: string }[];
  const isError = result.isError ?? false;
  return { result, isError, decision: decisionIn(result), text: first?.text ?? "" };
}
const told = (text: string): Told => JSON.parse(text) as Told;

for (const [era, options, version] of [
  ["legacy", {}, "2025-11-25"],
  ["modern", auto, "2026-07-28"],
] as const) {
  test(`${era}: SERVER under the message's own parent, CLIENT in the upstream's _meta`, async () => {
    const client = await here().client("echo", options);
    expect(client.getProtocolEra()).toBe(era);
    const { text, decision } = await call(client, "tell");
    const { server, client: forward } = await spansOf(decision["call_id"]);
    expect(server).toMatchObject({
      name: "tools/call tell",
      traceId: inMessage.trace,
      parentSpanId: inMessage.span,
      traceState: "vendor=a",
      statusCode: 0,
      attributes: {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "tell",
        "mcp.protocol.version": version,
        "jsonrpc.request.id": expect.stringMatching(/^\d+$/),
        "holdfast.decision": "allow",
        "holdfast.agent_id": "support-bot",
      },
    });
    expect(server.attributes).not.toHaveProperty("error.type");
    expect(forward).toMatchObject({ traceId: inMessage.trace, parentSpanId: server.spanId });
    const child = `00-${inMessage.trace}-${forward?.spanId}-01`;
    expect(told(text)).toMatchObject({
      meta: { traceparent: child, tracestate: "vendor=a", baggage: "user=alice" },
      traceparent: child,
      tracestate: "vendor=a",
    });
  });

  test(`${era}: a call without context begins a trace that the upstream continues`, async () => {
    const client = await here().client("echo", options);
    const { text, decision } = await call(client, "tell", null);
    const { server, client: forward } = await spansOf(decision["call_id"]);
    expect([server.parentSpanId, server.links]).toEqual(["", []]);
    expect(told(text).meta?.["traceparent"]).toBe(`00-${server.traceId}-${forward?.spanId}-01`);
  });

  test(`${era}: isError is tool_error, a JSON-RPC error its code, a refusal has no CLIENT span`, async () => {
    const client = await here().client("echo", options);
    const failed = await spansOf((await call(client, "fail")).decision["call_id"]);
    for (const span of [failed.server, failed.client])
      expect(span).toMatchObject({ statusCode: 2, attributes: { "error.type": "tool_error" } });
    await expect(call(client, "crash")).rejects.toThrow();
    const crashed = await until("the crash", async () =>
      spans().filter(
        ({ name, attributes }) =>
          name === "tools/call crash" &&
          (era === "modern") === (attributes["mcp.protocol.version"] !== "2025-11-25"),
      ),
    );
    for (const span of crashed)
      expect(span).toMatchObject({
        statusCode: 2,
        attributes: { "error.type": "-32050", "rpc.response.status_code": "-32050" },
      });
    const refused = await call(client, "unlisted");
    const { server, client: none } = await spansOf(refused.decision["call_id"]);
    expect([refused.isError, none]).toEqual([true, undefined]);
    expect(server).toMatchObject({
      statusCode: 2,
      parentSpanId: inMessage.span,
      attributes: { "error.type": "tool_error", "holdfast.decision": "deny" },
    });
  });
}

test("a stdio upstream, which has no headers, gets its context in _meta", async () => {
  const client = await here().client("local", auto);
  const { text, decision } = await call(client, "tell");
  const { client: forward } = await spansOf(decision["call_id"]);
  expect(told(text).meta).toMatchObject({
    traceparent: `00-${inMessage.trace}-${forward?.spanId}-01`,
    tracestate: "vendor=a",
    baggage: "user=alice",
  });
});

test("the HTTP context around a message that names its own is linked; without one it is the parent", async () => {
  const post = (meta: object): Promise<{ readonly body: Record<string, unknown> }> =>
    ask(`${here().gatewayUrl}/mcp/echo`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${supportBot}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "tell",
        traceparent: written(aroundIt),
        tracestate: "http=b",
      },
      body: JSON.stringify({
        ...{ jsonrpc: "2.0", id: 7, method: "tools/call" },
        params: {
          name: "tell",
          arguments: {},
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
            ...meta,
          },
        },
      }),
    });
  const answered = ({ body }: { readonly body: Record<string, unknown> }) =>
    body["result"] as { _meta?: unknown; content: readonly { text: string }[] };
  const both = answered(await post(_meta));
  const linked = await spansOf(decisionIn(both)["call_id"]);
  expect(linked.server).toMatchObject({
    parentSpanId: inMessage.span,
    links: [`${aroundIt.trace}-${aroundIt.span}`],
    attributes: { "jsonrpc.request.id": "7" },
  });
  expect(told(both.content[0]?.text ?? "").tracestate).toBe("vendor=a");
  const only = answered(await post({}));
  const parented = await spansOf(decisionIn(only)["call_id"]);
  expect(parented.server).toMatchObject({
    parentSpanId: aroundIt.span,
    links: [],
    traceState: "http=b",
  });
  expect(told(only.content[0]?.text ?? "").meta).toMatchObject({ tracestate: "http=b" });
});

test("prompts and resources are named as the conventions name them, and are no tools", async () => {
  const client = await here().client("echo", auto);
  await client.getPrompt({ name: "summary" });
  await client.readResource({ uri: "test://a" });
  const named = (name: string): Promise<CollectedSpan> =>
    until(name, async () => spans().find((span) => span.kind === 2 && span.name === name));
  const prompt = await named("prompts/get summary");
  expect(prompt.attributes).toMatchObject({ "gen_ai.prompt.name": "summary" });
  const resource = await named("resources/read");
  expect(resource.attributes).toMatchObject({ "mcp.resource.uri": "test://a" });
  for (const { attributes } of [prompt, resource])
    expect(Object.keys(attributes)).not.toContain("gen_ai.operation.name");
});

test("HTTP tools: the caller's trace goes on in the header; the conventions for HTTP", async () => {
  const send = (path: string, body: object): Promise<Response> =>
    fetch(`${here().gatewayUrl}/http/${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${supportBot}`,
        "content-type": "application/json",
        traceparent: written(aroundIt),
        tracestate: "http=b",
      },
      body: JSON.stringify(body),
    });
  const allowed = await send("desk/items", { weight: 1 });
  const { server, client } = await spansOf(allowed.headers.get("holdfast-call"));
  const http = { "http.request.method": "POST", "http.route": "/items" };
  const ok = { ...http, "http.response.status_code": 200 };
  expect(server).toMatchObject({
    name: "POST /items",
    parentSpanId: aroundIt.span,
    attributes: ok,
  });
  expect(client).toMatchObject({ parentSpanId: server.spanId, attributes: ok });
  expect(here().desk.seen.at(-1)?.headers).toMatchObject({
    traceparent: `00-${aroundIt.trace}-${client?.spanId}-01`,
    tracestate: "http=b",
  });
  const denied = await send("desk/broken", { weight: 101 });
  const refused = await spansOf(denied.headers.get("holdfast-call"));
  expect([denied.status, refused.client, refused.server.statusCode]).toEqual([403, undefined, 0]);
  const unreachable = await send("gone/items", {});
  const lost = await spansOf(unreachable.headers.get("holdfast-call"));
  expect(lost.client).toMatchObject({ statusCode: 2, attributes: { "error.type": "not_sent" } });
});

test("promtool finds nothing wrong with /metrics after all of this", async () => {
  const { text } = (await ask(`${here().gatewayUrl}/metrics`)).body as { text: string };
  for (const line of [
    /^holdfast_calls_total\{face="mcp",server="echo",decision="allow",outcome="ok"\} \d/m,
    /^holdfast_calls_total\{face="mcp",server="echo",decision="deny",outcome="refused"\} 2$/m,
    /^holdfast_calls_total\{face="http",server="desk",decision="deny",outcome="refused"\} 1$/m,
    /^holdfast_calls_total\{face="http",server="gone",decision="allow",outcome="not_sent"\} 1$/m,
  ])
    expect(text).toMatch(line);
  expect(checkMetrics(text)).toEqual({ status: 0, said: "" });
});
