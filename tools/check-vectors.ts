/**
 * Runs the kernel and identity against public test vectors and prints what came of each. Not part of the tests: the
 * vectors are not ours to ship. `node tools/check-vectors.ts <folder>`, where the folder holds `json-test-suite`
 * (nst/JSONTestSuite test_parsing), `jcs-rfc8785` (cyberphone/json-canonicalization testdata), `wycheproof`
 * (C2SP/wycheproof testvectors_v1) and `jose-cookbook` (ietf-jose/cookbook). Exits 1 on any surprise.
 */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keySetOf } from "../src/identity/index.ts";
import { verifyJws } from "../src/identity/jws.ts";
import { canonicalJson, type JsonObject, parseJsonStrict } from "../src/kernel/index.ts";

const folder = process.argv[2] ?? "vectors";
const surprises: string[] = [];

function report(name: string, verdicts: readonly string[]): void {
  const counts = new Map<string, number>();
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const lines = [...counts].map(([verdict, count]) => `\n  ${verdict}: ${count}`);
  console.log(`${name}${lines.sort().join("")}`);
}

function jsonTestSuite(): void {
  const strict = ["duplicate_key", "unsafe_number", "lone_surrogate"];
  const verdicts = readdirSync(join(folder, "json-test-suite"))
    .filter((file) => file.endsWith(".json"))
    .map((file) => {
      const answer = parseJsonStrict(readFileSync(join(folder, "json-test-suite", file)));
      const [kind = ""] = file;
      if (kind === "n" && answer.ok) surprises.push(`${file} is accepted`);
      if (kind === "y" && !answer.ok && !strict.includes(answer.error.kind)) {
        surprises.push(`${file} is refused: ${answer.error.detail}`);
      }
      return `${kind} ${answer.ok ? "accepted" : answer.error.kind}`;
    });
  report("JSONTestSuite", verdicts);
}

function jcs(): void {
  const inputs = readdirSync(join(folder, "jcs-rfc8785", "input"));
  const verdicts = inputs.map((file) => {
    const read = (part: string): Buffer => readFileSync(join(folder, "jcs-rfc8785", part, file));
    const answer = parseJsonStrict(read("input"));
    // One input holds integers past 2^53, which the strict parser refuses on purpose.
    const value = answer.ok ? answer.value : JSON.parse(read("input").toString());
    const same = canonicalJson(value) === read("output").toString();
    if (!same) surprises.push(`${file} has another canonical form`);
    return `${same ? "equal" : "different"}${answer.ok ? "" : `, parsed leniently (${answer.error.kind})`}`;
  });
  report("RFC 8785", verdicts);
}

interface Group {
  readonly public?: JsonObject;
  readonly private?: JsonObject;
  readonly tests: readonly {
    readonly tcId: number;
    readonly comment: string;
    readonly jws: unknown;
    readonly result: string;
  }[];
}

async function verdictOn(token: string, document: JsonObject): Promise<string> {
  const keys = keySetOf("keys" in document ? document : { keys: [document] });
  if (!keys.ok) return "no usable key";
  const answer = await verifyJws(token, keys.value);
  return answer.ok ? "accepted" : answer.error.code;
}

async function wycheproof(file: string): Promise<void> {
  const text = readFileSync(join(folder, "wycheproof", file), "utf8");
  const { testGroups } = JSON.parse(text) as { readonly testGroups: readonly Group[] };
  const verdicts: string[] = [];
  for (const group of testGroups) {
    for (const { tcId, comment, jws, result } of group.tests) {
      const token = typeof jws === "string" ? jws : JSON.stringify(jws);
      const verdict = await verdictOn(token, group.public ?? group.private ?? {});
      if (result === "invalid" && verdict === "accepted") {
        surprises.push(`${file} ${tcId} ${comment} is accepted`);
      }
      verdicts.push(`${result} ${verdict}`);
    }
  }
  report(file, verdicts);
}

interface Recipe {
  readonly title: string;
  readonly input: { readonly key?: JsonObject };
  readonly output: { readonly compact?: string };
}

async function cookbook(): Promise<void> {
  const verdicts: string[] = [];
  for (const file of globSync(join(folder, "jose-cookbook/{jws,curve25519}/*.json"))) {
    const recipe = JSON.parse(readFileSync(file, "utf8")) as Recipe;
    const { key } = recipe.input;
    const { compact } = recipe.output;
    if (key === undefined || compact === undefined || compact.split(".").length !== 3) continue;
    const verdict = await verdictOn(compact, key);
    verdicts.push(`${key["kty"]} ${verdict}`);
    if (key["kty"] !== "oct" && verdict !== "accepted" && !compact.includes("..")) {
      surprises.push(`${recipe.title} is refused`);
    }
  }
  report("JOSE cookbook", verdicts);
}

jsonTestSuite();
jcs();
await wycheproof("json_web_signature_test.json");
await wycheproof("json_web_key_test.json");
await cookbook();
for (const surprise of surprises) console.log(`surprise: ${surprise}`);
process.exitCode = surprises.length > 0 ? 1 : 0;
