/**
 * 8.1, our reading of AG-403, with real processes: every component that the infrastructure loses is named by the command
 * that CI runs; a manifest that is tampered with, missing, cut or a stranger's lets nobody act.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { manifestPayloadType, signEnvelope } from "../../../src/failover/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { namedSigner } from "../../fixtures/sample-manifest.ts";
import { TwoSites, until } from "../../fixtures/two-sites.ts";

const command = resolve("bin/holdfast.mjs");
const folders: string[] = [];
const worlds: TwoSites[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-manifest-"));
  folders.push(folder);
  return folder;
}

interface Said {
  readonly code: number;
  readonly stderr: string;
}

async function holdfast(cwd: string, ...args: readonly string[]): Promise<Said> {
  const given = [command, "failover", ...args];
  return await promisify(execFile)(process.execPath, given, { cwd }).then(
    ({ stderr }) => ({ code: 0, stderr }),
    (thrown: Said) => thrown,
  );
}

/** A service or a secret without its lines; a check of HAProxy without its line. */
const removals: readonly (readonly [string, string, RegExp])[] = [
  ["gateway", "compose.yaml", /^ {2}gateway:\n(?: {4}.*\n)+/m],
  ["identity", "compose.yaml", /^ {2}identity:\n(?: {4}.*\n)+/m],
  ["payment_key", "compose.yaml", /^ {2}payment_key: .*\n/m],
  ["agent-check-gateways", "haproxy.cfg", / agent-check agent-port 7091/],
  ["gate-check-gateways", "haproxy.cfg", /.*\/gate\/fra\n/],
];

test("AG-403 4.1, 8.1: each component of the infrastructure that is taken away is named, with its line", async () => {
  const folder = temporary();
  cpSync("examples/failover", folder, { recursive: true });
  const files = ["compose.yaml", "haproxy.cfg"];
  const made = await holdfast(
    folder,
    ...["manifest", "generate", ...files, "--base", "base.yaml", "-o", "manifest.yaml"],
  );
  expect(made.code, made.stderr).toBe(0);
  const check = ["check", "--infrastructure", ...files, "--base", "base.yaml"];
  expect((await holdfast(folder, ...check)).code).toBe(0);
  for (const [component, file, lines] of removals) {
    const whole = readFileSync(join(folder, file), "utf8");
    expect(whole).toMatch(lines);
    writeFileSync(join(folder, file), whole.replace(lines, ""));
    const { code, stderr } = await holdfast(folder, ...check);
    writeFileSync(join(folder, file), whole);
    expect(code, component).toBe(1);
    expect(stderr).toMatch(
      new RegExp(
        `^manifest\\.yaml:\\d+:\\d+: error: ${component} \\(\\w+\\) is in the manifest and in no file`,
        "m",
      ),
    );
  }
});

test("AG-403 4.1, 8.1: a manifest that is tampered with, missing, cut or a stranger's lets nobody act", async () => {
  const world = await TwoSites.prepare(temporary());
  worlds.push(world);
  const path = join(world.folder, "manifest.signed.json");
  const right = readFileSync(path, "utf8");
  const envelope = JSON.parse(right) as { payload: string };
  const manifest = JSON.parse(Buffer.from(envelope.payload, "base64").toString()) as JsonObject;
  const stranger = signEnvelope(manifestPayloadType, manifest, namedSigner("stranger"));
  const changed = { ...manifest, not_applicable: [] };
  const payload = Buffer.from(JSON.stringify(changed)).toString("base64");
  await world.startGateway("fra");
  for (const [what, text] of [
    ["tampered with", JSON.stringify({ ...envelope, payload })],
    ["a stranger's", JSON.stringify(stranger)],
    ["cut", right.slice(0, -20)],
    ["not signed", JSON.stringify(manifest)],
    ["missing", undefined],
  ] as const) {
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
    const guard = await world.failover("fra", "guard");
    expect(guard.code, what).toBe(1);
    expect(guard.err, what).toMatch(/manifest/);
    const refused = await world.call("fra", what);
    expect(refused.status, what).toBe(503);
    expect(refused.body).toContain("no_permit");
  }
  expect(world.received()).toEqual([]);
  // With the right one, the same call goes through: nothing else kept it back.
  writeFileSync(path, right);
  await world.startGuard("fra");
  await world.reaches("fra", "ready");
  await until(async () => (await world.call("fra", "right")).status === 200, 20_000);
});
