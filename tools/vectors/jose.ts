/** JOSE: signatures, keys and thumbprints, through `identity/jws.ts`. */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { keySetOf, thumbprint } from "../../src/identity/index.ts";
import { verifyJws } from "../../src/identity/jws.ts";
import type { JsonObject } from "../../src/kernel/index.ts";
import { type Case, declined, failed, judged, passed, type VectorSet } from "./case.ts";

interface Wycheproof {
  readonly testGroups: readonly {
    readonly public?: JsonObject;
    readonly private?: JsonObject;
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      /** Absent where the case is about encryption. */
      readonly jws?: unknown;
      readonly result: "valid" | "invalid";
    }[];
  }[];
}

/** The code of the refusal, if it is refused. */
async function refusalOf(token: string, document: JsonObject): Promise<string | undefined> {
  const keys = keySetOf("keys" in document ? document : { keys: [document] });
  if (!keys.ok) return "no_usable_key";
  const answer = await verifyJws(token, keys.value);
  return answer.ok ? undefined : answer.error.code;
}

function wycheproof(file: string, name: string): VectorSet {
  return {
    name,
    path: `wycheproof/${file}`,
    source: `${file} of github.com/C2SP/wycheproof, testvectors_v1`,
    run: async (path) => {
      const { testGroups } = JSON.parse(readFileSync(path, "utf8")) as Wycheproof;
      const cases: Case[] = [];
      for (const group of testGroups) {
        for (const { tcId, comment, jws, result } of group.tests) {
          const id = `${tcId} ${comment}`;
          if (jws === undefined) {
            cases.push(declined(id, "encryption"));
            continue;
          }
          const token = typeof jws === "string" ? jws : JSON.stringify(jws);
          const refusal = await refusalOf(token, group.public ?? group.private ?? {});
          cases.push(judged(id, result === "valid", refusal));
        }
      }
      return cases;
    },
  };
}

export const wycheproofJws: VectorSet = wycheproof(
  "json_web_signature_test.json",
  "wycheproof-jws",
);
export const wycheproofJwk: VectorSet = wycheproof("json_web_key_test.json", "wycheproof-jwk");
export const wycheproofJose: VectorSet = wycheproof("json_web_crypto_test.json", "wycheproof-jose");

interface Recipe {
  readonly input?: { readonly key?: JsonObject };
  readonly output?: { readonly compact?: string };
}

export const joseCookbook: VectorSet = {
  name: "jose-cookbook",
  path: "jose-cookbook",
  source: "github.com/ietf-jose/cookbook, the examples of RFC 7520, 7797 and 8037",
  run: async (path) => {
    const cases: Case[] = [];
    for (const file of globSync("**/*.json", { cwd: path }).sort())
      cases.push(await recipe(file, JSON.parse(readFileSync(join(path, file), "utf8"))));
    return cases;
  },
};

async function recipe(file: string, content: Recipe & JsonObject): Promise<Case> {
  const id = file.replace(/\.json$/, "");
  if (file.startsWith("jwk/")) return keyAlone(id, content);
  if ("encrypt" in content || "encrypting_content" in content) return declined(id, "encryption");
  const { compact } = content.output ?? {};
  if (compact === undefined) return declined(id, "json_serialization");
  return judged(id, true, await refusalOf(compact, content.input?.key ?? {}));
}

/** A key of the cookbook: taken for verifying when it can verify. */
function keyAlone(id: string, jwk: JsonObject): Case {
  const keys = keySetOf({ keys: [jwk] });
  if (!keys.ok) return declined(id, "no_usable_key");
  const [kept] = keys.value.keys;
  return kept !== undefined && "d" in kept.jwk
    ? failed(id, "its private part is kept")
    : passed(id);
}

interface Thumbprint {
  readonly name: string;
  readonly jwk: string;
  readonly thumbprint: string;
}

export const thumbprints: VectorSet = {
  name: "jwk-thumbprints",
  path: "jwk-thumbprint-vectors.json",
  source: "the RFC 7638 vectors of github.com/cloudflare/web-bot-auth",
  run: (path) =>
    (JSON.parse(readFileSync(path, "utf8")) as Thumbprint[]).map(({ name, jwk, ...expected }) => {
      const ours = thumbprint(JSON.parse(jwk) as JsonObject);
      return ours === expected.thumbprint
        ? passed(name)
        : failed(name, `has thumbprint ${ours} in ${basename(path)}`);
    }),
};
