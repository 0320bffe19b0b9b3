/** Proves who asks: a signed token of a configured issuer, or a development token. */
import { timingSafeEqual } from "node:crypto";
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
  sha256,
} from "../kernel/index.ts";
import { type ClaimNames, claimNamesDefault, whoOf } from "./claims.ts";
import type { Identity, IdentityError } from "./identity.ts";
import {
  type DecodedJws,
  decodeJws,
  type JwsRefusal,
  jwsLimitsDefault,
  type KeySet,
  type SignatureAlg,
  verifyJws,
} from "./jws.ts";

/** What is believed of one issuer. */
export interface IssuerTrust {
  /** Must equal `iss`, character by character. */
  readonly issuer: string;
  /** At least one of these must stand in `aud`. */
  readonly audiences: readonly string[];
  readonly algorithms?: readonly SignatureAlg[];
  /** How far clocks may differ; for `exp`, `nbf` and `iat`. 30 unless given. */
  readonly clockSkewS?: number;
  /** Longest `exp - iat` that is accepted; makes `iat` required. */
  readonly lifetimeSMax?: number;
  /** Refuses tokens without `jti`. */
  readonly jtiRequired?: boolean;
  /** Tokens taken back before they expire, by `jti`. */
  readonly revokedJti?: readonly string[];
  readonly claims?: Partial<ClaimNames>;
  /** For tokens without a tenant claim. */
  readonly tenantDefault?: string;
}

const clockSkewSDefault = 30;
const claimsDepthMax = 24;
export const tenantDefault = "default";
/** RFC 9068 access tokens and plain JWTs; an ID token or a logout token of the same issuer is something else. */
const typesAccepted: readonly JsonValue[] = [
  "jwt",
  "at+jwt",
  "application/at+jwt",
  "application/jwt",
];

/** The `iss` a token claims, for choosing whose keys to verify with. Nothing is proven yet. */
export function claimedIssuer(token: string): Result<string, IdentityError> {
  const decoded = decodeJws(token);
  if (!decoded.ok) return err(fromJws(decoded.error));
  const claims = claimsOf(decoded.value);
  if (!claims.ok) return claims;
  const { iss } = claims.value;
  return typeof iss === "string" ? ok(iss) : refuse("missing_claim", "the token has no iss");
}

/**
 * Verifies signature, type, issuer, audience, times and chain of a token against one issuer. `nowMs` is wall-clock
 * time. `unknown_key` means the keys may be stale: fetch them again, once, and retry.
 */
export async function verifyToken(
  token: string,
  trust: IssuerTrust,
  keys: KeySet,
  nowMs: number,
): Promise<Result<Identity, IdentityError>> {
  const verified = await verifyJws(token, keys, {
    ...jwsLimitsDefault,
    ...(trust.algorithms && { algorithms: trust.algorithms }),
  });
  if (!verified.ok) return err(fromJws(verified.error));
  const { typ } = verified.value.header;
  if (typ !== undefined && !typesAccepted.includes(String(typ).toLowerCase())) {
    return refuse("wrong_type", `a token of type ${JSON.stringify(typ)} is not an access token`);
  }
  const claims = claimsOf(verified.value);
  if (!claims.ok) return claims;
  const payload = claims.value;
  const addressed = checkAddress(payload, trust);
  if (!addressed.ok) return addressed;
  const expiresAtMs = checkTimes(payload, trust, nowMs);
  if (!expiresAtMs.ok) return expiresAtMs;
  const fresh = checkJti(payload, trust);
  if (!fresh.ok) return fresh;
  const names = { ...claimNamesDefault, ...trust.claims };
  const who = whoOf(payload, names, trust.tenantDefault ?? tenantDefault);
  return who.ok ? ok({ ...who.value, how: "jwt", expiresAtMs: expiresAtMs.value }) : who;
}

/** The claims of a token: its payload as strict JSON. */
export function claimsOf(token: DecodedJws): Result<JsonObject, IdentityError> {
  const parsed = parseJsonStrict(token.payload, { depthMax: claimsDepthMax });
  if (!parsed.ok) return refuse("malformed", `the token's claims: ${parsed.error.detail}`);
  return isJsonObject(parsed.value)
    ? ok(parsed.value)
    : refuse("malformed", "the token's claims are not a JSON object");
}

function checkAddress(claims: JsonObject, trust: IssuerTrust): Result<void, IdentityError> {
  const { iss, aud } = claims;
  if (iss !== trust.issuer) {
    return refuse("wrong_issuer", `iss is ${JSON.stringify(iss ?? null)}, not ${trust.issuer}`);
  }
  const audiences = isJsonArray(aud) ? aud : [aud];
  if (!trust.audiences.some((audience) => audiences.includes(audience))) {
    const wanted = trust.audiences.join(" or ");
    return refuse("wrong_audience", `aud is ${JSON.stringify(aud ?? null)}, not ${wanted}`);
  }
  return ok(undefined);
}

