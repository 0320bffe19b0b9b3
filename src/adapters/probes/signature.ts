/** `signature`: a key that signs, signs; and what it signs verifies with the key that is published. */
import type { SignatureVerification } from "../../failover/index.ts";
import { keySetOf, verifyJws } from "../../identity/index.ts";
import type { JsonValue } from "../../kernel/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { bearer, exchange, jsonIn } from "./request.ts";

/**
 * The signer gets `<site> <nonce>` as text and answers a compact JWS (RFC 7515) with exactly that as its payload, or with the nonce
 * alone, which binds it less firmly.
 */
export async function signature(asking: Asking<SignatureVerification>): Promise<Found> {
  const { verification, question, secrets } = asking;
  const { jwks_url: jwksUrl, sign_url: url, token } = verification;
  const headers = token === undefined ? {} : bearer(await secrets.read(token));
  const [published, signed] = await Promise.all([
    exchange(asking, { url: jwksUrl }),
    exchange(asking, { method: "POST", url, headers, text: `${question.site} ${question.nonce}` }),
  ]);
  if (!published.ok) return inconclusive(published.error);
  if (!signed.ok) return inconclusive(signed.error);
  if (published.value.status !== 200)
    return fail(`the published keys answer with status ${published.value.status}`);
  if (signed.value.status !== 200)
    return fail(`the signer answers with status ${signed.value.status}`);
  const text = Buffer.from(signed.value.bytes).toString().trim();
  return await verified(jsonIn(published.value) ?? null, text, question.nonce);
}

async function verified(published: JsonValue, signed: string, asked: string): Promise<Found> {
  const keys = keySetOf(published);
  if (!keys.ok) return inconclusive(`the published keys: ${keys.error}`);
  const jws = await verifyJws(signed, keys.value);
  if (!jws.ok) {
    const { code, detail } = jws.error;
    const isClear = code === "bad_signature" || code === "unknown_key";
    return isClear ? fail(detail) : inconclusive(`what the signer answers: ${detail}`);
  }
  const { alg, kid } = jws.value.header;
  const observed = { alg, ...(typeof kid === "string" ? { kid } : {}) };
  const payload = Buffer.from(jws.value.payload).toString();
  const because = `what it signs with ${alg} verifies with the published key`;
  if (payload === asked) return pass(because, { observed });
  const [, site, nonce] = /^(\S+) (\S+)$/.exec(payload) ?? [];
  if (site === undefined || nonce === undefined)
    return inconclusive("what it signed is not what it was asked to sign", { observed });
  return pass(because, { observed, echo: { site, nonce } });
}
