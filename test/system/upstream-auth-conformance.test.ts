/** The client scenarios of the MCP conformance suite for authorization, with the gateway's own OAuth client. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const suite = path("../../node_modules/@modelcontextprotocol/conformance/dist/index.js");
const client = path("./upstream-auth-client/client.ts");

const everyRevision = [
  "metadata-default",
  "metadata-var1",
  "metadata-var2",
  "metadata-var3",
  "basic-cimd",
  "scope-from-www-authenticate",
  "scope-from-scopes-supported",
  "scope-omitted-when-undefined",
  "scope-step-up",
  "scope-retry-limit",
  "token-endpoint-auth-basic",
  "token-endpoint-auth-post",
  "token-endpoint-auth-none",
  "pre-registration",
];
const since2026 = [
  "resource-mismatch",
  "offline-access-scope",
  "offline-access-not-supported",
  "authorization-server-migration",
  "iss-supported",
  "iss-not-advertised",
  "iss-supported-missing",
  "iss-wrong-issuer",
  "iss-unexpected",
  "iss-normalized",
  "metadata-issuer-mismatch",
];
const scenarios: readonly [string, string | undefined][] = [
  ...everyRevision.map((name) => [name, "2025-11-25"] as const),
  ...[...everyRevision, ...since2026].map((name) => [name, "2026-07-28"] as const),
  ["2025-03-26-oauth-metadata-backcompat", undefined] as const,
  ["client-credentials-basic", undefined] as const,
].map(([name, revision]) => [name, revision]);

for (const [name, revision] of scenarios) {
  test(`auth/${name} ${revision ?? ""}`, async () => {
    const words = [
      "client",
      "--command",
      `${process.execPath} ${client}`,
      "--scenario",
      `auth/${name}`,
    ];
    const version = revision === undefined ? [] : ["--spec-version", revision];
    const run = await promisify(execFile)(process.execPath, [suite, ...words, ...version], {
      timeout: 60_000,
    });
    expect(run.stdout + run.stderr).toMatch(/Passed: (\d+)\/\1, 0 failed[\s\S]*OVERALL: PASSED/);
  });
}
