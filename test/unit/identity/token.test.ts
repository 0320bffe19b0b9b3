import { createHmac, createPrivateKey, createSign, type JsonWebKey } from "node:crypto";
import fc from "fast-check";
import { CompactSign, importJWK, type JWK } from "jose";
import { expect, test } from "vitest";
import {
  developmentIdentity,
  type IssuerTrust,
  keySetOf,
  mintToken,
  publicKeySet,
  verifyToken,
} from "../../../src/identity/index.ts";
import { type JsonObject, sha256 } from "../../../src/kernel/index.ts";
import { ed25519, p256, rsa, type TestKey } from "./keys.ts";

const nowMs = 1_800_000_000_000;
const now = nowMs / 1000;
const key = ed25519("k1");
const other = ed25519("k1");
const weak = rsa("weak", 1024);
const elliptic = p256("e1");
const trust: IssuerTrust = { issuer: "https://issuer.example", audiences: ["https://gw.example"] };
const keySet = (...documents: JsonObject[]) => {
  const read = keySetOf({ keys: documents });
  if (!read.ok) throw new Error(read.error);
  return read.value;
};
const trusted = keySet(key.publicJwk, elliptic.publicJwk, weak.publicJwk);
const claims: JsonObject = {
  iss: trust.issuer,
  aud: "https://gw.example",
  exp: now + 600,
  iat: now,
  jti: "t1",
  agent: "support-bot",
  model: "some-model-4",
  sub: "ann@example.com",
  tenant: "acme",
  scope: "tools:read tools:write",
  roles: ["support"],
};

async function sign(
  payload: object | string,
  header: object = {},
  by: TestKey = key,
  alg = "EdDSA",
): Promise<string> {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg, kid: String(by.publicJwk["kid"]), ...header })
    .sign(await importJWK(by.privateJwk as JWK, alg));
}
const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const verify = (token: string, as: Partial<IssuerTrust> = {}) =>
  verifyToken(token, { ...trust, ...as }, trusted, nowMs);
const without = (...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));

test("a good token becomes an identity", async () => {
  expect(await verify(await sign(claims))).toEqual({
    ok: true,
    value: {
      agent: "support-bot",
      model: "some-model-4",
      principal: "ann@example.com",
      tenant: "acme",
      delegation: [],
      how: "jwt",
      expiresAtMs: nowMs + 600_000,
      properties: { scope: ["tools:read", "tools:write"], roles: ["support"] },
    },
  });
});

test("the client is the agent when no agent is named, and no human stands behind a client's own token", async () => {
  const machine = { ...without("agent", "sub"), client_id: "batch", sub: "batch" };
  const answer = await verify(await sign(machine));
  expect(answer).toMatchObject({ ok: true, value: { agent: "batch" } });
  expect(answer.ok && "principal" in answer.value).toBe(false);
});

type Case = readonly [
  name: string,
  code: string,
  token: () => string | Promise<string>,
  as?: Partial<IssuerTrust>,
];
const actors = (...names: string[]): JsonObject =>
  names.reduceRight<JsonObject>(
    (act, sub) => (act["sub"] === undefined ? { sub } : { sub, act }),
    {},
  );
