import { expect, test } from "vitest";
import { type IdentifyConfig, TokenIdentifier } from "../../../src/gateway/identify.ts";
import {
  keySetOf,
  mintToken,
  publicKeySet,
  type TokenRequest,
} from "../../../src/identity/index.ts";
import { err, type JsonObject, ok, sha256 } from "../../../src/kernel/index.ts";
import type { HttpTransport } from "../../../src/ports.ts";
import { ed25519 } from "../identity/keys.ts";

const issuer = "https://issuer.example";
const resource = "https://gw.example/mcp";
const jwksUrl = `${issuer}/jwks`;

/** An issuer whose published keys and health the test sets, and a clock it moves. */
function world(published: JsonObject) {
  const state = { published, up: true, fetches: 0, wallMs: 1_800_000_000_000, monotonicMs: 0 };
  const http: HttpTransport = {
    async send(request) {
      state.fetches++;
      expect(request.headers["authorization"]).toBeUndefined();
      if (!state.up) return err({ kind: "not_sent", reason: "refused", detail: "down" });
      const body = new TextEncoder().encode(JSON.stringify(state.published));
      return ok({
        status: 200,
        headers: {},
        body: (async function* () {
          yield body;
        })(),
      });
    },
  };
  const clock = {
    wallMs: () => state.wallMs,
    monotonicMs: () => state.monotonicMs,
    sleep: async () => undefined,
  };
  const pass = (ms: number): void => {
    state.wallMs += ms;
    state.monotonicMs += ms;
  };
  const mint = (key: JsonObject, request: Partial<TokenRequest> = {}) =>
    mintToken(
      { issuer, audience: resource, agent: "a", ttlS: 7200, jti: "j", ...request },
      key,
      state.wallMs,
    );
  return { state, pass, mint, ports: { clock, http, log: { write: () => undefined } } };
}

const config: IdentifyConfig = {
  issuers: [{ issuer, audiences: [resource], keys: { jwksUrl } }],
  developmentTokens: [{ tokenSha256: sha256("dev-secret"), agent: "dev" }],
  resource,
};
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const old = ed25519("old");
const next = ed25519("next");

test("a token of a configured issuer is an identity; its keys are fetched once", async () => {
  const { state, mint, ports } = world(publicKeySet(old.privateJwk));
  const identifier = new TokenIdentifier(config, ports);
  const headers = bearer(await mint(old.privateJwk));
  expect(await identifier.identify(headers)).toMatchObject({
    ok: true,
    identity: { agent: "a", how: "jwt" },
  });
  expect((await identifier.identify(headers)).ok).toBe(true);
  expect(state.fetches).toBe(1);
});

test("a development token is an identity, and says so", async () => {
  const identifier = new TokenIdentifier(config, world({}).ports);
  expect(await identifier.identify({ authorization: ["bEARER dev-secret"] })).toMatchObject({
    identity: { agent: "dev", how: "development_token" },
  });
});

const challenges: readonly [string, Record<string, string | string[]>, RegExp][] = [
  [
    "no header",
    {},
    /^Bearer realm="holdfast", resource_metadata="https:\/\/gw.example\/.well-known\/oauth-protected-resource\/mcp"$/,
  ],
  [
    "two headers",
    { authorization: ["Bearer dev-secret", "Bearer dev-secret"] },
    /error="invalid_request"/,
  ],
  [
    "two tokens in one header",
    { authorization: "Bearer dev-secret, Bearer dev-secret" },
    /error="invalid_request"/,
  ],
  ["another scheme", { authorization: "Basic ZGV2OnNlY3JldA==" }, /error="invalid_request"/],
  ["no JWT", { authorization: "Bearer nonsense" }, /error="invalid_token"/],
  [
    "a token in another header",
    { "x-holdfast-token": "dev-secret" },
    /^Bearer realm="holdfast", resource_metadata/,
  ],
];
for (const [name, headers, challenge] of challenges) {
  test(`${name}: 401 and a challenge`, async () => {
    const answer = await new TokenIdentifier(config, world({}).ports).identify(headers);
    expect(answer).toMatchObject({
      ok: false,
      status: 401,
      challenge: expect.stringMatching(challenge),
    });
    expect(JSON.stringify(answer)).not.toContain("dev-secret");
  });
}

