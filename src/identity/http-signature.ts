/**
 * Agents that sign their requests: HTTP message signatures (RFC 9421) in the profile of Web Bot Auth
 * (draft-meunier-web-bot-auth-architecture), Ed25519, with keys that the operator configured.
 */
import { createHash, type KeyObject } from "node:crypto";
import { ed25519Key, err, ok, type Result, verifyEd25519 } from "../kernel/index.ts";
import type { IdentityError } from "./identity.ts";
import { type KeySet, thumbprint } from "./jws.ts";
import { authorityOf, headerText, type SignedMessage, signatureBase } from "./signature-base.ts";
import {
  type BareItem,
  type InnerList,
  isInnerList,
  readDictionary,
  readItem,
} from "./structured-fields.ts";

export type { SignedMessage } from "./signature-base.ts";

/** An agent that signs, and what its signatures must cover. */
export interface SigningAgent {
  readonly agent: string;
  readonly tenant: string;
  readonly model?: string;
  /**
   * What a signature must cover besides `@authority` and the body: with `request` also `@method`, `@path` and a query,
   * so that it allows exactly this request; with `authority` nothing, as Web Bot Auth asks for.
   */
  readonly covers: "request" | "authority";
}

/** One key of one agent. */
export interface SignedAgent extends SigningAgent {
  /** The RFC 7638 thumbprint, which requests give as `keyid`. */
  readonly keyId: string;
  readonly key: KeyObject;
}

export interface SignatureRules {
  /** Host, and port unless it is the default one, as the signer must have it. */
  readonly authority: string;
  /** Longest `expires - created`. */
  readonly lifetimeSMax: number;
  /** How far ahead a signer's clock may be. */
  readonly clockSkewS: number;
}

/** A signature that holds. Whether it was seen before is for the caller to ask. */
export interface ProvenSignature {
  readonly agent: SignedAgent;
  readonly nonce: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** The URI of `Signature-Agent`: who the agent says publishes its keys. Covered by the signature, never fetched. */
  readonly signatureAgent?: string;
}

const tag = "web-bot-auth";
/** Nonces of the profile have 64 bytes in base64; a short one could come again by chance. */
const noncePattern = /^[\x21-\x7e]{16,256}$/;

/** The agent with each key of its set that can sign requests (Ed25519). */
export function signedAgents({ keys }: KeySet, agent: SigningAgent): readonly SignedAgent[] {
  return keys.flatMap(({ jwk }) => {
    const bytes = Buffer.from(String(jwk["x"]), "base64url");
    if (jwk["crv"] !== "Ed25519" || bytes.length !== 32) return [];
    return [{ ...agent, keyId: thumbprint(jwk), key: ed25519Key(bytes) }];
  });
}

/** Verifies the one `web-bot-auth` signature of a request. `nowMs` is wall-clock time. */
export function verifyHttpSignature(
  message: SignedMessage,
  agents: readonly SignedAgent[],
  rules: SignatureRules,
  nowMs: number,
): Result<ProvenSignature, IdentityError> {
  const found = findSignature(message);
  if (!found.ok) return found;
  const { input, signature } = found.value;
  const parameters = readParameters(input[1]);
  if (!parameters.ok) return parameters;
  const { keyId, nonce, createdMs, expiresMs } = parameters.value;
  const agent = agents.find((each) => each.keyId === keyId);
  if (agent === undefined)
    return refuse("unknown_key", `keyid ${JSON.stringify(keyId)} is the key of no agent here`);
  const base = signatureBase(input, message);
  if (!base.ok) return refuse("malformed", `the signature cannot be checked: ${base.error}`);
  if (!verifyEd25519(Buffer.from(base.value.text), agent.key, signature))
    return refuse("bad_signature", "the signature does not verify with the agent's key");
  const faults =
    checkTimes(createdMs, expiresMs, rules, nowMs) ??
    checkCovered(base.value.covered, message, agent, rules) ??
    checkBody(message);
  if (faults !== undefined) return err(faults);
  const signatureAgent = signatureAgentOf(message, input);
  return ok({
    ...{ agent, nonce, createdMs, expiresMs },
    ...(signatureAgent === undefined ? {} : { signatureAgent }),
  });
}

interface Found {
  readonly input: InnerList;
  readonly signature: Uint8Array;
}