/** Answers when the token expires, in wall-clock ms, without skew. */
function checkTimes(
  claims: JsonObject,
  trust: IssuerTrust,
  nowMs: number,
): Result<number, IdentityError> {
  const skewMs = (trust.clockSkewS ?? clockSkewSDefault) * 1000;
  const { exp = null, nbf, iat } = claims;
  if (!isNumericDate(exp)) return refuse("bad_claim", "exp is not a number of seconds since 1970");
  if (nowMs >= exp * 1000 + skewMs) {
    return refuse("expired", `the token expired ${Math.ceil(nowMs / 1000 - exp)} s ago`);
  }
  for (const [name, from] of Object.entries({ nbf, iat })) {
    if (from === undefined) continue;
    if (!isNumericDate(from)) {
      return refuse("bad_claim", `${name} is not a number of seconds since 1970`);
    }
    if (nowMs < from * 1000 - skewMs) {
      return refuse("not_yet_valid", `${name} is ${Math.ceil(from - nowMs / 1000)} s from now`);
    }
  }
  const { lifetimeSMax } = trust;
  if (lifetimeSMax !== undefined && !(isNumericDate(iat) && exp - iat <= lifetimeSMax)) {
    return refuse("lives_too_long", `exp - iat is not known to be within ${lifetimeSMax} s`);
  }
  return ok(exp * 1000);
}

/** Seconds since 1970 (RFC 7519 §2) that a wall clock can name. */
function isNumericDate(value: JsonValue | undefined): value is number {
  return typeof value === "number" && value >= 0 && value < 8.64e12;
}

function checkJti(claims: JsonObject, trust: IssuerTrust): Result<void, IdentityError> {
  const { jti } = claims;
  if (jti !== undefined && typeof jti !== "string")
    return refuse("bad_claim", "jti is not a string");
  if (jti === undefined && trust.jtiRequired === true) {
    return refuse("missing_claim", "the token has no jti");
  }
  if (jti !== undefined && trust.revokedJti?.includes(jti) === true) {
    return refuse("revoked", `the token ${JSON.stringify(jti)} was taken back`);
  }
  return ok(undefined);
}

/** A token that proves nothing but its possession; for development, and marked as such in every record. */
export interface DevelopmentToken {
  /** SHA-256 of the token, so that configuration in memory holds no secret. */
  readonly tokenSha256: Uint8Array;
  readonly agent: string;
  readonly model?: string;
  readonly principal?: string;
  readonly tenant?: string;
  readonly properties?: JsonObject;
}

/** The last instant a wall clock can name; development tokens do not expire. */
const never = 8_640_000_000_000_000;

/** Looks the token up by digest. Every entry is compared, each in constant time. */
export function developmentIdentity(
  token: string,
  entries: readonly DevelopmentToken[],
): Identity | undefined {
  if (entries.length === 0) return undefined;
  const digest = sha256(token);
  let found: DevelopmentToken | undefined;
  for (const entry of entries) {
    if (timingSafeEqual(entry.tokenSha256, digest)) found = entry;
  }
  if (found === undefined) return undefined;
  const { agent, model, principal, tenant, properties } = found;
  return {
    agent,
    ...(model !== undefined && { model }),
    ...(principal !== undefined && { principal }),
    tenant: tenant ?? tenantDefault,
    delegation: [],
    how: "development_token",
    expiresAtMs: never,
    properties: properties ?? {},
  };
}

const nextSteps: Readonly<Partial<Record<IdentityError["code"], string>>> = {
  wrong_issuer: "Use a token of an issuer this gateway is configured with.",
  wrong_audience: "Ask the issuer for a token whose audience is this gateway (RFC 8707 resource).",
  expired: "Ask the issuer for a new token.",
  not_yet_valid: "Check the clocks of the issuer and of this machine.",
  lives_too_long: "Ask the issuer for a token that lives shorter and carries iat.",
  unknown_key: "Check that the issuer publishes the key of this token in its JWK Set.",
  unsupported_alg: "Have the issuer sign with EdDSA, ES256, PS256 or RS256.",
};

function refuse(code: IdentityError["code"], detail: string): Result<never, IdentityError> {
  return err({ code, detail, next: nextSteps[code] ?? "Ask the issuer for another token." });
}

function fromJws({ code, detail }: JwsRefusal): IdentityError {
  return { code, detail, next: nextSteps[code] ?? "Send the token as its issuer made it." };
}
