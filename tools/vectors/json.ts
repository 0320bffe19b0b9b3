/** JSON: what the strict parser takes (JSONTestSuite), and the canonical form of it (RFC 8785). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, parseJsonStrict } from "../../src/kernel/index.ts";
import { type Case, declined, failed, judged, passed, refused, type VectorSet } from "./case.ts";

/** Files begin with `y` (valid), `n` (invalid), or `i` (up to the parser: both are fine, throwing is not). */
export const jsonTestSuite: VectorSet = {
  name: "json-test-suite",
  path: "json-test-suite",
  source: "the `test_parsing` files of github.com/nst/JSONTestSuite",
  run: (path) =>
    readdirSync(path)
      .filter((file) => file.endsWith(".json"))
      .sort()
      .map((file) => {
        const answer = parseJsonStrict(readFileSync(join(path, file)));
        const id = file.replace(/\.json$/, "");
        if (file.startsWith("i")) return answer.ok ? passed(id) : refused(id);
        return judged(id, file.startsWith("y"), answer.ok ? undefined : answer.error.kind);
      }),
};

export const jcs: VectorSet = {
  name: "jcs-rfc8785",
  path: "jcs-rfc8785",
  source: "the `testdata` of github.com/cyberphone/json-canonicalization",
  run: (path) =>
    readdirSync(join(path, "input"))
      .sort()
      .map((file) => canonical(path, file)),
};

function canonical(path: string, file: string): Case {
  const [input, output] = ["input", "output"].map((part) => readFileSync(join(path, part, file)));
  const parsed = parseJsonStrict(input ?? Buffer.of());
  const id = file.replace(/\.json$/, "");
  // Numbers past 2^53, which the strict parser refuses on purpose, still have their canonical form.
  const value = parsed.ok ? parsed.value : JSON.parse(String(input));
  if (canonicalJson(value) !== String(output)) return failed(id, "has another canonical form");
  return parsed.ok ? passed(id) : declined(id, parsed.error.kind);
}