function findSignature(message: SignedMessage): Result<Found, IdentityError> {
  const inputs = readDictionary(headerText(message, "signature-input") ?? "");
  const signatures = readDictionary(headerText(message, "signature") ?? "");
  if (inputs === undefined || signatures === undefined)
    return refuse("malformed", "Signature-Input and Signature are not dictionaries (RFC 9651)");
  const tagged = [...inputs].filter(([, member]) => member[1].get("tag") === tag);
  const [label, input] = tagged[0] ?? [];
  if (tagged.length !== 1 || label === undefined || input === undefined || !isInnerList(input))
    return refuse("malformed", `the request has ${tagged.length} signatures with tag="${tag}"`);
  const value = signatures.get(label)?.[0];
  if (!(value instanceof ArrayBuffer) || value.byteLength !== 64)
    return refuse("malformed", `Signature holds no Ed25519 signature under ${label}`);
  return ok({ input, signature: new Uint8Array(value) });
}

interface Parameters {
  readonly keyId: string;
  readonly nonce: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

function readParameters(given: ReadonlyMap<string, BareItem>): Result<Parameters, IdentityError> {
  const [keyId, nonce, alg] = ["keyid", "nonce", "alg"].map((name) => given.get(name));
  const [created, expires] = ["created", "expires"].map((name) => given.get(name));
  if (alg !== undefined && alg !== "ed25519")
    return refuse("unsupported_alg", `alg ${JSON.stringify(alg)} is not ed25519`);
  if (typeof keyId !== "string") return refuse("missing_claim", "the signature has no keyid");
  if (typeof nonce !== "string" || !noncePattern.test(nonce))
    return refuse("missing_claim", "the signature has no nonce of 16 to 256 characters");
  if (!Number.isSafeInteger(created) || !Number.isSafeInteger(expires))
    return refuse("missing_claim", "the signature has no created and expires in whole seconds");
  return ok({
    ...{ keyId, nonce },
    ...{ createdMs: Number(created) * 1000, expiresMs: Number(expires) * 1000 },
  });
}

function checkTimes(
  createdMs: number,
  expiresMs: number,
  { lifetimeSMax, clockSkewS }: SignatureRules,
  nowMs: number,
): IdentityError | undefined {
  if (createdMs > nowMs + clockSkewS * 1000)
    return fault("not_yet_valid", "the signature was created in the future; check your clock");
  if (nowMs >= expiresMs) return fault("expired", "the signature has expired");
  if (expiresMs - createdMs > lifetimeSMax * 1000)
    return fault("lives_too_long", `a signature lives at most ${lifetimeSMax} s`);
  return undefined;
}

function checkCovered(
  covered: ReadonlySet<string>,
  message: SignedMessage,
  { covers }: SignedAgent,
  { authority }: SignatureRules,
): IdentityError | undefined {
  const needed = ["@authority"];
  if (covers === "request") needed.push("@method", "@path");
  if (covers === "request" && message.query !== "") needed.push("@query");
  if (message.body.length > 0) needed.push("content-digest");
  if (message.headers["signature-agent"] !== undefined) needed.push("signature-agent");
  const missing = needed.filter((name) => !covered.has(name));
  if (missing.length > 0)
    return fault("not_covered", `the signature does not cover ${missing.join(", ")}`);
  if (authorityOf(message) !== authority)
    return fault("wrong_audience", `the signature is for another host than ${authority}`);
  return undefined;
}

const digests: Readonly<Record<string, string>> = { "sha-256": "sha256", "sha-512": "sha512" };

/** Content-Digest (RFC 9530): each digest that is known must be that of the body, and one must be known. */
function checkBody(message: SignedMessage): IdentityError | undefined {
  if (message.body.length === 0) return undefined;
  const given = readDictionary(headerText(message, "content-digest") ?? "") ?? new Map();
  const known = [...given].filter(([name]) => digests[name] !== undefined);
  const same = known.every(([name, [value]]) => {
    const ours = createHash(digests[name] ?? "")
      .update(message.body)
      .digest();
    return value instanceof ArrayBuffer && ours.equals(new Uint8Array(value));
  });
  if (known.length > 0 && same) return undefined;
  return fault("digest_differs", "Content-Digest holds no sha-256 or sha-512 of this body");
}

/** A string of its own (as first drafted), or the member that the signature covers. */
function signatureAgentOf(message: SignedMessage, input: InnerList): string | undefined {
  const text = headerText(message, "signature-agent");
  if (text === undefined) return undefined;
  const key = input[0].find(([name]) => name === "signature-agent")?.[1].get("key");
  const value = typeof key === "string" ? readDictionary(text)?.get(key)?.[0] : readItem(text)?.[0];
  return typeof value === "string" ? value : undefined;
}

function fault(code: IdentityError["code"], detail: string): IdentityError {
  return { code, detail, next: "Sign the request again (docs/signed-requests.md)." };
}

function refuse(code: IdentityError["code"], detail: string): Result<never, IdentityError> {
  return err(fault(code, detail));
}
