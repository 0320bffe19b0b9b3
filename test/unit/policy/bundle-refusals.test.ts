/** Every way a bundle is refused, with the words of the refusal, and what makes no difference to its signature. */
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { verifySignature } from "../../../src/policy/bundle-signature.ts";
import {
  type BundleFiles,
  type BundleKeys,
  buildBundle,
  bundleDigest,
  bundleKeys,
  bundleSigner,
  nextSerial,
  type Obligation,
  type PolicySet,
  type Rule,
  signBundle,
  verifyBundle,
} from "../../../src/policy/index.ts";

const set: PolicySet = { formatVersion: 3, rules: [], tools: [], limits: [] };
const newPem = (namedCurve = "P-256"): string =>
  generateKeyPairSync("ec", { namedCurve })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
const pem = newPem();

function pair(of: string = pem) {
  const signer = bundleSigner(of);
  if (!signer.ok) throw new Error(signer.error);
  const keys = bundleKeys([signer.value.publicKeyPem]);
  if (!keys.ok) throw new Error(keys.error);
  return { signer: signer.value, keys: keys.value };
}

const bytes = (value: unknown): Buffer =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const part = (value: unknown): string => bytes(value).toString("base64url");

/** The files signed with the right key, whatever header and payload are. */
function tokenOf(header: unknown, payload: unknown): string {
  const message = `${part(header)}.${part(payload)}`;
  const signature = Buffer.from(pair().signer.sign(Buffer.from(message)));
  return `${message}.${signature.toString("base64url")}`;
}

function said(files: BundleFiles, keys: BundleKeys = pair().keys): string {
  const verified = verifyBundle(files, keys);
  return verified.ok ? "verified" : `${verified.error.kind}: ${verified.error.detail}`;
}

const unsigned = (): Map<string, Uint8Array> => new Map(buildBundle(set, { serial: 1 }));
const withSignatures = (document: unknown): BundleFiles =>
  unsigned().set(".signatures.json", bytes(document));
const withToken = (token: unknown): BundleFiles => withSignatures({ signatures: [token] });
const withFiles = (files: unknown): BundleFiles =>
  withToken(tokenOf({ alg: "ES256", kid: pair().signer.keyId }, { files }));

/** Signed as they are. */
function signed(changes: Readonly<Record<string, unknown>>): BundleFiles {
  const files = unsigned();
  for (const [path, value] of Object.entries(changes))
    if (value === undefined) files.delete(path);
    else files.set(path, bytes(value));
  const made = signBundle(files, pair().signer);
  if (!made.ok) throw new Error(made.error.detail);
  return made.value;
}

const listed = { name: "a", hash: "00", algorithm: "SHA-256" };
const entryProblem = "malformed: .signatures.json: a file needs name, hash and SHA-256";
const oneProblem = "malformed: .signatures.json: expected exactly one signature";
const jwtProblem = "malformed: .signatures.json: the signature is not a compact JWT";

