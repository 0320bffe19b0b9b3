/** Signed requests at the identify stage: once, not across a restart, not through a clock that is set back. */
import { expect, test } from "vitest";
import { type IdentifyConfig, TokenIdentifier } from "../../../src/gateway/identify.ts";
import type { FrontRequest, Identifier } from "../../../src/gateway/index.ts";
import { keySetOf, signedAgents } from "../../../src/identity/index.ts";
import { err, sha256 } from "../../../src/kernel/index.ts";
import { agentKey, signedHeaders, type ToSign } from "../../fixtures/signed-request.ts";

const key = agentKey();
const startMs = 1_800_000_000_000;
const clock = { wall: startMs, monotonic: 0 };

function identifier(noncesMax = 100): Identifier {
  const keys = keySetOf({ keys: [key.jwk] });
  if (!keys.ok) throw new Error(keys.error);
  const named = { agent: "bot", tenant: "t", model: "m-1", covers: "request" as const };
  const config: IdentifyConfig = {
    issuers: [],
    developmentTokens: [{ tokenSha256: sha256("secret"), agent: "dev" }],
    signed: {
      agents: signedAgents(keys.value, named),
      rules: { authority: "gate.example", lifetimeSMax: 300, clockSkewS: 5 },
      noncesMax,
    },
  };
  return new TokenIdentifier(config, {
    clock: {
      wallMs: () => clock.wall,
      monotonicMs: () => clock.monotonic,
      sleep: async () => undefined,
    },
    http: { send: async () => err({ kind: "not_sent", reason: "refused", detail: "none" }) },
    log: { write: () => undefined },
  });
}

function pass(ms: number): void {
  clock.wall += ms;
  clock.monotonic += ms;
}

function request(change: Partial<ToSign> = {}, more: Record<string, string> = {}): FrontRequest {
  const signed: ToSign = {
    ...{ method: "GET", authority: "gate.example", path: "/x" },
    created: Math.floor(clock.wall / 1000),
    ...change,
  };
  const headers = { host: "gate.example", ...signedHeaders(key, signed), ...more };
  return {
    ...{ method: "GET", path: "/x", query: "", body: new Uint8Array() },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    signal: new AbortController().signal,
  };
}

async function who(by: Identifier, sent: FrontRequest): Promise<string> {
  const answer = await by.identify(sent.headers, sent);
  return answer.ok ? answer.identity.agent : answer.reason;
}

test("a signed request is its agent, once", async () => {
  const gate = identifier();
  pass(6_000);
  const sent = request();
  expect(await gate.identify(sent.headers, sent)).toMatchObject({
    ok: true,
    identity: {
      agent: "bot",
      model: "m-1",
      how: "http_signature",
      properties: { key_id: key.keyId },
    },
  });
  expect(await who(gate, sent)).toMatch(/its nonce was used before/);
  expect(await who(gate, request())).toBe("bot");
});

test("what was signed before the start may have been used before it", async () => {
  pass(6_000);
  const sent = request();
  const restarted = identifier();
  expect(await who(restarted, sent)).toMatch(/before this gateway started/);
  pass(6_000);
  expect(await who(restarted, sent)).toMatch(/before this gateway started/);
  expect(await who(restarted, request())).toBe("bot");
});

test("a clock that is set forward and back brings nothing back", async () => {
  const gate = identifier(1);
  pass(6_000);
  const sent = request();
  expect(await who(gate, sent)).toBe("bot");
  clock.wall += 3_600_000;
  clock.monotonic += 400_000;
  expect(await who(gate, request())).toBe("bot");
  clock.wall -= 3_600_000;
  expect(await who(gate, sent)).toMatch(/has expired/);
});

test("when no more nonces can be remembered, nothing signed is taken", async () => {
  const gate = identifier(2);
  pass(6_000);
  expect(await who(gate, request())).toBe("bot");
  expect(await who(gate, request())).toBe("bot");
  expect(await who(gate, request())).toMatch(/too many signed requests/);
  pass(61_000);
  expect(await who(gate, request())).toBe("bot");
});

test("a token that is there counts, and a signature beside a bad one does not help", async () => {
  const gate = identifier();
  pass(6_000);
  expect(await who(gate, request({}, { authorization: "Bearer secret" }))).toBe("dev");
  expect(await who(gate, request({}, { authorization: "Bearer wrong" }))).not.toBe("bot");
});

test("without signed agents in the configuration a signature is nothing", async () => {
  const gate = new TokenIdentifier(
    { issuers: [], developmentTokens: [] },
    {
      clock: { wallMs: () => clock.wall, monotonicMs: () => 0, sleep: async () => undefined },
      http: { send: async () => err({ kind: "not_sent", reason: "refused", detail: "none" }) },
      log: { write: () => undefined },
    },
  );
  expect(await who(gate, request())).toMatch(/carries no token/);
});
