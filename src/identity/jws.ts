/**
 * JSON Web Signatures (RFC 7515), compact form, public keys only. What a token says about its own keys (`jwk`, `jku`,
 * `x5c`, `x5u`) is never looked at; `kid` only picks among keys that are already trusted (RFC 8725).
 */
import { CompactSign, compactVerify, errors, importJWK, type JWK } from "jose";
import {
  canonicalJson,
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
import { isSoundRsa } from "./rsa-key.ts";

/** Signatures with a public key. `none` and the HMACs are not words of this language. */
export type SignatureAlg =
  | "EdDSA"
  | "Ed25519"
  | "ES256"
  | "ES384"
  | "ES512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512";

/** What each algorithm needs of a key: its type, and its curve where there is one. */
const keyNeeds: Readonly<Record<SignatureAlg, { readonly kty: string; readonly crv?: string }>> = {
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
};

export const signatureAlgs: readonly SignatureAlg[] = Object.keys(keyNeeds) as SignatureAlg[];

/** A trusted public key, as a JWK without private members. */
export interface VerificationKey {
  readonly kid?: string;
  readonly jwk: JsonObject;
}

export interface KeySet {
  readonly keys: readonly VerificationKey[];
}

export type JwsRefusalCode =
  | "too_large"
  | "malformed"
  /** Base64url that a second encoding does not give back: the same token in other bytes. */
  | "not_canonical"
  | "unsupported_alg"
  | "critical_header"
  /** No trusted key fits `kid` and `alg`. */
  | "unknown_key"
  | "bad_signature";

export interface JwsRefusal {
  readonly code: JwsRefusalCode;
  readonly detail: string;
}

export interface DecodedJws {
  readonly header: JsonObject & { readonly alg: SignatureAlg };
  readonly payload: Uint8Array;
}

export interface JwsLimits {
  readonly tokenBytesMax: number;
  readonly algorithms: readonly SignatureAlg[];
}

export const jwsLimitsDefault: JwsLimits = { tokenBytesMax: 16_384, algorithms: signatureAlgs };

/** Keys of one `kid` (or without one) that are tried before giving up. */
const triesMax = 4;
const keysMax = 100;
const publicMembers = ["kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid"] as const;

/**
 * A key set from a JWK Set document (RFC 7517 §5). Keys that cannot verify a signature (symmetric, for encryption, of
 * an unknown type, RSA of an unsafe kind) are left out, private members are dropped. Refused: no `keys` list, over 100 keys, or none usable.
 */
export function keySetOf(document: JsonValue): Result<KeySet, string> {
  const list = isJsonObject(document) ? document["keys"] : undefined;
  if (!isJsonArray(list)) return err("a JWK Set has a `keys` list");
  if (list.length > keysMax) return err(`a JWK Set has at most ${keysMax} keys`);
  const keys = list.flatMap((entry) => {
    const key = isJsonObject(entry) ? verificationKey(entry) : undefined;
    return key === undefined ? [] : [key];
  });
  return keys.length === 0 ? err("the JWK Set has no key that verifies signatures") : ok({ keys });
}

function verificationKey(entry: JsonObject): VerificationKey | undefined {
  const { kty, use, kid, key_ops: operations } = entry;
  if (kty !== "OKP" && kty !== "EC" && kty !== "RSA") return undefined;
  if (kty === "RSA" && !isSoundRsa(entry["n"], entry["e"])) return undefined;
  if (use !== undefined && use !== "sig") return undefined;
  if (isJsonArray(operations) && !operations.includes("verify")) return undefined;
  if (kid !== undefined && typeof kid !== "string") return undefined;
  const jwk: Record<string, JsonValue> = {};
  for (const name of publicMembers) {
    const value = entry[name];
    if (value !== undefined && name !== "key_ops") jwk[name] = value;
  }
  return kid === undefined ? { jwk } : { kid, jwk };
}

/**
 * The header and payload of a compact JWS whose form is right, before its signature is looked at. For choosing the
 * issuer's keys; believe nothing of it.
 */
export function decodeJws(
  token: string,
  limits: JwsLimits = jwsLimitsDefault,
): Result<DecodedJws, JwsRefusal> {
  if (token.length > limits.tokenBytesMax) {
    return refuse("too_large", `the token is longer than ${limits.tokenBytesMax} bytes`);
  }
  const parts = token.split(".");
  if (parts.length !== 3) return refuse("malformed", "a token has three parts between dots");
  for (const [i, part] of parts.entries()) {
    const name = ["header", "payload", "signature"][i];
    if (Buffer.from(part, "base64url").toString("base64url") !== part) {
      return refuse("not_canonical", `the ${name} of the token is not canonical base64url`);
    }
  }
  const [header = "", payload = "", signature = ""] = parts;
  if (signature === "") return refuse("malformed", "the token is not signed");
  const parsed = parseJsonStrict(Buffer.from(header, "base64url"), { depthMax: 16 });
  if (!parsed.ok) return refuse("malformed", `the token's header: ${parsed.error.detail}`);
  if (!isJsonObject(parsed.value)) return refuse("malformed", "the token's header is no object");
  const checked = checkHeader(parsed.value, limits);
  return checked.ok
    ? ok({ header: checked.value, payload: Buffer.from(payload, "base64url") })
    : checked;
}

function checkHeader(
  header: JsonObject,
  limits: JwsLimits,
): Result<DecodedJws["header"], JwsRefusal> {
  const { alg, crit, b64, kid } = header;
  const known = limits.algorithms.find((name) => name === alg);
  if (known === undefined) {
    const allowed = limits.algorithms.join(", ");
    return refuse("unsupported_alg", `alg ${JSON.stringify(alg ?? null)} is not one of ${allowed}`);
  }
  if (crit !== undefined || b64 !== undefined) {
    return refuse(
      "critical_header",
      "the token asks for extensions (crit, b64); none is known here",
    );
  }
  if (kid !== undefined && typeof kid !== "string")
    return refuse("malformed", "kid is not a string");
  return ok({ ...header, alg: known });
}

/** Checks form and signature with the trusted keys. Says nothing about the claims. */
export async function verifyJws(
  token: string,
  trusted: KeySet,
  limits: JwsLimits = jwsLimitsDefault,
): Promise<Result<DecodedJws, JwsRefusal>> {
  const decoded = decodeJws(token, limits);
  if (!decoded.ok) return decoded;
  const { alg, kid } = decoded.value.header;
  const fitting = trusted.keys.filter((key) => fits(key, alg, kid)).slice(0, triesMax);
  if (fitting.length === 0) {
    const named = kid === undefined ? "" : ` and kid ${JSON.stringify(kid)}`;
    return refuse("unknown_key", `no trusted key for alg ${alg}${named}`);
  }
  for (const key of fitting) {
    if (await verifies(token, key, alg)) return decoded;
  }
  return refuse("bad_signature", "the signature does not verify with the issuer's key");
}

function fits(key: VerificationKey, alg: SignatureAlg, kid: JsonValue | undefined): boolean {
  if (kid !== undefined && key.kid !== undefined && key.kid !== kid) return false;
  const { kty, crv, alg: bound } = key.jwk;
  const needs = keyNeeds[alg];
  if (kty !== needs.kty || (needs.crv !== undefined && crv !== needs.crv)) return false;
  const edwards = needs.kty === "OKP" && (bound === "EdDSA" || bound === "Ed25519");
  return bound === undefined || bound === alg || edwards;
}

async function verifies(token: string, key: VerificationKey, alg: SignatureAlg): Promise<boolean> {
  try {
    const { alg: _bound, ...jwk } = key.jwk;
    const imported = await importJWK(jwk as JWK, alg);
    await compactVerify(token, imported, { algorithms: [alg] });
    return true;
  } catch (thrown) {
    // jose throws its own errors for what is wrong with the token, TypeErrors and DOMExceptions for unusable keys.
    if (thrown instanceof errors.JOSEError || thrown instanceof TypeError) return false;
    if (thrown instanceof Error && thrown.name.endsWith("Error")) return false;
    throw thrown;
  }
}

/** A compact JWS over `payload` with an Ed25519 private JWK; `kid` is the key's, or its RFC 7638 thumbprint. */
export async function signJws(
  payload: JsonObject,
  privateJwk: JsonObject,
  typ = "JWT",
): Promise<string> {
  const kid = typeof privateJwk["kid"] === "string" ? privateJwk["kid"] : thumbprint(privateJwk);
  const key = await importJWK(privateJwk as JWK, "EdDSA");
  return new CompactSign(new TextEncoder().encode(canonicalJson(payload)))
    .setProtectedHeader({ alg: "EdDSA", kid, typ })
    .sign(key);
}

/** RFC 7638 SHA-256 thumbprint of an OKP, EC or RSA key, base64url. */
export function thumbprint(jwk: JsonObject): string {
  const members: Record<string, JsonValue> = {};
  for (const name of ["crv", "e", "kty", "n", "x", "y"]) {
    const value = jwk[name];
    if (value !== undefined) members[name] = value;
  }
  return Buffer.from(sha256(canonicalJson(members))).toString("base64url");
}

function refuse(code: JwsRefusalCode, detail: string): Result<never, JwsRefusal> {
  return err({ code, detail });
}
