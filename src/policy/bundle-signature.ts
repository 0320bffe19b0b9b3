/**
 * Signatures of OPA bundles: one ES256 JWT (RFC 7515, compact) in `.signatures.json` that lists a SHA-256 of every
 * other file. OPA knows no EdDSA. JSON documents are hashed by structure, everything else by its bytes.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import {
  canonicalJson,
  err,
  isJsonArray,
  isJsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
  sha256Hex,
} from "../kernel/index.ts";
import { compareText } from "./values.ts";

/** Files by path inside the bundle, without a leading slash. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** An ES256 key that signs. */
export interface BundleSigner {
  /** `kid` of the signature: the RFC 7638 thumbprint of the public key. */
  readonly keyId: string;
  /** SPKI, PEM: what a verifier (also `opa`, as `keys.<keyId>.key`) is given. */
  readonly publicKeyPem: string;
  /** 64 bytes, R and S (RFC 7518 §3.4). */
  sign(message: Uint8Array): Uint8Array;
}

/** `detail` names the file or key and says what to do. */
export interface BundleRefusal {
  readonly kind:
    | "unsigned"
    | "unknown_key"
    | "bad_signature"
    | "changed_file"
    | "unlisted_file"
    | "missing_file"
    | "malformed";
  readonly detail: string;
}

export const signaturesPath = ".signatures.json";

/** What a signed bundle may hold beside policy sets of a few thousand rules; JSON of deep conditions nests deeply. */
const jsonLimits = { bytesMax: 64 * 1024 * 1024, depthMax: 1_024 };

export function parseBundleJson(path: string, bytes: Uint8Array): Result<JsonValue, BundleRefusal> {
  const parsed = parseJsonStrict(bytes, jsonLimits);
  return parsed.ok ? parsed : err({ kind: "malformed", detail: `${path}: ${parsed.error.detail}` });
}

/** The P-256 key in `pem` (PKCS#8). The error says what is wrong with it. */
export function bundleSigner(pem: string): Result<BundleSigner, string> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return err("not a private key in PEM (PKCS#8)");
  }
  const publicKey = createPublicKey(key);
  const keyId = keyIdOf(publicKey);
  if (keyId === undefined) return err("not a P-256 key; bundles are signed with ES256");
  return ok({
    keyId,
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    sign: (message) => sign("sha256", message, { key, dsaEncoding: "ieee-p1363" }),
  });
}

/** RFC 7638 thumbprint of a P-256 public key, undefined for any other key. */
function keyIdOf(key: KeyObject): string | undefined {
  const { crv, kty, x, y } = key.export({ format: "jwk" });
  if (kty !== "EC" || crv !== "P-256" || x === undefined || y === undefined) return undefined;
  const digest = sha256Hex(canonicalJson({ crv, kty, x, y }));
  return Buffer.from(digest, "hex").toString("base64url");
}

/** Public keys that bundles are accepted from, by key id. */
export type BundleKeys = ReadonlyMap<string, KeyObject>;

/** Reads public keys in PEM (SPKI). The error says which one cannot be used. */
export function bundleKeys(pems: readonly string[]): Result<BundleKeys, string> {
  const keys = new Map<string, KeyObject>();
  for (const [i, pem] of pems.entries()) {
    let key: KeyObject;
    try {
      key = createPublicKey(pem);
    } catch {
      return err(`bundle key ${i + 1} is not a public key in PEM`);
    }
    const id = keyIdOf(key);
    if (id === undefined) return err(`bundle key ${i + 1} is not a P-256 key`);
    keys.set(id, key);
  }
  return ok(keys);
}

/** The files with `.signatures.json` added. Files must be ones that `buildBundle` made. */
export function signBundle(
  files: BundleFiles,
  signer: BundleSigner,
): Result<BundleFiles, BundleRefusal> {
  const listed: { name: string; hash: string; algorithm: string }[] = [];
  for (const name of [...files.keys()].sort(compareText)) {
    if (name === signaturesPath) continue;
    const hash = fileHash(name, files.get(name) ?? new Uint8Array());
    if (!hash.ok) return hash;
    listed.push({ name, hash: hash.value, algorithm: "SHA-256" });
  }
  const header = { alg: "ES256", kid: signer.keyId, typ: "JWT" };
  const payload = { files: listed, keyid: signer.keyId };
  const signed = `${base64url(canonicalJson(header))}.${base64url(canonicalJson(payload))}`;
  const signature = Buffer.from(signer.sign(Buffer.from(signed))).toString("base64url");
  const document = canonicalJson({ signatures: [`${signed}.${signature}`] });
  return ok(new Map(files).set(signaturesPath, Buffer.from(document)));
}