const refusals: readonly Case[] = [
  ["alg none", "unsupported_alg", () => `${b64({ alg: "none" })}.${b64(claims)}.AA`],
  ["no signature", "malformed", async () => (await sign(claims)).replace(/[^.]+$/, "")],
  ["two parts", "malformed", () => `${b64({ alg: "EdDSA" })}.${b64(claims)}`],
  [
    "HMAC with the public key as secret",
    "unsupported_alg",
    () => {
      const input = `${b64({ alg: "HS256", kid: "k1" })}.${b64(claims)}`;
      const mac = createHmac("sha256", String(key.publicJwk["x"]))
        .update(input)
        .digest("base64url");
      return `${input}.${mac}`;
    },
  ],
  [
    "an alg outside the issuer's list",
    "unsupported_alg",
    () => sign(claims),
    { algorithms: ["ES256"] },
  ],
  ["alg of another key type under this kid", "unknown_key", () => sign(claims, { kid: "e1" })],
  ["an unknown kid", "unknown_key", () => sign(claims, { kid: "../../etc/passwd" })],
  [
    "a kid that is no string",
    "malformed",
    () => `${b64({ alg: "EdDSA", kid: 1 })}.${b64(claims)}.AA`,
  ],
  ["another key under the same kid", "bad_signature", () => sign(claims, {}, other)],
  [
    "a key in the token itself",
    "bad_signature",
    () => sign(claims, { jwk: other.publicJwk }, other),
  ],
  ["an RSA key of 1024 bits", "unknown_key", () => signedByWeakKey()],
  ["crit", "critical_header", () => `${b64({ alg: "EdDSA", crit: ["exp"] })}.${b64(claims)}.AA`],
  ["b64", "critical_header", () => `${b64({ alg: "EdDSA", b64: false })}.${b64(claims)}.AA`],
  ["padding", "not_canonical", async () => `${await sign(claims)}==`],
  ["white space", "not_canonical", async () => (await sign(claims)).replace(".", ".\n")],
  [
    "a changed last digit that decodes the same",
    "not_canonical",
    async () => nudge(await sign(claims)),
  ],
  [
    "a changed claim",
    "bad_signature",
    async () => (await sign(claims)).replace(/\.[^.]+\./, `.${b64({ ...claims, agent: "root" })}.`),
  ],
  ["a token of 17 KiB", "too_large", () => sign({ ...claims, pad: "x".repeat(17_000) })],
  ["an ID token type", "wrong_type", () => sign(claims, { typ: "logout+jwt" })],
  [
    "a claim twice",
    "malformed",
    () => sign(`${JSON.stringify(claims).slice(0, -1)},"agent":"root"}`),
  ],
  ["claims that are a list", "malformed", () => sign([claims])],
  ["another issuer", "wrong_issuer", () => sign({ ...claims, iss: `${trust.issuer}/` })],
  ["no issuer", "wrong_issuer", () => sign(without("iss"))],
  ["another audience", "wrong_audience", () => sign({ ...claims, aud: ["https://other.example"] })],
  ["no audience", "wrong_audience", () => sign(without("aud"))],
  ["no exp", "bad_claim", () => sign(without("exp"))],
  ["exp as text", "bad_claim", () => sign({ ...claims, exp: "never" })],
  ["expired 31 s ago", "expired", () => sign({ ...claims, exp: now - 31 })],
  ["valid in 31 s", "not_yet_valid", () => sign({ ...claims, nbf: now + 31 })],
  ["issued 31 s from now", "not_yet_valid", () => sign({ ...claims, iat: now + 31 })],
  [
    "a life of a day",
    "lives_too_long",
    () => sign({ ...claims, exp: now + 86_400 }),
    { lifetimeSMax: 3600 },
  ],
  [
    "a life that is not known",
    "lives_too_long",
    () => sign(without("iat")),
    { lifetimeSMax: 3600 },
  ],
  [
    "no jti where one is required",
    "missing_claim",
    () => sign(without("jti")),
    { jtiRequired: true },
  ],
  ["a jti that is a number", "bad_claim", () => sign({ ...claims, jti: 7 })],
  ["taken back", "revoked", () => sign(claims), { revokedJti: ["t1"] }],
  ["no agent", "missing_claim", () => sign(without("agent"))],
  ["an agent with a space", "bad_claim", () => sign({ ...claims, agent: "support bot" })],
  [
    "an agent with a look-alike letter",
    "bad_claim",
    () => sign({ ...claims, agent: "suppоrt-bot" }),
  ],
  [
    "an agent that is a list, with a client beside",
    "bad_claim",
    () => sign({ ...claims, agent: ["a"], client_id: "b" }),
  ],
  ["a principal with a line break", "bad_claim", () => sign({ ...claims, sub: "ann\nroot" })],
  ["act that is no object", "bad_claim", () => sign({ ...claims, act: "a" })],
  ["an actor without sub", "bad_claim", () => sign({ ...claims, act: { act: { sub: "a" } } })],
  [
    "an actor of another issuer",
    "bad_claim",
    () => sign({ ...claims, act: { sub: "a", iss: "https://x.example" } }),
  ],
  ["an actor twice", "delegation_cycle", () => sign({ ...claims, act: actors("a", "b", "a") })],
  [
    "the agent again, deeper",
    "delegation_cycle",
    () => sign({ ...claims, act: actors("a", "support-bot") }),
  ],
  ["nine actors", "delegation_too_deep", () => sign({ ...claims, act: actors(..."abcdefghi") })],
];
for (const [name, code, token, as] of refusals) {
  test(`refuses ${name}: ${code}`, async () => {
    const answer = await verify(await token(), as);
    expect(answer).toMatchObject({ ok: false, error: { code } });
    if (!answer.ok)
      expect(answer.error.detail.length * answer.error.next.length).toBeGreaterThan(0);
  });
}

/** A signature that is right, by a key that is too short. */
function signedByWeakKey(): string {
  const input = `${b64({ alg: "RS256", kid: "weak" })}.${b64(claims)}`;
  const privateKey = createPrivateKey({ key: weak.privateJwk as JsonWebKey, format: "jwk" });
  return `${input}.${createSign("sha256").update(input).sign(privateKey, "base64url")}`;
}

