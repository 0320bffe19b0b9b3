/** Signatures without an envelope: Ed25519 of the log and of agents' keys, ES256 of policy bundles. */
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { ed25519Key, verifyEd25519 } from "../../src/kernel/index.ts";
import { verifyEs256 } from "../../src/policy/bundle-signature.ts";
import { type Case, judged, type VectorSet } from "./case.ts";

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk?: string };
    readonly publicKeyDer: string;
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: "valid" | "invalid";
    }[];
  }[];
}

type Verify = (message: Buffer, signature: Buffer) => boolean;

function wycheproof(
  name: string,
  file: string,
  verifier: (group: Wycheproof["testGroups"][number]) => Verify,
): VectorSet {
  return {
    name,
    path: `wycheproof/${file}`,
    source: `${file} of github.com/C2SP/wycheproof, testvectors_v1`,
    run: (path) => {
      const { testGroups } = JSON.parse(readFileSync(path, "utf8")) as Wycheproof;
      return testGroups.flatMap((group) => {
        const verify = verifier(group);
        return group.tests.map(({ tcId, comment, msg, sig, result }): Case => {
          const holds = verify(Buffer.from(msg, "hex"), Buffer.from(sig, "hex"));
          return judged(`${tcId} ${comment}`, result === "valid", holds ? undefined : "no_match");
        });
      });
    },
  };
}

export const wycheproofEd25519: VectorSet = wycheproof(
  "wycheproof-ed25519",
  "ed25519_test.json",
  ({ publicKey }) => {
    const key = ed25519Key(Buffer.from(publicKey.pk ?? "", "hex"));
    return (message, signature) => verifyEd25519(message, key, signature);
  },
);

export const wycheproofEs256: VectorSet = wycheproof(
  "wycheproof-es256",
  "ecdsa_secp256r1_sha256_p1363_test.json",
  ({ publicKeyDer }) => {
    const der = Buffer.from(publicKeyDer, "hex");
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return (message, signature) => verifyEs256(message, key, signature);
  },
);

interface Edge {
  readonly number: number;
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
  readonly flags: readonly string[] | null;
}

/** Flags of signatures that every verifier takes: the equation holds without multiplying by the cofactor. */
const harmless = ["low_order_component_A", "low_order_component_R"];

/** Signatures on which verifiers differ. Expected here: the strict reading, which takes none that two could read differently. */
export const cctvEd25519: VectorSet = {
  name: "cctv-ed25519",
  path: "cctv-ed25519.json",
  source: "ed25519vectors.json of github.com/C2SP/CCTV",
  run: (path) =>
    (JSON.parse(readFileSync(path, "utf8")) as Edge[]).map(({ number, key, sig, msg, flags }) => {
      const holds = verifyEd25519(
        Buffer.from(msg),
        ed25519Key(Buffer.from(key, "hex")),
        Buffer.from(sig, "hex"),
      );
      const strict = (flags ?? []).every((flag) => harmless.includes(flag));
      return judged(`${number} ${flags?.join(" ") ?? ""}`, strict, holds ? undefined : "no_match");
    }),
};