/** Checks that one of `keys` signed exactly these files. */
export function verifySignature(files: BundleFiles, keys: BundleKeys): Result<void, BundleRefusal> {
  const listed = signedFiles(files.get(signaturesPath), keys);
  if (!listed.ok) return listed;
  for (const [name, bytes] of files) {
    if (name === signaturesPath) continue;
    const expected = listed.value.get(name);
    if (expected === undefined)
      return refuse("unlisted_file", `${name} is in the bundle but was not signed`);
    const hash = fileHash(name, bytes);
    if (!hash.ok) return hash;
    if (hash.value !== expected)
      return refuse("changed_file", `${name} is not what was signed (digest mismatch)`);
  }
  for (const name of listed.value.keys())
    if (!files.has(name)) return refuse("missing_file", `${name} was signed but is missing`);
  return ok(undefined);
}

function refuse(kind: BundleRefusal["kind"], detail: string): Result<never, BundleRefusal> {
  return err({ kind, detail });
}

/** Hashes by file name, from a JWT whose signature holds. */
function signedFiles(
  document: Uint8Array | undefined,
  keys: BundleKeys,
): Result<ReadonlyMap<string, string>, BundleRefusal> {
  if (document === undefined)
    return refuse("unsigned", `the bundle has no ${signaturesPath}; build it with a signing key`);
  const parsed = parseBundleJson(signaturesPath, document);
  if (!parsed.ok) return parsed;
  const { signatures } = isJsonObject(parsed.value) ? parsed.value : {};
  const token = isJsonArray(signatures) && signatures.length === 1 ? signatures[0] : undefined;
  if (typeof token !== "string")
    return refuse("malformed", `${signaturesPath}: expected exactly one signature`);
  const payload = verifiedPayload(token, keys);
  return payload.ok ? fileList(payload.value) : payload;
}

/** Canonical base64url only, so that one token has one form. */
function decoded(part: string | undefined): Buffer | undefined {
  if (part === undefined) return undefined;
  const bytes = Buffer.from(part, "base64url");
  return bytes.toString("base64url") === part ? bytes : undefined;
}

function verifiedPayload(token: string, keys: BundleKeys): Result<JsonValue, BundleRefusal> {
  const parts = token.split(".");
  const [header, payload, signature] = parts.map(decoded);
  if (parts.length !== 3 || !header || !payload || !signature)
    return refuse("malformed", `${signaturesPath}: the signature is not a compact JWT`);
  const head = parseBundleJson(`${signaturesPath} header`, header);
  if (!head.ok) return head;
  const { alg, kid } = isJsonObject(head.value) ? head.value : {};
  if (alg !== "ES256")
    return refuse(
      "bad_signature",
      `the bundle is signed with ${String(alg)}; only ES256 is accepted`,
    );
  const key = typeof kid === "string" ? keys.get(kid) : undefined;
  if (key === undefined)
    return refuse(
      "unknown_key",
      `the bundle is signed by key ${String(kid)}, known are: ${[...keys.keys()].join(", ") || "none"}`,
    );
  const message = Buffer.from(`${parts[0]}.${parts[1]}`);
  if (!verifyEs256(message, key, signature))
    return refuse("bad_signature", `the signature by key ${String(kid)} does not hold`);
  return parseBundleJson(`${signaturesPath} payload`, payload);
}

/** ES256 (RFC 7518 section 3.4): ECDSA on P-256 with SHA-256, the signature as R and S of 32 bytes each. */
export function verifyEs256(message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature);
}

function fileList(payload: JsonValue): Result<ReadonlyMap<string, string>, BundleRefusal> {
  const { files } = isJsonObject(payload) ? payload : {};
  const hashes = new Map<string, string>();
  for (const file of isJsonArray(files) ? files : []) {
    const { name, hash, algorithm } = isJsonObject(file) ? file : {};
    if (typeof name !== "string" || typeof hash !== "string" || algorithm !== "SHA-256")
      return refuse("malformed", `${signaturesPath}: a file needs name, hash and SHA-256`);
    if (hashes.has(name)) return refuse("malformed", `${signaturesPath}: ${name} is listed twice`);
    hashes.set(name, hash);
  }
  return ok(hashes);
}

/** OPA's rule: `data.json`, `.manifest` (and signatures) by structure, the rest by bytes. */
function fileHash(name: string, bytes: Uint8Array): Result<string, BundleRefusal> {
  const base = name.slice(name.lastIndexOf("/") + 1);
  if (base !== "data.json" && base !== ".manifest") return ok(sha256Hex(bytes));
  const parsed = parseBundleJson(name, bytes);
  return parsed.ok ? ok(sha256Hex(structure(parsed.value))) : parsed;
}

/**
 * The text OPA hashes a document as: Go's JSON, keys by UTF-8 bytes. It differs from canonical JSON in the order of
 * keys beyond the BMP and in the escapes of U+2028 and U+2029.
 */
function structure(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(structure).join(",")}]`;
  if (!isJsonObject(value))
    return canonicalJson(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
  const members = Object.keys(value)
    .sort(compareText)
    .map((key) => `${structure(key)}:${structure(value[key] ?? null)}`);
  return `{${members.join(",")}}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