/** Flips a bit of the last digit that base64url of 64 bytes does not use. */
function nudge(token: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + digits[digits.indexOf(token.at(-1) ?? "") ^ 1];
}

test("within 30 s of skew, times are accepted", async () => {
  for (const times of [{ exp: now - 29 }, { nbf: now + 29 }, { iat: now + 29 }]) {
    expect((await verify(await sign({ ...claims, ...times }))).ok).toBe(true);
  }
});

test("ES256 verifies too, and a token without kid finds its key", async () => {
  expect((await verify(await sign(claims, {}, elliptic, "ES256"))).ok).toBe(true);
  expect((await verify(await sign(claims, { kid: undefined }))).ok).toBe(true);
});

test("delegation never grows rights: whoever stands in the chain stands in the identity", async () => {
  const name = fc.stringMatching(/^[a-z]{1,6}$/);
  await fc.assert(
    fc.asyncProperty(
      name,
      fc.uniqueArray(name, { minLength: 1, maxLength: 9 }),
      async (agent, chain) => {
        const identified = async (act: readonly string[]) =>
          verify(await sign({ ...claims, agent, ...(act.length > 0 && { act: actors(...act) }) }));
        const whole = await identified(chain);
        if (!whole.ok) {
          expect(["delegation_cycle", "delegation_too_deep"]).toContain(whole.error.code);
          return;
        }
        const held = new Set([whole.value.agent, ...whole.value.delegation]);
        expect(held).toEqual(new Set([agent, ...chain]));
        // A link taken off the end can only make the set over which rights are intersected smaller.
        const shorter = await identified(chain.slice(0, -1));
        if (!shorter.ok) throw new Error(shorter.error.detail);
        for (const actor of [shorter.value.agent, ...shorter.value.delegation])
          expect(held).toContain(actor);
      },
    ),
    { numRuns: 60 },
  );
});

test("a minted token verifies, chain and all", async () => {
  const token = await mintToken(
    {
      issuer: trust.issuer,
      audience: "https://gw.example",
      agent: "a",
      model: "m",
      principal: "ann",
      tenant: "t",
      delegation: ["b", "c"],
      ttlS: 60,
      jti: "j",
      claims: { agent: "root", roles: ["r"] },
    },
    key.privateJwk,
    nowMs,
  );
  const keys = keySetOf(publicKeySet(key.privateJwk));
  if (!keys.ok) throw new Error(keys.error);
  expect(JSON.stringify(keys.value)).not.toContain(String(key.privateJwk["d"]));
  expect(await verifyToken(token, trust, keys.value, nowMs)).toMatchObject({
    value: {
      agent: "a",
      model: "m",
      principal: "ann",
      tenant: "t",
      delegation: ["b", "c"],
      properties: { roles: ["r"] },
    },
  });
});

test("a key set leaves out keys that must not verify, and drops private members", () => {
  const symmetric = { kty: "oct", k: "c2VjcmV0", kid: "k" };
  expect(keySetOf({ keys: [symmetric] }).ok).toBe(false);
  expect(keySetOf({ keys: [{ ...key.publicJwk, use: "enc" }] }).ok).toBe(false);
  expect(keySetOf({ keys: [{ ...key.publicJwk, key_ops: ["encrypt"] }] }).ok).toBe(false);
  expect(keySetOf({ keys: "k" }).ok).toBe(false);
  expect(keySetOf({ keys: Array(101).fill(key.publicJwk) }).ok).toBe(false);
  expect(JSON.stringify(keySet(symmetric, key.privateJwk))).not.toMatch(/"d"|"k":/);
});

test("RSA keys that anyone can forge with are not trusted", () => {
  const { publicJwk } = rsa("r");
  expect(keySetOf({ keys: [publicJwk] }).ok).toBe(true);
  for (const e of ["AQ", "Aw", "AQAA", "", 65537])
    expect(keySetOf({ keys: [{ ...publicJwk, e }] }).ok).toBe(false);
  // A power of 65537 modulo each of the primes, as the moduli of CVE-2017-15361 are.
  const roca = 65_537n ** 130n;
  const n = Buffer.from(roca.toString(16).padStart(522, "0"), "hex").toString("base64url");
  expect(keySetOf({ keys: [{ ...publicJwk, n }] }).ok).toBe(false);
});

test("a development token is found by its digest and marked", () => {
  const entries = ["one", "two"].map((token) => ({
    tokenSha256: sha256(token),
    agent: `agent-${token}`,
  }));
  expect(developmentIdentity("two", entries)).toMatchObject({
    agent: "agent-two",
    how: "development_token",
    tenant: "default",
  });
  expect(developmentIdentity("three", entries)).toBeUndefined();
  expect(developmentIdentity("", entries)).toBeUndefined();
});
