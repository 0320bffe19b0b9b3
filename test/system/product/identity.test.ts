/** Who asks: no token, bad tokens, minted tokens, delegation, and a token that goes no further than the gateway. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auto } from "../../fixtures/mcp-gateway.ts";
import {
  type Answer,
  ask,
  decisionIn,
  type Process,
  root,
  supportBot,
  type World,
  world,
} from "./harness.ts";

const made: { it?: World; gateway?: Process } = {};
const here = (): World => made.it as World;
const audience = "https://holdfast.example.com";

function token(command: string, ...options: readonly string[]): string {
  const args = [join(root, "bin/holdfast.mjs"), "token", command, "--key", here().path("key.json")];
  const run = spawnSync(process.execPath, [...args, ...options], { encoding: "utf8" });
  expect(run.stderr).toBe("");
  return run.stdout.trim();
}

const mint = (agent: string, ...options: readonly string[]): string =>
  token("mint", "--agent", agent, "--audience", audience, ...options);

beforeAll(async () => {
  made.it = await world({ payments: true });
  writeFileSync(here().path("jwks.json"), token("keys"));
  const config = readFileSync(here().path("holdfast.yaml"), "utf8");
  const issuers = `[{ issuer: holdfast-local, jwks_file: jwks.json }, { issuer: "https://id.example.com", jwks_url: "http://127.0.0.1:9/jwks" }]`;
  const identity = `identity: { audience: "${audience}", issuers: ${issuers} }`;
  writeFileSync(here().path("holdfast.yaml"), `${config}\n${identity}\n`);
  made.gateway = (await here().both()).gateway;
});
afterAll(() => here().close());

const look = (bearer: string): Promise<Answer> =>
  here().http("GET", "/http/desk/items", undefined, bearer);
const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  },
});

test("without a token: 401 that names the resource metadata, which is served", async () => {
  const headers = {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
  };
  for (const [path, body] of [
    ["/mcp/files", initialize],
    ["/mcp", initialize],
    ["/http/desk/items", "{}"],
    ["/access/v1/evaluation", "{}"],
  ] as const) {
    const refused = await ask(`${here().gatewayUrl}${path}`, { method: "POST", headers, body });
    expect(refused.status).toBe(401);
    const challenge = refused.headers.get("www-authenticate") ?? "";
    expect(challenge).toMatch(/^Bearer realm="holdfast", resource_metadata="/);
    const [, metadata = ""] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
    const document = await ask(metadata);
    expect([document.status, document.body]).toEqual([
      200,
      expect.objectContaining({
        resource: here().gatewayUrl,
        authorization_servers: ["https://id.example.com"],
        bearer_methods_supported: ["header"],
      }),
    ]);
  }
  expect(here().desk.seen).toEqual([]);
});

test("a wrong audience, an expired token, alg none and a changed one are refused, each with its reason", async () => {
  const good = mint("support-bot");
  const [head = "", body = "", signature = ""] = good.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const unsigned = (part: unknown): string =>
    Buffer.from(JSON.stringify(part)).toString("base64url");
  const past = Math.floor(Date.now() / 1000) - 3_600;
  const bad: readonly (readonly [string, RegExp])[] = [
    [token("mint", "--agent", "support-bot", "--audience", "someone-else"), /audience/],
    [expired(claims, past), /expired/],
    [`${unsigned({ alg: "none" })}.${body}.`, /./],
    [`${unsigned({ alg: "none" })}.${body}.${signature}`, /none|algorithm/],
    [`${head}.${unsigned({ ...claims, agent: "admin" })}.${signature}`, /signature/],
    ["not-a-token", /./],
  ];
  for (const [bearer, why] of bad) {
    const refused = await look(bearer);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(JSON.stringify(refused.body)).toMatch(why);
  }
  expect(here().desk.seen).toEqual([]);
  expect((await look(good)).status).toBe(200);
});

/** Signed with the local key, in the past. */
function expired(claims: Record<string, unknown>, past: number): string {
  const script = `
    import { readFileSync } from "node:fs";
    import { SignJWT, importJWK } from "jose";
    const jwk = JSON.parse(readFileSync(${JSON.stringify(here().path("key.json"))}, "utf8"));
    const claims = ${JSON.stringify({ ...claims, iat: past - 60, nbf: past - 60, exp: past })};
    const alg = jwk.alg ?? "EdDSA";
    console.log(await new SignJWT(claims).setProtectedHeader({ alg, kid: jwk.kid, typ: ${JSON.stringify("at+jwt")} }).sign(await importJWK(jwk, alg)));`;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: root,
  });
  expect(run.stderr).toBe("");
  return run.stdout.trim();
}

const pay = (bearer: string): Promise<Answer> =>
  here().http(
    "POST",
    "/http/payments/payments",
    { amount: 120, currency: "EUR", account_id: "acct_1" },
    bearer,
  );

test("delegation: the chain only takes rights away", async () => {
  const direct = await pay(mint("support-bot", "--sub", "alice@example.com"));
  expect(direct.headers.get("holdfast-decision")).toBe("sanitize");
  const through = await pay(mint("support-bot", "--act", "report-bot"));
  expect([through.status, through.body["decision"]]).toEqual([403, "deny"]);
  const reverse = await pay(mint("report-bot", "--act", "support-bot"));
  expect([reverse.status, reverse.body["decision"]]).toEqual([403, "deny"]);
  // What all of them may do, the chain may do.
  expect((await look(mint("support-bot", "--act", "report-bot"))).status).toBe(200);
  const decisions = here()
    .entries()
    .filter(({ tool }) => tool === "payments:POST /payments");
  expect(decisions).toMatchObject([
    { agent_id: "support-bot", principal: "alice@example.com", identity: "jwt", delegation: [] },
    { agent_id: "support-bot", delegation: ["report-bot"] },
    { agent_id: "report-bot", delegation: ["support-bot"] },
  ]);
});

test("an agent's token reaches no upstream, HTTP or MCP, and no process log", async () => {
  here().desk.seen.length = 0;
  const minted = mint("support-bot");
  for (const bearer of [supportBot, minted]) {
    await here().http("POST", "/http/desk/items", { weight: 1 }, bearer);
    await pay(bearer);
    for (const options of [{}, auto]) {
      const client = await here().client("notes", options, bearer);
      await client.listTools();
      const result = await client.callTool({ name: "test_simple_text", arguments: {} });
      expect(decisionIn(result)["decision"]).toBe("deny");
    }
  }
  const upstream = JSON.stringify(here().desk.seen);
  const payments = readFileSync(here().path("payments.jsonl"), "utf8");
  expect(here().desk.seen.some(({ url }) => url.startsWith("/mcp"))).toBe(true);
  expect(payments).toContain("idempotency-key");
  expect(`${upstream}${payments}`.toLowerCase()).not.toContain("bearer");
  for (const text of [upstream, payments, made.gateway?.log ?? ""]) {
    expect(text).not.toContain(supportBot);
    expect(text).not.toContain(minted);
  }
});