test("what is signed is looked at before anything else", () => {
  const { keyId } = pair().signer;
  expect(said(unsigned())).toBe(
    "unsigned: the bundle has no .signatures.json; build it with a signing key",
  );
  for (const document of [[], { signatures: "x" }, {}, { signatures: [5] }])
    expect(said(withSignatures(document))).toBe(oneProblem);
  expect(said(withSignatures("{"))).toMatch(/^malformed: \.signatures\.json: ./);
  const good = tokenOf({ alg: "ES256", kid: keyId }, { files: [] });
  for (const token of ["", "a.b", `${good}.AA`, `${good}=`, `.${good}`])
    expect(said(withToken(token)), token).toBe(jwtProblem);
  expect(said(withToken(tokenOf("{", {})))).toMatch(/^malformed: \.signatures\.json header: ./);
  expect(said(withToken(tokenOf({ alg: "ES256", kid: keyId }, "{")))).toMatch(
    /^malformed: \.signatures\.json payload: ./,
  );
  for (const [header, alg] of [
    [[], "undefined"],
    [{ kid: keyId }, "undefined"],
    [{ alg: "RS256", kid: keyId }, "RS256"],
  ] as const)
    expect(said(withToken(tokenOf(header, {})))).toBe(
      `bad_signature: the bundle is signed with ${alg}; only ES256 is accepted`,
    );
  const forged = good.slice(0, -6) + (good.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");
  expect(said(withToken(forged))).toMatch(
    new RegExp(`^bad_signature: the signature by key ${keyId} does not hold$`),
  );
});

test("a key that is not known is named, and so are those that are", () => {
  const { signer } = pair();
  const others = [pair(newPem()), pair(newPem())];
  const ids = others.map((other) => other.signer.keyId);
  const keys: BundleKeys = new Map(others.flatMap((other) => [...other.keys]));
  expect(said(signed({}), keys)).toBe(
    `unknown_key: the bundle is signed by key ${signer.keyId}, known are: ${ids.join(", ")}`,
  );
  expect(said(signed({}), new Map())).toBe(
    `unknown_key: the bundle is signed by key ${signer.keyId}, known are: none`,
  );
  expect(said(withToken(tokenOf({ alg: "ES256", kid: 5 }, {})))).toMatch(/^unknown_key: .* key 5,/);
});

test("the list of files is whole and plain", () => {
  expect(said(withFiles([listed, listed]))).toBe("malformed: .signatures.json: a is listed twice");
  for (const entry of [
    5,
    { ...listed, name: 1 },
    { ...listed, hash: 1 },
    { ...listed, algorithm: "MD5" },
  ])
    expect(said(withFiles([entry]))).toBe(entryProblem);
  for (const files of ["x", undefined])
    expect(said(withFiles(files))).toMatch(/^unlisted_file: \.manifest is in the bundle but/);
  expect(said(withToken(tokenOf({ alg: "ES256", kid: pair().signer.keyId }, [])))).toMatch(
    /^unlisted_file/,
  );
});

test.each([
  [{ "data.json": undefined }, "missing_file: data.json is missing"],
  [{ ".manifest": undefined }, "missing_file: .manifest is missing"],
  [{ ".manifest": [] }, "malformed: .manifest: the revision is missing"],
  [{ ".manifest": { revision: "" } }, "malformed: .manifest: the revision is missing"],
  [{ ".manifest": { revision: 5 } }, "malformed: .manifest: the revision is missing"],
  [
    { ".manifest": { revision: "r", metadata: 1 } },
    "malformed: .manifest: metadata.serial is no whole number from 1",
  ],
  ...[
    {},
    { holdfast: { policy: [] } },
    { holdfast: { policy: { ...set, formatVersion: 1 } } },
    { holdfast: { policy: { ...set, rules: {} } } },
    { holdfast: { policy: { ...set, tools: {} } } },
    { holdfast: { policy: { ...set, limits: {} } } },
  ].map((document) => [
    { "data.json": document },
    "malformed: data.json: holdfast.policy is no policy set of format 3",
  ]),
] as [Record<string, unknown>, string][])(
  "signed, and no policy set (%#): %j",
  (changes, words) => {
    expect(said(signed(changes))).toBe(words);
  },
);

test("a document that is no JSON is never signed, nor verified", () => {
  for (const path of ["data.json", ".manifest", "deeper/data.json"]) {
    const made = signBundle(unsigned().set(path, bytes("{")), pair().signer);
    expect(made).toMatchObject({ ok: false, error: { kind: "malformed" } });
    expect(said(new Map(signed({ "deeper/data.json": {} })).set(path, bytes("{")))).toMatch(
      new RegExp(`^malformed: ${path}: `),
    );
  }
});

test("JSON is signed by structure, and every other file by its bytes", () => {
  const odd = { "\u{1f600}": 1, "\uffff": { b: ["\u2028", null], a: "\u2029" }, z: "<&>" };
  const original = { "x/data.json": odd, "x/other.json": odd };
  const files = signed(original);
  const pretty = bytes(JSON.stringify(odd, null, 2));
  const holds = (path: string): boolean =>
    verifySignature(new Map(files).set(path, pretty), pair().keys).ok;
  expect([holds("x/data.json"), holds("x/other.json")]).toEqual([true, false]);
  const token = JSON.parse(Buffer.from(files.get(".signatures.json") ?? []).toString());
  const payload = Buffer.from(token.signatures[0].split(".")[1], "base64url").toString();
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  // As Go writes it: keys by UTF-8 bytes, and the two separators escaped.
  const go = '{"z":"<&>","\uffff":{"a":"\\u2029","b":["\\u2028",null]},"\u{1f600}":1}';
  const hashes = JSON.parse(payload).files as readonly Record<string, string>[];
  expect(hashes.find(({ name }) => name === "x/data.json")?.["hash"]).toBe(hash(go));
  expect(hashes.map(({ name }) => name)).toEqual(hashes.map(({ name }) => name).toSorted());
});

test("the token names its key, and lists the files by name", () => {
  const parts = (files: BundleFiles): readonly unknown[] => {
    const document = Buffer.from(files.get(".signatures.json") ?? []).toString();
    const [header = "", payload = ""] = JSON.parse(document).signatures[0].split(".");
    return [header, payload].map((one) => JSON.parse(Buffer.from(one, "base64url").toString()));
  };
  const files = signed({ "a-first": "x" });
  const [header, payload] = parts(files);
  expect(header).toEqual({ alg: "ES256", kid: pair().signer.keyId, typ: "JWT" });
  const names = (payload as { files: { name: string }[] }).files.map(({ name }) => name);
  expect(names).toEqual([".manifest", "a-first", "data.json", ...names.slice(3)]);
  expect(names).not.toContain(".signatures.json");
  const again = signBundle(files, pair().signer);
  expect(again.ok && parts(again.value)[1]).toEqual(payload);
});

test("OPA is given words for requirements only", () => {
  const rule = (id: string, obligations: Rule["obligations"]): Rule => ({
    ...{ id, match: {}, outcome: "sanitize", onFailure: "deny", reason: "", source: "" },
    obligations,
  });
  const redact: Obligation = { kind: "redact", path: ["x"], replacement: { with: "remove" } };
  const need: Obligation = { kind: "require", path: ["y"], pattern: "a", required: true };
  const rules = [rule("p/a", [redact]), rule("p/b", [redact, need]), rule("p/c", [])];
  const files = buildBundle({ ...set, rules }, { serial: 1 });
  const document = JSON.parse(Buffer.from(files.get("data.json") ?? []).toString());
  expect(document.holdfast.wording).toEqual({ "p/b": ["", "args.y does not satisfy a"] });
});

test("signing again replaces the signature", () => {
  const once = signed({});
  const twice = signBundle(once, pair().signer);
  expect(twice.ok && said(twice.value)).toBe("verified");
  expect(twice.ok && [...twice.value.keys()]).toEqual([...once.keys()]);
});

test("the digest covers names and bytes of every file but the signature", () => {
  const files = unsigned();
  const digest = bundleDigest(files);
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(bundleDigest(signed({}))).toBe(digest);
  expect(bundleDigest(new Map([...files].reverse()))).toBe(digest);
  expect(bundleDigest(new Map(files).set("data.json", bytes("{}")))).not.toBe(digest);
  expect(bundleDigest(new Map(files).set("more", bytes("")))).not.toBe(digest);
});

test("serials grow with the clock, and against it", () => {
  expect(nextSerial(5, 1_000.9)).toBe(1_000);
  expect(nextSerial(1_000, 1_000)).toBe(1_001);
  expect(nextSerial(2_000, 1_000)).toBe(2_001);
});

test("a key is named by its RFC 7638 thumbprint, and keys of other kinds are refused in words", () => {
  const { signer, keys } = pair();
  const { crv, kty, x, y } = createPublicKey(signer.publicKeyPem).export({ format: "jwk" });
  const thumbprint = createHash("sha256").update(JSON.stringify({ crv, kty, x, y }));
  expect(signer.keyId).toBe(thumbprint.digest("base64url"));
  expect([...keys.keys()]).toEqual([signer.keyId]);
  const publicOf = (of: string): string =>
    createPublicKey(of).export({ type: "spki", format: "pem" }).toString();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1_024 }).privateKey;
  const wrong = [
    newPem("P-384"),
    rsa.export({ type: "pkcs8", format: "pem" }).toString(),
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  ];
  for (const one of wrong) {
    const error = "not a P-256 key; bundles are signed with ES256";
    expect(bundleSigner(one)).toEqual({ ok: false, error });
    expect(bundleKeys([signer.publicKeyPem, publicOf(one)])).toEqual({
      ...{ ok: false, error: "bundle key 2 is not a P-256 key" },
    });
  }
  expect(bundleSigner("x")).toEqual({ ok: false, error: "not a private key in PEM (PKCS#8)" });
  expect(bundleKeys(["x"])).toEqual({
    ...{ ok: false, error: "bundle key 1 is not a public key in PEM" },
  });
});
