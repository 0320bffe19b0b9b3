/** Signed statements: what DSSE prescribes, what we refuse besides, and that no change of a byte goes unseen. */
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { expect, test } from "vitest";
import { encodeVkey } from "../../../src/audit/index.ts";
import {
  preAuthenticationEncoding as encode,
  type OpenedEnvelope,
} from "../../../src/failover/envelope.ts";
import {
  cosignEnvelope,
  type EnvelopeSigner,
  envelopeVerifiers,
  openEnvelope,
  signEnvelope,
} from "../../../src/failover/index.ts";
import type { JsonObject, Result } from "../../../src/kernel/index.ts";

const payloadType = "application/vnd.holdfast.test.v1+json";
const statement = { site: "fra", epoch: 7, text: "Grüße", nested: { b: [1, 2.5, null], a: true } };

/** A key from 32 bytes, so that what is signed here is the same everywhere (Ed25519 is deterministic). */
function signerOf(name: string, seedHex: string): EnvelopeSigner & { readonly vkey: string } {
  const der = Buffer.from(`302e020100300506032b657004220420${seedHex}`, "hex");
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const vkey = encodeVkey(name, publicKey);
  return { name, publicKey, vkey, sign: (message) => sign(null, message, key) };
}

// The secret key of RFC 8032, section 7.1, test 1.
const alice = signerOf("alice", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
const bob = signerOf("bob", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const signed = signEnvelope(payloadType, statement, alice);

function open(
  envelope: string | JsonObject,
  signers: readonly { readonly vkey: string }[] = [alice],
  threshold?: number,
): Result<OpenedEnvelope, string> {
  const verifiers = envelopeVerifiers(signers.map(({ vkey }) => vkey));
  if (!verifiers.ok) throw new Error(verifiers.error);
  return openEnvelope(envelope, payloadType, verifiers.value, threshold ? { threshold } : {});
}

const [signature] = signed.signatures;
const asJson = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

test("the pre-authentication encoding is that of the protocol's own example", () => {
  const encoded = encode("http://example.com/HelloWorld", Buffer.from("hello world"));
  expect(Buffer.from(encoded).toString()).toBe(
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

test("lengths are bytes, not characters", () => {
  expect(Buffer.from(encode("ü", Buffer.from("ß"))).toString()).toBe("DSSEv1 2 ü 2 ß");
});

test("golden vector: this statement under the key of RFC 8032 is these bytes", () => {
  expect(signed).toEqual({
    payload: Buffer.from(
      '{"epoch":7,"nested":{"a":true,"b":[1,2.5,null]},"site":"fra","text":"Grüße"}',
    ).toString("base64"),
    payloadType,
    signatures: [
      {
        keyid: "alice+d32c1872",
        sig: "cOlU38FhhChhHoijn5D6rpWtfCJPe7uLQc21EuQAZ/DekTeoEjT5MMm98tt03IRDBBjqLzAdS0WPUNAhFQL3Cg==",
      },
    ],
  });
});

test("what was signed is opened, as text and as value", () => {
  const expected = { ok: true, value: { payload: statement, signedBy: [signature?.keyid] } };
  expect(open(JSON.stringify(signed))).toEqual(expected);
  expect(asJson(open(asJson(signed)))).toEqual(expected);
});

test("every byte counts: no envelope with one character changed opens to something else", () => {
  const text = JSON.stringify(signed);
  for (let at = 0; at < text.length; at++) {
    for (const by of ["A", "0", '"', " "]) {
      if (text[at] === by) continue;
      const opened = open(`${text.slice(0, at)}${by}${text.slice(at + 1)}`);
      // The member `keyid` is a hint: under another name it is as good as absent.
      if (opened.ok) expect(opened.value.payload, `${by} at ${at}`).toEqual(statement);
      if (opened.ok) expect(text.slice(at - 6, at + 6)).toContain("key");
    }
  }
});

const refusals: readonly (readonly [string, unknown, string])[] = [
  ["another type", { ...signed, payloadType: "application/vnd.other+json" }, "holds"],
  ["no signature", { ...signed, signatures: [] }, "signed by 0 of 1 trusted keys"],
  ["a stranger's signature", signEnvelope(payloadType, statement, bob), "signatures: bob+"],
  ["no list of signatures", { ...signed, signatures: {} }, "no list `signatures`"],
  ["no payload", { payloadType, signatures: signed.signatures }, "no text `payload`"],
  ["base64 with padding too much", { ...signed, payload: `${signed.payload}=` }, "base64"],
  ["sig with a newline", withSig(`${signature?.sig}\n`), "not canonical base64"],
  ["a short signature", withSig("AAAA"), "does not verify"],
  ["a signature of another text", withSig(sigOf({ other: 1 })), "does not verify"],
  ["a list", [signed], "an envelope is a JSON object"],
];

function withSig(sig: string): unknown {
  return { ...signed, signatures: [{ keyid: signature?.keyid, sig }] };
}

function sigOf(payload: JsonObject): string {
  return signEnvelope(payloadType, payload, alice).signatures[0]?.sig ?? "";
}

test.each(refusals)("refused: %s", (_, envelope, because) => {
  const opened = open(JSON.stringify(envelope));
  expect(opened).toEqual({ ok: false, error: expect.stringContaining(because) });
});

test("a signed payload that is not canonical, or no object, is refused", () => {
  for (const body of ['{"b":1,"a":2}', '{"a": 1}', "[1]", '{"a":1,"a":2}', "{", '{"a":1.0}']) {
    const payload = Buffer.from(body).toString("base64");
    const envelope = cosignEnvelope({ payload, payloadType, signatures: [] }, alice);
    expect(open(JSON.stringify(envelope)).ok, body).toBe(false);
  }
});

test("a member that stands twice is refused; a member nobody knows is ignored, as DSSE demands", () => {
  const text = JSON.stringify(signed);
  expect(open(text.replace("{", '{"payloadType":"x",')).ok).toBe(false);
  expect(open(text.replace("{", '{"note":"x",')).ok).toBe(true);
});

test("a missing key id is an empty one: every trusted key is tried", () => {
  const bare = { ...signed, signatures: [{ sig: signature?.sig }] };
  expect(open(JSON.stringify(bare), [bob, alice]).ok).toBe(true);
  expect(open(JSON.stringify(bare), [bob]).ok).toBe(false);
});

test("a threshold counts keys: signing twice, and a key trusted under two names, count once", () => {
  const twice = cosignEnvelope(signed, alice);
  expect(open(asJson(twice), [alice, bob], 2).ok).toBe(false);
  const alias = { ...alice, name: "eve", vkey: encodeVkey("eve", alice.publicKey) };
  const underTwoNames = cosignEnvelope(signed, alias);
  expect(open(asJson(underTwoNames), [alice, alias, bob], 2).ok).toBe(false);
  const both = open(asJson(cosignEnvelope(signed, bob)), [alice, bob], 2);
  expect(both.ok && both.value.signedBy.map((id) => id.split("+")[0])).toEqual(["alice", "bob"]);
});

test("no threshold below one: nothing counts unsigned", () => {
  const unsigned = asJson({ ...signed, signatures: [] });
  expect(openEnvelope(unsigned, payloadType, [], { threshold: 0 }).ok).toBe(false);
  expect(openEnvelope(unsigned, payloadType, [], { threshold: Number.NaN }).ok).toBe(false);
});

test("a broken signature by a trusted key refuses the whole, whoever else signed", () => {
  const [own] = signed.signatures;
  const broken = { ...signed, signatures: [own, { keyid: own?.keyid, sig: sigOf({ a: 1 }) }] };
  expect(open(JSON.stringify(broken))).toEqual({
    ok: false,
    error: expect.stringContaining("does not verify"),
  });
});

test("a key that is none, and the key of a witness, are refused by name", () => {
  const witness = encodeVkey("w", alice.publicKey, 4);
  for (const vkey of ["nonsense", `${alice.vkey}A`, witness])
    expect(envelopeVerifiers([vkey])).toEqual({ ok: false, error: expect.stringContaining(vkey) });
});
