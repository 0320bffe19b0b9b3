/** Tokens of our own, for local use and tests; an organisation's issuer makes them in production. */
import type { JsonObject, JsonValue } from "../kernel/index.ts";
import { signJws, thumbprint } from "./jws.ts";

export interface TokenRequest {
  readonly issuer: string;
  readonly audience: string;
  readonly agent: string;
  readonly model?: string;
  /** `sub`, the human principal. */
  readonly principal?: string;
  readonly tenant?: string;
  /** Actors the agent acts through, outermost first. */
  readonly delegation?: readonly string[];
  readonly ttlS: number;
  /** Unique per token. */
  readonly jti: string;
  /** Further claims; they cannot replace those above. */
  readonly claims?: JsonObject;
}

/** Signs a JWT with an Ed25519 private JWK. `nowMs` is wall-clock time. */
export function mintToken(
  request: TokenRequest,
  privateJwk: JsonObject,
  nowMs: number,
): Promise<string> {
  const { agent, model, principal, tenant, delegation } = request;
  const iat = Math.floor(nowMs / 1000);
  const claims: Record<string, JsonValue> = {
    ...request.claims,
    iss: request.issuer,
    aud: request.audience,
    iat,
    exp: iat + request.ttlS,
    jti: request.jti,
    agent,
  };
  if (model !== undefined) claims["model"] = model;
  if (principal !== undefined) claims["sub"] = principal;
  if (tenant !== undefined) claims["tenant"] = tenant;
  if (delegation !== undefined && delegation.length > 0)
    claims["act"] = actOf([agent, ...delegation]);
  return signJws(claims, privateJwk);
}

/** Nests actors as RFC 8693 §4.1 does, the first outermost. */
function actOf(actors: readonly string[]): JsonObject {
  const nested = actors.reduceRight<JsonObject | undefined>(
    (act, sub) => (act === undefined ? { sub } : { sub, act }),
    undefined,
  );
  return nested ?? {};
}

/** The JWK Set that verifies what `privateJwk` signs: public members and `kid` only. */
export function publicKeySet(privateJwk: JsonObject): JsonObject {
  const { kty, crv, x, kid } = privateJwk;
  const jwk = { kty: kty ?? null, crv: crv ?? null, x: x ?? null, alg: "EdDSA", use: "sig" };
  return { keys: [{ ...jwk, kid: kid ?? thumbprint(privateJwk) }] };
}
