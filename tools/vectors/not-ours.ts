/** Formats that Holdfast does not read. They are counted, so that the table says what was left out. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { declined, type VectorSet } from "./case.ts";

export const pipelockReceipts: VectorSet = {
  name: "pipelock-receipts",
  path: "pipelock-receipts",
  source: "`sdk/conformance` of github.com/luckyPipewrench/pipelock",
  run: (path) =>
    globSync("*.{json,jsonl}", { cwd: path })
      .sort()
      .map((file) => declined(file, "other_format")),
};

export const wycheproofOther: VectorSet = {
  name: "wycheproof-other",
  path: "wycheproof",
  source: "further files of github.com/C2SP/wycheproof, testvectors_v1",
  run: (path) =>
    ["ecdsa_secp256r1_sha256_test.json", "mldsa_44_verify_test.json"].flatMap((file) => {
      const text = readFileSync(join(path, file), "utf8");
      const { testGroups } = JSON.parse(text) as Tests;
      const tests = testGroups.flatMap((group) => group.tests);
      return tests.map(({ tcId }) => declined(`${file} ${tcId}`, "other_format"));
    }),
};

interface Tests {
  readonly testGroups: readonly { readonly tests: readonly { readonly tcId: number }[] }[];
}
