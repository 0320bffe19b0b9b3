/** Signed requests: what a signature proves, and everything that it must not. */
import { expect, test } from "vitest";
import {
  keySetOf,
  SeenNonces,
  type SignatureRules,
  type SignedAgent,
  type SignedMessage,
  signedAgents,
  verifyHttpSignature,
} from "../../../src/identity/index.ts";
import {
  type AgentKey,
  agentKey,
  signedHeaders,
  type ToSign,
} from "../../fixtures/signed-request.ts";

const key = agentKey();
const created = 1_800_000_000;
const nowMs = (created + 1) * 1000;
const rules: SignatureRules = { authority: "gate.example", lifetimeSMax: 300, clockSkewS: 5 };

function agentsOf(covers: "request" | "authority", of: AgentKey = key): readonly SignedAgent[] {
  const keys = keySetOf({ keys: [of.jwk] });
  if (!keys.ok) throw new Error(keys.error);
  return signedAgents(keys.value, { agent: "bot", tenant: "t", covers });
}

const plain: ToSign = {
  method: "POST",
  authority: "gate.example",
  path: "/http/api/pay",
  query: "a=1",
  body: '{"amount":1}',
  created,
};

function messageOf(signed: ToSign, sent: Partial<SignedMessage> = {}, by = key): SignedMessage {
  const { method, path, query = "", body = "" } = signed;
  const headers = { host: "gate.example", ...signedHeaders(by, signed) };
  return { method, path, query, body: Buffer.from(body), headers, ...sent };
}

function verified(
  message: SignedMessage,
  covers: "request" | "authority" = "request",
  atMs: number = nowMs,
): string {
  const answer = verifyHttpSignature(message, agentsOf(covers), rules, atMs);
  return answer.ok ? answer.value.agent.agent : answer.error.code;
}

test("a signed request proves its agent", () => {
  expect(verified(messageOf(plain))).toBe("bot");
  const bare: ToSign = { method: "GET", authority: "gate.example", path: "/mcp", created };
  expect(verified(messageOf(bare))).toBe("bot");
  const message = messageOf({ ...plain, signatureAgent: '"https://bot.example"' });
  const answer = verifyHttpSignature(message, agentsOf("request"), rules, nowMs);
  expect(answer).toMatchObject({ ok: true, value: { signatureAgent: "https://bot.example" } });
});

const other = { host: "gate.example" };
const changes: readonly (readonly [string, SignedMessage, string])[] = [
  ["another method", messageOf(plain, { method: "DELETE" }), "bad_signature"],
  ["another path", messageOf(plain, { path: "/http/api/steal" }), "bad_signature"],
  ["another query", messageOf(plain, { query: "a=2" }), "bad_signature"],
  ["another body", messageOf(plain, { body: Buffer.from('{"amount":2}') }), "digest_differs"],
  [
    "another host",
    messageOf(
      { ...plain, authority: "other.example" },
      {
        headers: {
          ...signedHeaders(key, { ...plain, authority: "other.example" }),
          host: "other.example",
        },
      },
    ),
    "wrong_audience",
  ],
  [
    "two hosts",
    messageOf(plain, {
      headers: { ...signedHeaders(key, plain), host: ["gate.example", "gate.example"] },
    }),
    "malformed",
  ],
  ["another key", messageOf(plain, {}, agentKey()), "unknown_key"],
  ["no signature at all", messageOf(plain, { headers: other }), "malformed"],
  [
    "a signature that is no dictionary",
    messageOf(plain, { headers: { ...other, "signature-input": "(", signature: "x" } }),
    "malformed",
  ],
];

test.each(changes)("%s is refused", (_, message, code) => {
  expect(verified(message)).toBe(code);
});

const without = (name: string): readonly string[] =>
  ["@authority", "@method", "@path", "@query", "content-digest"].filter((each) => each !== name);

test.each(["@authority", "@method", "@path", "@query", "content-digest"])(
  "a signature that does not cover %s is refused",
  (name) => {
    const message = messageOf({ ...plain, components: without(name) });
    expect(verified(message)).toBe("not_covered");
    const bound = name === "@authority" || name === "content-digest";
    expect(verified(message, "authority")).toBe(bound ? "not_covered" : "bot");
  },
);

test("a Signature-Agent that is not covered is refused", () => {
  const message = messageOf(plain);
  const headers = { ...message.headers, "signature-agent": '"https://evil.example"' };
  expect(verified({ ...message, headers })).toBe("not_covered");
});

const times: readonly (readonly [string, Partial<ToSign>, string])[] = [
  ["from the future", { created: created + 60, expires: created + 90 }, "not_yet_valid"],
  ["expired", { expires: created + 1 }, "expired"],
  ["that lives too long", { expires: created + 301 }, "lives_too_long"],
  ["with a short nonce", { nonce: "once" }, "missing_claim"],
  ["without parameters", { parameters: ';tag="web-bot-auth"' }, "missing_claim"],
  ["for another purpose", { parameters: `;created=${created};keyid="${key.keyId}"` }, "malformed"],
  [
    "of another algorithm",
    {
      parameters: `;created=${created};expires=${created + 9};keyid="${key.keyId}";alg="hmac-sha256";nonce="0123456789abcdef";tag="web-bot-auth"`,
    },
    "unsupported_alg",
  ],
];

test.each(times)("a signature %s is refused", (_, change, code) => {
  expect(verified(messageOf({ ...plain, ...change }))).toBe(code);
});

test("a component is covered once, and only as it is", () => {
  const twice = messageOf({ ...plain, components: [...without(""), "@path"] });
  expect(verified(twice)).toBe("malformed");
  expect(verified(messageOf({ ...plain, components: [...without(""), "@target-uri"] }))).toBe(
    "malformed",
  );
});

test("a nonce is taken once, for as long as its signature could be valid", () => {
  const seen = new SeenNonces(2);
  const at = (wallMs: number, monotonicMs: number): { wallMs: number; monotonicMs: number } => ({
    wallMs,
    monotonicMs,
  });
  expect(seen.take("k", "a", 10_000, at(0, 0))).toBe("first");
  expect(seen.take("k", "a", 10_000, at(0, 9_999))).toBe("again");
  expect(seen.take("other", "a", 10_000, at(0, 1))).toBe("first");
  expect(seen.take("k", "b", 10_000, at(0, 2))).toBe("full");
  expect(seen.take("k", "b", 20_000, at(10_001, 10_001))).toBe("first");
  expect(seen.size).toBe(1);
});
