/**
 * Signed statements as DSSE envelopes (Dead Simple Signing Envelope, protocol and envelope v1) with Ed25519. The payload
 * is always canonical JSON, so that one statement has one text and one digest. A key id is a hint and decides nothing.
 */
import {
  fromBase64,
  type NoteVerifier,
  noteVerifier,
  parseVkey,
  signatureType,
  toBase64,
} from "../audit/index.ts";
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
  verifyEd25519,
} from "../kernel/index.ts";

export interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly EnvelopeSignature[];
}

export interface EnvelopeSignature {
  /** `name+id`, the first two parts of the signer's verifier key. */
  readonly keyid: string;
  readonly sig: string;
}

/** As the port `Signer`; named here because this room knows no ports. */
export interface EnvelopeSigner {
  readonly name: string;
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export interface OpenedEnvelope {
  readonly payload: JsonObject;
  /** Key ids of the verifiers whose signatures hold, each key once. */
  readonly signedBy: readonly string[];
}

const signaturesMax = 64;

/** What is signed: the pre-authentication encoding (DSSE protocol, "Signature Definition"). Lengths are in bytes. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** An envelope over the canonical text of `payload` with one signature. */
export function signEnvelope(
  payloadType: string,
  payload: JsonObject,
  signer: EnvelopeSigner,
): Envelope {
  const body = Buffer.from(canonicalJson(payload));
  const unsigned = { payload: toBase64(body), payloadType, signatures: [] };
  return cosignEnvelope(unsigned, signer);
}

/** The same statement with one signature more, for what several people must sign. Does not look at the others. */
export function cosignEnvelope(envelope: Envelope, signer: EnvelopeSigner): Envelope {
  const body = Buffer.from(envelope.payload, "base64");
  const sig = toBase64(signer.sign(preAuthenticationEncoding(envelope.payloadType, body)));
  const keyid = keyIdOf(noteVerifier(signer.name, signer.publicKey));
  return { ...envelope, signatures: [...envelope.signatures, { keyid, sig }] };
}

/** Verifier keys (`name+id+base64`) as `openEnvelope` takes them. The error says which is no key, and why. */
export function envelopeVerifiers(
  vkeys: readonly string[],
): Result<readonly NoteVerifier[], string> {
  const verifiers: NoteVerifier[] = [];
  for (const vkey of vkeys) {
    const verifier = parseVkey(vkey);
    if (!verifier.ok) return err(`${JSON.stringify(vkey)} is no verifier key: ${verifier.error}`);
    if (verifier.value.type !== signatureType.ed25519)
      return err(`${JSON.stringify(vkey)} is the key of a witness, which signs no statements`);
    verifiers.push(verifier.value);
  }
  return ok(verifiers);
}

/**
 * The payload, when at least `threshold` (default 1) different keys of `verifiers` signed exactly it as `payloadType`.
 * Stricter than DSSE asks: base64 and payload in canonical form only, and a signature that names a key of ours and does
 * not verify refuses the whole. Unknown members and signatures of strangers are ignored, as DSSE demands.
 */
export function openEnvelope(
  envelope: string | Uint8Array | JsonValue,
  payloadType: string,
  verifiers: readonly NoteVerifier[],
  { threshold = 1 }: { readonly threshold?: number } = {},
): Result<OpenedEnvelope, string> {
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    return err("a threshold is a whole number from 1: nothing counts unsigned");
  const parsed = parseEnvelope(envelope);
  if (!parsed.ok) return parsed;
  if (parsed.value.payloadType !== payloadType) {
    const found = JSON.stringify(parsed.value.payloadType.slice(0, 120));
    return err(`the envelope holds ${found}, not ${JSON.stringify(payloadType)}`);
  }
  const body = fromBase64(parsed.value.payload);
  if (body === undefined) return err("the payload is not canonical base64");
  const signedBy = signersOf(parsed.value, body, verifiers);
  if (!signedBy.ok) return signedBy;
  if (signedBy.value.length < threshold) {
    const known = verifiers.map(keyIdOf).join(", ");
    const claimed = parsed.value.signatures.map(({ keyid }) => keyid || "(no key id)").join(", ");
    return err(
      `signed by ${signedBy.value.length} of ${threshold} trusted keys (trusted: ${known || "none"}; signatures: ${claimed || "none"})`,
    );
  }
  const payload = payloadOf(body);
  return payload.ok ? ok({ payload: payload.value, signedBy: signedBy.value }) : payload;
}

/** Takes an envelope apart without trusting it. */
export function parseEnvelope(envelope: string | Uint8Array | JsonValue): Result<Envelope, string> {
  const value = envelopeValue(envelope);
  if (!value.ok) return value;
  if (!isJsonObject(value.value)) return err("an envelope is a JSON object");
  const { payload, payloadType, signatures } = value.value;
  if (typeof payload !== "string") return err("the envelope has no text `payload`");
  if (typeof payloadType !== "string") return err("the envelope has no text `payloadType`");
  if (!isJsonArray(signatures)) return err("the envelope has no list `signatures`");
  if (signatures.length > signaturesMax)
    return err(`the envelope has over ${signaturesMax} signatures`);
  const read: EnvelopeSignature[] = [];
  for (const [at, each] of signatures.entries()) {
    const { keyid = "", sig } = isJsonObject(each) ? each : {};
    if (typeof keyid !== "string" || typeof sig !== "string")
      return err(`signatures.${at} is no {keyid, sig} of texts`);
    read.push({ keyid, sig });
  }
  return ok({ payload, payloadType, signatures: read });
}

function envelopeValue(envelope: string | Uint8Array | JsonValue): Result<JsonValue, string> {
  const isBytes = envelope instanceof Uint8Array;
  if (typeof envelope !== "string" && !isBytes) return ok(envelope);
  const parsed = parseJsonStrict(isBytes ? envelope : Buffer.from(envelope));
  return parsed.ok ? parsed : err(`the envelope is no strict JSON: ${parsed.error.detail}`);
}

/** Each key counts once, under however many names it is trusted and however often it signed. */
function signersOf(
  envelope: Envelope,
  body: Uint8Array,
  verifiers: readonly NoteVerifier[],
): Result<readonly string[], string> {
  const message = preAuthenticationEncoding(envelope.payloadType, body);
  const signers = new Map<string, string>();
  for (const { keyid, sig } of envelope.signatures) {
    const signature = fromBase64(sig);
    if (signature === undefined) return err(`the signature of ${keyid} is not canonical base64`);
    const tried = verifiers.filter((verifier) => keyid === "" || keyIdOf(verifier) === keyid);
    const holds = tried.filter(({ key }) => verifyEd25519(message, key, signature));
    if (keyid !== "" && holds.length < tried.length)
      return err(`the signature of ${keyid} does not verify`);
    for (const verifier of holds) {
      const key = toBase64(verifier.publicKey);
      if (!signers.has(key)) signers.set(key, keyIdOf(verifier));
    }
  }
  return ok([...signers.values()]);
}

function payloadOf(body: Uint8Array): Result<JsonObject, string> {
  const parsed = parseJsonStrict(body);
  if (!parsed.ok) return err(`the payload is no strict JSON: ${parsed.error.detail}`);
  if (!isJsonObject(parsed.value)) return err("the payload is no JSON object");
  const canonical = Buffer.from(canonicalJson(parsed.value));
  return canonical.equals(body) ? ok(parsed.value) : err("the payload is not canonical JSON");
}

function keyIdOf({ name, keyId }: NoteVerifier): string {
  return `${name}+${keyId.toString(16).padStart(8, "0")}`;
}