test("rotation: a new key is fetched when a token names it, and made-up ids cause no stream of fetches", async () => {
  const { state, pass, mint, ports } = world(publicKeySet(old.privateJwk));
  const identifier = new TokenIdentifier(config, ports);
  expect((await identifier.identify(bearer(await mint(old.privateJwk)))).ok).toBe(true);
  state.published = publicKeySet(next.privateJwk);
  const rotated = bearer(await mint(next.privateJwk));
  expect((await identifier.identify(rotated)).ok).toBe(false);
  expect(state.fetches).toBe(1);
  pass(10_000);
  expect((await identifier.identify(rotated)).ok).toBe(true);
  expect(state.fetches).toBe(2);
  for (let i = 0; i < 20; i++)
    await identifier.identify(bearer(await mint(ed25519(`made-up-${i}`).privateJwk)));
  expect(state.fetches).toBe(2);
});

test("a key that the issuer withdrew verifies no more, cached tokens included", async () => {
  const { state, pass, mint, ports } = world({ keys: [old.publicJwk, next.publicJwk] });
  const identifier = new TokenIdentifier(config, ports);
  const headers = bearer(await mint(old.privateJwk));
  expect((await identifier.identify(headers)).ok).toBe(true);
  state.published = publicKeySet(next.privateJwk);
  pass(10 * 60_000);
  await identifier.identify(headers);
  await new Promise(setImmediate);
  expect((await identifier.identify(headers)).ok).toBe(false);
});

test("the last good keys stay while the issuer is down; without any, nobody is let in", async () => {
  const { state, pass, mint, ports } = world(publicKeySet(old.privateJwk));
  const identifier = new TokenIdentifier(config, ports);
  await identifier.identify(bearer(await mint(old.privateJwk)));
  state.up = false;
  pass(20 * 60_000);
  expect((await identifier.identify(bearer(await mint(old.privateJwk, { jti: "2" })))).ok).toBe(
    true,
  );
  const fresh = new TokenIdentifier(config, ports);
  expect(await fresh.identify(bearer(await mint(old.privateJwk)))).toMatchObject({
    ok: false,
    reason: expect.stringContaining("could not be fetched (refused: down)"),
  });
});

test("a cached token expires, whichever way the wall clock jumps", async () => {
  const { state, pass, mint, ports } = world(publicKeySet(old.privateJwk));
  const identifier = new TokenIdentifier(config, ports);
  const headers = bearer(await mint(old.privateJwk, { ttlS: 60 }));
  expect((await identifier.identify(headers)).ok).toBe(true);
  state.wallMs -= 40_000;
  expect(await identifier.identify(headers)).toMatchObject({
    reason: expect.stringContaining("iat is 40 s"),
  });
  state.wallMs += 40_000;
  expect((await identifier.identify(headers)).ok).toBe(true);
  pass(91_000);
  expect(await identifier.identify(headers)).toMatchObject({
    reason: expect.stringContaining("expired"),
  });
});

test("local keys need no fetch, and an unknown issuer is named", async () => {
  const keys = keySetOf(publicKeySet(old.privateJwk));
  if (!keys.ok) throw new Error(keys.error);
  const { state, mint, ports } = world({});
  const local = {
    ...config,
    issuers: [{ issuer, audiences: [resource], keys: { keySet: keys.value } }],
  };
  const identifier = new TokenIdentifier(local, ports);
  expect((await identifier.identify(bearer(await mint(old.privateJwk)))).ok).toBe(true);
  const stranger = await mint(old.privateJwk, { issuer: "https://else.example" });
  expect(await identifier.identify(bearer(stranger))).toMatchObject({
    reason: expect.stringContaining("https://else.example"),
  });
  expect(state.fetches).toBe(0);
});
