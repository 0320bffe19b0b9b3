/** Small vectors of our own in the formats of the public sets, each with an edit that makes one expectation wrong. */
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ReviewedList } from "../../../tools/vectors/review.ts";

export interface OwnVectors {
  /** By path below the folder of all vectors. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** In this file, `from` becomes `to`, and then exactly this set must fail. */
  readonly plant: { readonly file: string; readonly from: string; readonly to: string };
  readonly reviewed?: ReviewedList[string];
}

const hashOfNothing = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=";

/** A tree of one leaf, the empty entry. */
const merkle: OwnVectors = {
  files: {
    "merkle-rfc6962/inclusion/one.json": JSON.stringify({
      leafIdx: 0,
      treeSize: 1,
      root: hashOfNothing,
      leafHash: hashOfNothing,
      proof: [],
      wantErr: false,
    }),
    "merkle-rfc6962/inclusion/longer.json": JSON.stringify({
      leafIdx: 0,
      treeSize: 1,
      root: hashOfNothing,
      leafHash: hashOfNothing,
      proof: [hashOfNothing],
      wantErr: true,
    }),
    "merkle-rfc6962/consistency/same.json": JSON.stringify({
      size1: 1,
      size2: 1,
      root1: hashOfNothing,
      root2: hashOfNothing,
      proof: null,
      wantErr: false,
    }),
    "merkle-rfc6962/subtreeinclusion/later.json": JSON.stringify({
      leafIdx: 1,
      start: 1,
      end: 2,
      root: hashOfNothing,
      leafHash: hashOfNothing,
      proof: [],
      wantErr: false,
    }),
  },
  plant: {
    file: "merkle-rfc6962/inclusion/longer.json",
    from: `"proof":["${hashOfNothing}"]`,
    to: '"proof":[]',
  },
  reviewed: [{ because: "subtree", cases: ["subtree*"], count: 1, reason: "not ours" }],
};

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const jwk = publicKey.export({ format: "jwk" });

function token(header: object, payload = "{}"): string {
  const encoded = [JSON.stringify(header), payload].map((part) =>
    Buffer.from(part).toString("base64url"),
  );
  const signed = encoded.join(".");
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString("base64url")}`;
}

function wycheproof(file: string): OwnVectors {
  const good = token({ alg: "EdDSA" });
  const tests = [
    { tcId: 1, comment: "good", jws: good, result: "valid" },
    { tcId: 2, comment: "not ours", jws: token({ alg: "EdDSA", crit: ["x"] }), result: "invalid" },
    { tcId: 3, comment: "encrypted", jwe: "a.b.c.d.e", result: "valid" },
  ];
  return {
    files: { [`wycheproof/${file}`]: JSON.stringify({ testGroups: [{ public: jwk, tests }] }) },
    plant: { file: `wycheproof/${file}`, from: '"result":"valid"', to: '"result":"invalid"' },
    reviewed: [{ because: "encryption", cases: ["3 *"], count: 1, reason: "no encryption" }],
  };
}

const joseCookbook: OwnVectors = {
  files: {
    "jose-cookbook/jws/one.json": JSON.stringify({
      input: { key: jwk },
      output: { compact: token({ alg: "EdDSA" }) },
    }),
    "jose-cookbook/jwk/key.json": JSON.stringify(privateKey.export({ format: "jwk" })),
  },
  plant: { file: "jose-cookbook/jws/one.json", from: '"x":"', to: '"x":"A' },
};

/** The example of RFC 8037, appendix A.3. */
const thumbprints: OwnVectors = {
  files: {
    "jwk-thumbprint-vectors.json": JSON.stringify([
      {
        name: "rfc8037",
        jwk: '{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}',
        thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
      },
    ]),
  },
  plant: { file: "jwk-thumbprint-vectors.json", from: "kPrK", to: "kPrL" },
};

const jsonTestSuite: OwnVectors = {
  files: {
    "json-test-suite/y_object.json": '{"a":[1,2.5,null]}',
    "json-test-suite/y_twice.json": '{"a":1,"a":2}',
    "json-test-suite/n_comma.json": "[1,]",
    "json-test-suite/i_big.json": "[1e999]",
  },
  plant: { file: "json-test-suite/n_comma.json", from: "[1,]", to: "[1]" },
  reviewed: [{ because: "duplicate_key", cases: ["y_twice"], count: 1, reason: "on purpose" }],
};

const jcs: OwnVectors = {
  files: {
    "jcs-rfc8785/input/order.json": '{ "b": 1.0, "a": "\\u00e9" }',
    "jcs-rfc8785/output/order.json": '{"a":"é","b":1}',
  },
  plant: { file: "jcs-rfc8785/output/order.json", from: '"b":1', to: '"b":1.0' },
};

/** By name of the set. */
export const ownVectors: Readonly<Record<string, OwnVectors>> = {
  "merkle-rfc6962": merkle,
  "wycheproof-jws": wycheproof("json_web_signature_test.json"),
  "wycheproof-jwk": wycheproof("json_web_key_test.json"),
  "wycheproof-jose": wycheproof("json_web_crypto_test.json"),
  "jose-cookbook": joseCookbook,
  "jwk-thumbprints": thumbprints,
  "json-test-suite": jsonTestSuite,
  "jcs-rfc8785": jcs,
};

/** Writes the vectors of every set below `folder`. */
export function writeVectors(folder: string): void {
  for (const { files } of Object.values(ownVectors)) {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  }
}

export function reviewedList(): ReviewedList {
  const lists = Object.entries(ownVectors).map(([name, { reviewed = [] }]) => [name, reviewed]);
  return Object.fromEntries(lists);
}
