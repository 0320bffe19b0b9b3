/**
 * One-time override tokens: a granted approval as a signed JWT, bound to one action. The signature says that a gateway of
 * this deployment made it; that it was not used before only the store knows.
 */
import { err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import { type DecodedJws, decodeJws, type KeySet, signJws, verifyJws } from "./jws.ts";
import { claimsOf } from "./token.ts";

/** Times are seconds since 1970 (RFC 7519). */
export interface OverrideClaims {
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly approval_id: string;
  readonly tenant: string;
  readonly agent: string;
  readonly tool: string;
  readonly args_digest: string;
  readonly policy_version: string;
}

/** RFC 8725, section 3.11: a type of its own, so that no other token passes for one and it passes for no other. */
const overrideType = "holdfast-override+jwt";
const texts = ["jti", "approval_id", "tenant", "agent", "tool", "args_digest", "policy_version"];

/** The same claims give the same token, however often it is asked for (Ed25519). */
export function signOverride(claims: OverrideClaims, privateJwk: JsonObject): Promise<string> {
  return signJws({ ...claims }, privateJwk, overrideType);
}

/** The `kid` that a token names; undefined for what is no override token. Nothing is proven yet. */
export function overrideKeyId(token: string): string | undefined {
  const decoded = decodeJws(token);
  if (!decoded.ok) return undefined;
  const { kid, typ } = decoded.value.header;
  return typ === overrideType && typeof kid === "string" ? kid : undefined;
}

/** Signature, type and form. Times are not looked at: the store's clock decides. The error is a sentence. */
export async function verifyOverride(
  token: string,
  keys: KeySet,
): Promise<Result<OverrideClaims, string>> {
  const verified = await verifyJws(token, keys);
  if (!verified.ok) return err(verified.error.detail);
  if (verified.value.header["typ"] !== overrideType) return err("it is no override token");
  return readClaims(verified.value);
}

function readClaims(token: DecodedJws): Result<OverrideClaims, string> {
  const claims = claimsOf(token);
  if (!claims.ok) return err(claims.error.detail);
  const { iat, exp } = claims.value;
  const wrong = texts.find((name) => typeof claims.value[name] !== "string");
  if (wrong !== undefined) return err(`its ${wrong} is no text`);
  return Number.isSafeInteger(iat) && Number.isSafeInteger(exp)
    ? ok(claims.value as unknown as OverrideClaims)
    : err("its times are no whole seconds");
}
