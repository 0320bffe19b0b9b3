import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import {
  type BundleFiles,
  type BundleKeys,
  type BundleSigner,
  buildBundle,
  bundleKeys,
  bundleSigner,
  compile,
  type PolicySet,
  revisionOf,
  signBundle,
  verifyBundle,
} from "../../../src/policy/index.ts";
import { runsOf } from "../../fixtures/effort.ts";
import { policySet } from "./generate.ts";

interface KeyPair {
  readonly signer: BundleSigner;
  readonly keys: BundleKeys;
}

function newKey(): KeyPair {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = bundleSigner(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  if (!signer.ok) throw new Error(signer.error);
  const keys = bundleKeys([signer.value.publicKeyPem]);
  if (!keys.ok) throw new Error(keys.error);
  return { signer: signer.value, keys: keys.value };
}

const set: PolicySet = {
  formatVersion: 3,
  rules: [
    {
      id: "b/second",
      match: { tools: ["pay:*"] },
      when: {
        op: "compare",
        how: ">",
        left: { op: "field", of: { op: "root", name: "args" }, name: "amount" },
        right: { op: "literal", value: 50_000 },
      },
      outcome: "approval_needed",
      obligations: [],
      onFailure: "deny",
      reason: "a person looks at payments over 50,000",
      source: "pay.yaml:3",
    },
    {
      id: "a/first",
      match: {},
      outcome: "allow",
      obligations: [{ kind: "require", path: ["iban"], pattern: "^[A-Z]{2}", required: true }],
      onFailure: "deny",
      reason: "line\u2028separators, \u{1f600} and \uffff are text too",
      source: "pay.yaml:9",
    },
  ],
  tools: [],
  limits: [],
};

let pair: KeyPair;
let signed: BundleFiles;

beforeAll(() => {
  pair = newKey();
  const result = signBundle(buildBundle(set, { serial: 1 }), pair.signer);
  if (!result.ok) throw new Error(result.error.detail);
  signed = result.value;
});

function refusal(files: BundleFiles, keys: BundleKeys = pair.keys): string {
  const verified = verifyBundle(files, keys);
  return verified.ok ? "verified" : `${verified.error.kind}: ${verified.error.detail}`;
}

test("what was signed is what is loaded, with its revision", () => {
  const verified = verifyBundle(signed, pair.keys);
  expect(verified).toMatchObject({ ok: true, value: { revision: revisionOf(set) } });
  const rules = verified.ok ? verified.value.set.rules : [];
  expect(rules.map(({ id }) => id)).toEqual(["a/first", "b/second"]);
  expect(JSON.parse(JSON.stringify(rules[1]))).toEqual(set.rules[0]);
});

test("any policy set survives the bundle", () => {
  fc.assert(
    fc.property(policySet, (made) => {
      const result = signBundle(buildBundle(made, { revision: "r1", serial: 1 }), pair.signer);
      const verified = result.ok ? verifyBundle(result.value, pair.keys) : result;
      expect(verified).toMatchObject({ ok: true, value: { revision: "r1" } });
      if (verified.ok)
        expect(revisionOf(JSON.parse(JSON.stringify(verified.value.set)))).toBe(revisionOf(made));
    }),
    { numRuns: runsOf(100) },
  );
});

test("who must approve is signed, and part of the revision", () => {
  const approval = {
    approvers: [{ groups: ["payments-leads"], count: 2 }],
    expiresAfterSeconds: 900,
    useWithinSeconds: 300,
    batch: false,
  };
  const asking = (count: number): PolicySet => ({
    ...set,
    rules: set.rules.map((rule) =>
      rule.outcome === "approval_needed"
        ? { ...rule, approval: { ...approval, approvers: [{ groups: ["payments-leads"], count }] } }
        : rule,
    ),
  });
  expect(revisionOf(asking(2))).not.toBe(revisionOf(asking(1)));
  const made = signBundle(buildBundle(asking(2), { serial: 1 }), pair.signer);
  if (!made.ok) throw new Error(made.error.detail);
  const verified = verifyBundle(made.value, pair.keys);
  const carried = verified.ok && compile(verified.value.set, "r").approvalOf(["b/second"], "high");
  expect(carried).toEqual(approval);
  const relaxed = Buffer.from(made.value.get("data.json") ?? [])
    .toString()
    .replace('"count":2', '"count":1');
  expect(refusal(new Map(made.value).set("data.json", Buffer.from(relaxed)))).toMatch(
    /^changed_file: data.json/,
  );
});

test("the revision depends on what the policy says, not on the order of its rules", () => {
  const reversed = { ...set, rules: set.rules.toReversed() };
  expect(revisionOf(reversed)).toBe(revisionOf(set));
  expect(buildBundle(reversed, { serial: 1 })).toEqual(buildBundle(set, { serial: 1 }));
  expect(revisionOf({ ...set, rules: set.rules.slice(1) })).not.toBe(revisionOf(set));
  expect(revisionOf(set)).toMatch(/^sha256:[0-9a-f]{16}$/);
});

test("a bundle without a serial that could grow is refused", () => {
  expect(verifyBundle(signed, pair.keys)).toMatchObject({ ok: true, value: { serial: 1 } });
  for (const serial of [0, -1, 1.5, Number.NaN, undefined as unknown as number]) {
    const manifest = { revision: "r", metadata: { serial: Number.isNaN(serial) ? "1" : serial } };
    const files = new Map(buildBundle(set, { serial: 1 }));
    files.set(".manifest", Buffer.from(JSON.stringify(manifest)));
    const made = signBundle(files, pair.signer);
    expect(made.ok && refusal(made.value)).toBe(
      "malformed: .manifest: metadata.serial is no whole number from 1",
    );
  }
});

test("an unsigned bundle is refused", () => {
  expect(refusal(buildBundle(set, { serial: 1 }))).toMatch(/^unsigned: /);
});

test("a bundle signed by another key is refused, and the key is named", () => {
  const other = newKey();
  expect(refusal(signed, other.keys)).toContain(`unknown_key: the bundle is signed by key`);
  const forged = signBundle(buildBundle(set, { serial: 1 }), {
    ...other.signer,
    keyId: pair.signer.keyId,
  });
  expect(forged.ok && refusal(forged.value)).toMatch(/^bad_signature/);
});

test("every changed byte of every file is found", () => {
  for (const [path, bytes] of signed) {
    for (const at of [0, bytes.length >> 1, bytes.length - 2]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(refusal(new Map(signed).set(path, changed)), `${path} at ${at}`).not.toBe("verified");
    }
  }
  const relaxed = Buffer.from(signed.get("data.json") ?? [])
    .toString()
    .replace("50000", "50001");
  expect(refusal(new Map(signed).set("data.json", Buffer.from(relaxed)))).toBe(
    "changed_file: data.json is not what was signed (digest mismatch)",
  );
});

test("an extra file is refused, a missing one too", () => {
  expect(refusal(new Map(signed).set("holdfast/extra.rego", Buffer.from("package holdfast")))).toBe(
    "unlisted_file: holdfast/extra.rego is in the bundle but was not signed",
  );
  const less = new Map(signed);
  less.delete("holdfast/value.rego");
  expect(refusal(less)).toBe("missing_file: holdfast/value.rego was signed but is missing");
});

test("signatures of another algorithm, two signatures, and no token are refused", () => {
  const with_ = (document: unknown): BundleFiles =>
    new Map(signed).set(".signatures.json", Buffer.from(JSON.stringify(document)));
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const none = `${part({ alg: "none", kid: pair.signer.keyId })}.${part({ files: [] })}.`;
  expect(refusal(with_({ signatures: [none] }))).toMatch(/^bad_signature: .*only ES256/);
  expect(refusal(with_({ signatures: ["a.b.c", "a.b.c"] }))).toMatch(/^malformed/);
  expect(refusal(with_({ signatures: [] }))).toMatch(/^malformed/);
  expect(refusal(with_({ signatures: ["nonsense"] }))).toMatch(/^malformed/);
});

test("keys of other kinds are refused with a word what to do", () => {
  const ed = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  expect(bundleSigner(ed.toString())).toMatchObject({ ok: false });
  expect(bundleSigner("nonsense")).toMatchObject({ ok: false });
  expect(bundleKeys(["nonsense"])).toMatchObject({ ok: false });
});
