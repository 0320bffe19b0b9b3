/** The official suite as the upstream: what the composed gateway says to servers, and how it proves itself to them. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

const suite = resolve("node_modules/@modelcontextprotocol/conformance/dist/index.js");
const client = resolve("test/fixtures/conformance-client.ts");

async function judged(scenario: string, version: string): Promise<string> {
  const command = `${process.execPath} ${client}`;
  const args = ["client", "--command", command, "--scenario", scenario, "--spec-version", version];
  const child = spawn(process.execPath, [suite, ...args]);
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
  await new Promise((done) => child.once("close", done));
  return /^Passed: .*$/m.exec(out)?.[0] ?? out;
}

const scenarios = [
  ["2025-11-25", "sse-retry", 3],
  ["2026-07-28", "tools_call", 2],
  ["2026-07-28", "request-metadata", 6],
  ["2026-07-28", "http-standard-headers", 9],
  ["2026-07-28", "http-custom-headers", 18],
  ["2026-07-28", "http-invalid-tool-headers", 12],
  ["2026-07-28", "json-schema-2020-12-preservation", 9],
  ["2026-07-28", "json-schema-ref-no-deref", 1],
  ["2026-07-28", "sep-2322-client-request-state", 5],
  ["2026-07-28", "auth/metadata-default", 19],
  ["2026-07-28", "auth/scope-step-up", 26],
  ["2026-07-28", "auth/iss-wrong-issuer", 8],
] as const;

for (const [version, scenario, checks] of scenarios)
  test(`${scenario} (${version})`, async () => {
    expect(await judged(scenario, version)).toBe(
      `Passed: ${checks}/${checks}, 0 failed, 0 warnings`,
    );
  });
