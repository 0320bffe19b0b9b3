/** `holdfast failover check` and `lint`: exit codes, and reports that other tools read. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { isJsonObject, type JsonObject, parseJsonStrict } from "../../../src/kernel/index.ts";
import { closedHaproxy, closedNginx } from "../../fixtures/proxy-configs.ts";
import { sampleManifest } from "../../fixtures/sample-manifest.ts";
import { failoverCommand } from "./failover-command.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-check-"));
const home = process.cwd();
beforeEach(() => {
  process.chdir(folder);
  writeFileSync("manifest.yaml", sampleManifest);
  writeFileSync("haproxy.cfg", closedHaproxy);
  writeFileSync(
    "open.cfg",
    closedHaproxy.replace(" disabled", "").replace("192.0.2.10:7080 check", '<&"\u0007" check'),
  );
  writeFileSync("nginx.conf", closedNginx);
  return () => process.chdir(home);
});
afterAll(() => rmSync(folder, { recursive: true }));

function json(text: string): JsonObject {
  const parsed = parseJsonStrict(Buffer.from(text));
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error("no JSON object");
  return parsed.value;
}

test("lint: 0 without traps, 1 with, 2 for what cannot be read or is none of these", async () => {
  expect(await failoverCommand("lint", "haproxy.cfg", "nginx.conf")).toEqual({
    ...{ code: 0, out: "2 files, 0 traps that fail open, 0 to think about\n", err: "" },
  });
  const open = await failoverCommand("lint", "open.cfg");
  expect(open.code).toBe(1);
  expect(open.err).toMatch(
    /^open\.cfg:18:1: error: backend gateways, server fra: .*\n {4}.*\[haproxy-starts-up\]/,
  );
  expect((await failoverCommand("lint", "none.cfg")).code).toBe(2);
  writeFileSync("notes.txt", "hello\n");
  expect((await failoverCommand("lint", "notes.txt")).err).toContain(
    "--kind haproxy|patroni|envoy",
  );
  expect((await failoverCommand("lint", "notes.txt", "--kind", "ngnix")).err).toContain(
    "did you mean nginx?",
  );
  expect(json((await failoverCommand("lint", "haproxy.cfg", "--json")).out)).toEqual({
    ...{ ok: true, files: [{ file: "haproxy.cfg", kind: "haproxy" }], findings: [] },
  });
});

/** What SARIF 2.1.0 demands of a log (sections 3.13, 3.14, 3.18, 3.19, 3.27, 3.29, 3.30), as far as ours goes. */
function sarifFaults(log: JsonObject): readonly string[] {
  const faults: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) faults.push(what);
  };
  must(log["version"] === "2.1.0", "version");
  const runs = log["runs"] as readonly JsonObject[];
  must(Array.isArray(runs) && runs.length > 0, "runs");
  for (const run of runs) {
    const { driver } = run["tool"] as { driver: { name: string; rules: { id: string }[] } };
    must(typeof driver.name === "string" && driver.name !== "", "tool.driver.name");
    must(new Set(driver.rules.map(({ id }) => id)).size === driver.rules.length, "unique rules");
    for (const result of run["results"] as readonly JsonObject[]) {
      const index = result["ruleIndex"] as number;
      must(driver.rules[index]?.id === result["ruleId"], "ruleIndex names ruleId");
      must(["none", "note", "warning", "error"].includes(String(result["level"])), "level");
      const { text } = result["message"] as { text: unknown };
      must(typeof text === "string" && text !== "", "message.text");
      const [location] = result["locations"] as readonly [
        {
          physicalLocation: {
            artifactLocation: { uri: string };
            region: { startLine: number; startColumn: number };
          };
        },
      ];
      const { artifactLocation, region } = location.physicalLocation;
      must(URL.canParse(artifactLocation.uri, "file:///x/"), "uri");
      must(!/[ <>"{}|\\^`]/.test(artifactLocation.uri), "uri characters");
      must(region.startLine >= 1 && region.startColumn >= 1, "region from 1");
    }
  }
  return faults;
}

test("SARIF 2.1.0: its structure, its rules, its places", async () => {
  writeFileSync("my open.cfg", readFileSync("open.cfg"));
  await failoverCommand("lint", "my open.cfg", "--sarif", "lint.sarif");
  const log = json(readFileSync("lint.sarif", "utf8"));
  expect(sarifFaults(log)).toEqual([]);
  expect(JSON.stringify(log)).toContain('"uri":"my%20open.cfg"');
  expect(sarifFaults({ ...log, version: "2.0.0" })).toEqual(["version"]);
});

test("check: all in order is 0, each kind of fault is 1 and in each report", async () => {
  const fine = await failoverCommand("check", "--lint", "haproxy.cfg", "nginx.conf");
  expect(fine.code).toBe(0);
  expect(fine.out).toBe("✓ manifest manifest.yaml\n✓ lint haproxy.cfg\n✓ lint nginx.conf\n");
  expect((await failoverCommand("check", "--strict")).code).toBe(1);
  expect((await failoverCommand("check", "--manifest", "none.yaml")).code).toBe(2);
  writeFileSync(
    "manifest.yaml",
    sampleManifest.replace("depends_on: [gateway]", "depends_on: [gatway]"),
  );
  const reports = ["--junit", "j.xml", "--sarif", "s.sarif"];
  const bad = await failoverCommand("check", "--lint", "open.cfg", ...reports);
  expect(bad.code).toBe(1);
  expect(bad.err).toContain("did you mean gateway? [dependency-unknown]");
  expect(bad.out).toBe("✗ manifest manifest.yaml\n✗ lint open.cfg\n");
  expect(sarifFaults(json(readFileSync("s.sarif", "utf8")))).toEqual([]);
  const xml = readFileSync("j.xml", "utf8");
  expect(xml).toContain('<testsuites name="holdfast failover check" tests="2" failures="2">');
  expect(xml).toContain('<testsuite name="lint" tests="1" failures="1" errors="0" skipped="0">');
  expect(xml).toContain(
    '<failure type="dependency-unknown" message="there is no component gatway">',
  );
  expect(xml.replaceAll("\n", "")).not.toMatch(/\p{Cc}|&(?!(?:amp|lt|gt|quot);)/u);
});

test("check: what is signed must be this manifest, by a trusted key", async () => {
  const signing = ["--signing-key", "ann.pem", "--name", "ann"];
  await failoverCommand("manifest", "sign", "manifest.yaml", ...signing);
  const signed = ["check", "--signed", "manifest.signed.json"];
  expect((await failoverCommand(...signed, "--key", "ann.pem.vkey")).code).toBe(0);
  expect((await failoverCommand(...signed)).code).toBe(1);
  writeFileSync("manifest.yaml", sampleManifest.replace("version: 3", "version: 4"));
  const stale = await failoverCommand(...signed, "--key", "ann.pem.vkey");
  expect(stale.code).toBe(1);
  expect(stale.err).toContain("sign it again [signature-stale]");
  expect(
    (await failoverCommand("check", "--signed", "no.json", "--key", "ann.pem.vkey")).code,
  ).toBe(2);
});

test("check: a component of the infrastructure that the manifest has not is a fault", async () => {
  writeFileSync(
    "compose.yaml",
    "services:\n  spare:\n    image: spare\n    labels: { holdfast.dev/class: audit }\n",
  );
  const found = await failoverCommand("check", "--infrastructure", "compose.yaml");
  expect(found.code).toBe(1);
  expect(found.err).toContain(
    "compose.yaml:2:3: error: service spare is component spare of the infrastructure and not in the manifest",
  );
  expect(found.err).toContain(
    "gateway (enforcement) is in the manifest and in no file of the infrastructure",
  );
  expect(found.out).toContain("✗ completeness manifest.yaml");
});

test("check: a guard that is silent, foreign, drifted or closed is a fault; one in order is not", async () => {
  const digest = /sha256:[0-9a-f]{64}/.exec(
    (await failoverCommand("manifest", "check", "manifest.yaml")).out,
  )?.[0];
  const inOrder = {
    deployment: "trading-agents",
    site: "fra",
    manifest_digest: digest,
    phase: "ready",
    failing: [],
  };
  let status: object = inOrder;
  const server = createServer((_, response) => response.end(JSON.stringify(status)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const check = (): Promise<{ code: number; err: string }> =>
    failoverCommand("check", "--guard", url);
  expect((await check()).code).toBe(0);
  for (const [change, code] of [
    [{ manifest_digest: "sha256:0" }, "guard-drifted"],
    [{ deployment: "other" }, "guard-foreign"],
    [{ site: "iad" }, "guard-foreign"],
    [{ phase: "blocked", failing: [{ component: "kms", because: "no answer" }] }, "gate-closed"],
    [{ phase: "standby", failing: [{ component: "kms", because: "no answer" }] }, "gate-closed"],
    [{ phase: "revoked" }, "gate-closed"],
    [{ phase: undefined }, "gate-closed"],
  ] as const) {
    status = { ...inOrder, ...change };
    const { code: exit, err } = await check();
    expect(exit, code).toBe(1);
    expect(err).toContain(`[${code}]`);
  }
  status = { ...inOrder, phase: "validating" };
  expect(await check()).toMatchObject({ code: 0, err: expect.stringContaining("warning") });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect((await check()).err).toContain("[guard-silent]");
});
