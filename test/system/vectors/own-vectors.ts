/** Small vectors of our own in the formats of the public sets, each with an edit that makes one expectation wrong. */
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  encodeBundle,
  encodeVkey,
  HashTree,
  leafHash,
  signCheckpoint,
  signNote,
} from "../../../src/audit/index.ts";
import type { ReviewedList } from "../../../tools/vectors/review.ts";
import { authzenCertification, authzenInterop } from "./own-authzen.ts";
import { structuredFields, webBotAuth } from "./own-http-signatures.ts";

export interface OwnVectors {
  /** By path below the folder of all vectors. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** In this file, `from` becomes `to`, and then this set must fail. Absent where nothing of a set is run. */
  readonly plant?: { readonly file: string; readonly from: string; readonly to: string };
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

const yaml: OwnVectors = {
  files: {
    "yaml-test-suite/AAAA.yaml": `
- name: a tab and an anchor
  yaml: |
    a: x———»y
  json: |
    { "a": "x\\ty" }
- yaml: |
    a: &b 1
  tree: ""
- fail: true
  yaml: |
    a: [1
`,
  },
  plant: { file: "yaml-test-suite/AAAA.yaml", from: "x\\ty", to: "x y" },
  reviewed: [{ because: "anchor", cases: ["AAAA/1"], count: 1, reason: "on purpose" }],
};

/** A file in the form of llhttp's tests: titles, what is sent, what the parser says. */
function blocks(
  ...cases: readonly (readonly [title: string, sent: string, log: string])[]
): string {
  return cases
    .map(
      ([title, sent, log]) =>
        `## ${title}\n\n<!-- meta={"type": "request"} -->\n\`\`\`http\n${sent}\n\`\`\`\n\n\`\`\`log\n${log}\n\`\`\`\n`,
    )
    .join("\n");
}

const llhttpRequests: OwnVectors = {
  files: {
    "llhttp-tests/request/own.md": blocks(
      [
        "two in a row",
        "GET /a HTTP/1.1\n\nPOST /b HTTP/1.1\nContent-Length: 2\n\nhi",
        'off=0 message begin\noff=19 message complete\noff=19 message begin\noff=58 len=2 span[body]="hi"\noff=60 message complete',
      ],
      [
        "a length and chunks",
        "POST /b HTTP/1.1\nContent-Length: 2\nTransfer-Encoding: chunked\n\n0\n\n",
        "off=0 message begin\noff=60 error code=11",
      ],
      ["another method", "PURGE /b HTTP/1.1\n\n", "off=0 message begin\noff=21 message complete"],
    ),
  },
  plant: {
    file: "llhttp-tests/request/own.md",
    from: "off=60 message complete",
    to: "off=60 pause",
  },
  reviewed: [{ because: "status_501", cases: ["own/3 *"], count: 1, reason: "no tool" }],
};

const llhttpResponses: OwnVectors = {
  files: {
    "llhttp-tests/response/own.md": blocks(
      [
        "an answer",
        "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
        'off=0 message begin\noff=38 len=2 span[body]="hi"\noff=40 message complete',
      ],
      ["no status", "HTTP/1.1 x\n\n", "off=0 message begin\noff=9 error code=13"],
    ),
  },
  plant: { file: "llhttp-tests/response/own.md", from: '="hi"', to: '="ho"' },
};

const ed25519Bytes = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
const ed25519Hex = ed25519Bytes.toString("hex");
const signedHex = sign(null, Buffer.from("abc"), privateKey).toString("hex");

const signBytes = (message: Uint8Array): Uint8Array => sign(null, message, privateKey);

const tesseraLog: OwnVectors = (() => {
  const signer = {
    name: "log.example/one",
    publicKey: ed25519Bytes,
    sign: signBytes,
  };
  const entries = ["one", "two", "three"].map((entry) => Buffer.from(entry));
  const tree = new HashTree();
  const files: Record<string, string | Uint8Array> = {
    "tessera-testlog/log.vkey": `${encodeVkey(signer.name, ed25519Bytes)}\n`,
    "tessera-testlog/checkpoint.0": signCheckpoint(0, tree.root(), signer),
  };
  entries.forEach((entry, i) => {
    tree.append(leafHash(entry));
    const size = i + 1;
    files[`tessera-testlog/checkpoint.${size}`] = signCheckpoint(size, tree.root(), signer);
    files[`tessera-testlog/tile/0/000.p/${size}`] = tree.tile(0, 0, size);
    files[`tessera-testlog/tile/entries/000.p/${size}`] = encodeBundle(entries.slice(0, size));
  });
  files["tessera-testlog/checkpoint"] = files["tessera-testlog/checkpoint.3"] ?? "";
  return { files, plant: { file: "tessera-testlog/checkpoint.1", from: "\n1\n", to: "\n2\n" } };
})();

function signatures(file: string, publicKeyFields: object, signature: string): OwnVectors {
  const sig = signature.replace(/^../, (first) => (first === "00" ? "01" : "00"));
  const tests = [
    { tcId: 1, comment: "good", msg: "616263", sig: signature, result: "valid" },
    { tcId: 2, comment: "changed", msg: "616263", sig, result: "invalid" },
  ];
  const group = { ...publicKeyFields, tests };
  return {
    files: { [`wycheproof/${file}`]: JSON.stringify({ testGroups: [group] }) },
    plant: { file: `wycheproof/${file}`, from: '"result":"valid"', to: '"result":"invalid"' },
  };
}

const ecdsa = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** The second has the neutral element as its key, which every message fits where it is not refused. */
const cctv: OwnVectors = {
  files: {
    "cctv-ed25519.json": JSON.stringify([
      { number: 0, key: ed25519Hex, sig: signedHex, msg: "abc", flags: null },
      {
        number: 1,
        key: `01${"00".repeat(31)}`,
        sig: `01${"00".repeat(63)}`,
        msg: "abc",
        flags: ["low_order_A", "low_order_R"],
      },
    ]),
  },
  plant: { file: "cctv-ed25519.json", from: '"msg":"abc"', to: '"msg":"abd"' },
};

const noteExample: OwnVectors = (() => {
  const signer = { name: "note.example/one", publicKey: ed25519Bytes, sign: signBytes };
  const note = signNote("An example.\n", signer);
  const vkey = encodeVkey(signer.name, ed25519Bytes);
  const page = `For example, index 1234067 will be encoded as\n\`x001/x234/067\`.\n\n    ${vkey}\n\n\`\`\`\n${note}\`\`\`\n`;
  return {
    files: { "c2sp-specs/note.md": page },
    plant: { file: "c2sp-specs/note.md", from: "An example", to: "No example" },
  };
})();

const naughty: OwnVectors = {
  files: {
    "blns.json": JSON.stringify(["", "plain", "\u001b[31mred\r\n\u0007", "\u202ertl", "名前"]),
  },
  plant: { file: "blns.json", from: "plain", to: " " },
  reviewed: [
    { because: "no_name", cases: ["agent 0"], count: 1, reason: "nobody" },
    { because: "policy", cases: ["reason 0"], count: 1, reason: "no reason" },
  ],
};

const pipelock: OwnVectors = {
  files: { "pipelock-receipts/one.json": "{}" },
  reviewed: [{ because: "other_format", cases: ["one.json"], count: 1, reason: "not ours" }],
};

const wycheproofOther: OwnVectors = {
  files: {
    "wycheproof/ecdsa_secp256r1_sha256_test.json": '{"testGroups":[{"tests":[{"tcId":1}]}]}',
    "wycheproof/mldsa_44_verify_test.json": '{"testGroups":[]}',
  },
  reviewed: [{ because: "other_format", cases: ["ecdsa*"], count: 1, reason: "not ours" }],
};

/** By name of the set. */
export const ownVectors: Readonly<Record<string, OwnVectors>> = {
  "merkle-rfc6962": merkle,
  "tessera-testlog": tesseraLog,
  "c2sp-examples": noteExample,
  "wycheproof-ed25519": signatures(
    "ed25519_test.json",
    { publicKey: { pk: ed25519Hex }, publicKeyDer: "" },
    signedHex,
  ),
  "cctv-ed25519": cctv,
  "wycheproof-es256": signatures(
    "ecdsa_secp256r1_sha256_p1363_test.json",
    {
      publicKey: {},
      publicKeyDer: ecdsa.publicKey.export({ format: "der", type: "spki" }).toString("hex"),
    },
    sign("sha256", Buffer.from("abc"), {
      key: ecdsa.privateKey,
      dsaEncoding: "ieee-p1363",
    }).toString("hex"),
  ),
  "wycheproof-jws": wycheproof("json_web_signature_test.json"),
  "wycheproof-jwk": wycheproof("json_web_key_test.json"),
  "wycheproof-jose": wycheproof("json_web_crypto_test.json"),
  "jose-cookbook": joseCookbook,
  "jwk-thumbprints": thumbprints,
  "structured-fields": structuredFields,
  "web-bot-auth": webBotAuth,
  "json-test-suite": jsonTestSuite,
  "jcs-rfc8785": jcs,
  "yaml-test-suite": yaml,
  "llhttp-requests": llhttpRequests,
  "llhttp-responses": llhttpResponses,
  "authzen-interop": authzenInterop,
  "authzen-certification": authzenCertification,
  "naughty-strings": naughty,
  "pipelock-receipts": pipelock,
  "wycheproof-other": wycheproofOther,
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
