/** Agents that sign their requests (RFC 9421): from the configuration to the record, over HTTP and MCP. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AgentKey, agentKey, signedHeaders } from "../../fixtures/signed-request.ts";
import { type Answer, ask, type Process, until, type World, world } from "./harness.ts";

const made: { it?: World; gateway?: Process } = {};
const here = (): World => made.it as World;
const key = agentKey();

beforeAll(async () => {
  made.it = await world({
    config: "identity: { signed_agents: [{ agent: signer, jwks_file: signer.jwks.json }] }",
  });
  writeFileSync(here().path("signer.jwks.json"), JSON.stringify({ keys: [key.jwk] }));
  made.gateway = (await here().both()).gateway;
  await taken();
});
afterAll(() => here().close());

interface Signed {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers: Record<string, string>;
}

function signed(method: string, path: string, body?: string, by: AgentKey = key): Signed {
  const { host } = new URL(here().gatewayUrl);
  const created = Math.floor(Date.now() / 1000);
  const toSign = {
    method,
    authority: host,
    path,
    created,
    ...(body === undefined ? {} : { body }),
  };
  const headers = { "content-type": "application/json", ...signedHeaders(by, toSign) };
  return { method, path, headers, ...(body === undefined ? {} : { body }) };
}

const send = ({ method, path, headers, body }: Signed, more = {}): Promise<Answer> =>
  ask(here().gatewayUrl + path, {
    method,
    headers: { ...headers, ...more },
    ...(body === undefined ? {} : { body }),
  });

/** For the first seconds after a start nothing signed is taken: it might have been used before. */
function taken(): Promise<true> {
  return until("a signed request is taken", async () =>
    (await send(signed("GET", "/http/desk/items"))).status === 200 ? true : undefined,
  );
}

test("a signed call is forwarded once, and recorded as the agent's", async () => {
  const request = signed("POST", "/http/desk/items", '{"name":"lamp"}');
  const seen = here().desk.seen.length;
  const first = await send(request);
  expect(first.status).toBe(200);
  const again = await send(request);
  expect(again.status).toBe(401);
  expect(JSON.stringify(again.body)).toContain("its nonce was used before");
  const received = here().desk.seen.slice(seen);
  expect(received).toHaveLength(1);
  expect(Object.keys(received[0]?.headers ?? {}).join()).not.toMatch(/signature|digest/);
  const call = first.headers.get("holdfast-call");
  expect(
    here()
      .entries()
      .find((entry) => entry["call"] === call),
  ).toMatchObject({
    agent_id: "signer",
    identity: "http_signature",
  });
});

test("what was not signed, or not by a known key, does nothing", async () => {
  const seen = here().desk.seen.length;
  const request = signed("POST", "/http/desk/items", '{"name":"lamp"}');
  const refusals = [
    await send({ ...request, body: '{"name":"safe"}' }),
    await send({ ...request, path: "/http/desk/broken" }),
    await send(signed("GET", "/http/desk/items", undefined, agentKey())),
    await send(signed("GET", "/http/desk/items"), { "signature-agent": '"https://evil.example"' }),
  ];
  expect(refusals.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
  expect(here().desk.seen).toHaveLength(seen);
});

test("MCP through the aggregate: the members are asked for the one who signed", async () => {
  const call = (id: number, method: string, params: object): string =>
    JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const accept = { accept: "application/json, text/event-stream" };
  const client = { name: "x", version: "1" };
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: client };
  const begun = await send(signed("POST", "/mcp", call(1, "initialize", hello)), accept);
  expect(begun.status).toBe(200);
  const session = { ...accept, "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
  const listed = await send(signed("POST", "/mcp", call(2, "tools/list", {})), session);
  expect(listed.status).toBe(200);
  const read = {
    name: "files.read_text_file",
    arguments: { path: here().path("workspace/welcome.txt") },
  };
  const answer = await send(signed("POST", "/mcp", call(3, "tools/call", read)), session);
  expect(JSON.stringify(answer.body)).toMatch(/io.holdfast\/decision/);
  const decisions = here()
    .entries()
    .filter((entry) => entry["kind"] === "decision");
  expect(decisions.at(-1)).toMatchObject({ agent_id: "signer", tool: "files:read_text_file" });
});

test("after a restart nothing that was signed before it is taken", async () => {
  const unused = signed("GET", "/http/desk/items");
  await made.gateway?.stop();
  made.gateway = await here().gateway();
  const answer = await send(unused);
  expect(answer.status).toBe(401);
  expect(JSON.stringify(answer.body)).toContain("before this gateway started");
  await taken();
});
