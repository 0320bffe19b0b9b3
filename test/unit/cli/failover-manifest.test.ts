/** `holdfast failover manifest`: what it says, and its exit codes. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sampleManifest } from "../../fixtures/sample-manifest.ts";
import { failoverCommand } from "./failover-command.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-manifest-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const good = file("good.yaml", sampleManifest);
const bad = file("bad.yaml", sampleManifest.replace("class: kill_switch", "class: killswitch"));
const manifest = (...args: readonly string[]) => failoverCommand("manifest", ...args);

test("check: 0 and the digest, 1 and the place, 2 for what cannot be read", async () => {
  const fine = await manifest("check", good);
  expect(fine).toMatchObject({ code: 0 });
  expect(fine.out).toMatch(
    /trading-agents version 3, 2 sites, 9 components, 4 warnings\ndigest sha256:[0-9a-f]{64}\n/,
  );
  expect((await manifest("check", good, "--strict")).code).toBe(1);
  const broken = await manifest("check", bad);
  expect(broken.code).toBe(1);
  expect(broken.err).toMatch(/bad\.yaml:\d+:\d+: error: .*did you mean kill_switch\?/);
  expect((await manifest("check", join(folder, "none.yaml"))).code).toBe(2);
  const asJson = JSON.parse((await manifest("check", bad, "--json")).out);
  expect(asJson).toMatchObject({ ok: false, diagnostics: [{ line: 75, nearest: "kill_switch" }] });
});

test("show: every site and component, and the defaults", async () => {
  const shown = await manifest("show", good);
  expect(shown.code).toBe(0);
  expect(shown.out).toContain("governance back within 60 s, verdicts last 20 s");
  expect(shown.out).toMatch(/audit-log +audit +audit_canary +echo +block +all +gateway/);
  expect(JSON.parse((await manifest("show", good, "--json")).out).manifest.tenant).toBe("default");
  expect((await manifest("show", bad)).code).toBe(1);
});

test("sign and verify: two people, one file, keys made on first use", async () => {
  const signed = join(folder, "good.signed.json");
  const sign = (name: string) =>
    manifest("sign", good, "--signing-key", join(folder, `${name}.pem`), "--name", name);
  expect((await sign("ann")).out).toContain(`signed by ann+`);
  expect(statSync(join(folder, "ann.pem")).mode & 0o077).toBe(0);
  expect((await sign("ben")).out).toMatch(/signed by ann\+[0-9a-f]{8}, ben\+/);
  await sign("ben");
  expect(JSON.parse(readFileSync(signed, "utf8")).signatures).toHaveLength(2);
  const keys = ["--key", join(folder, "ann.pem.vkey"), join(folder, "ben.pem.vkey")];
  const verified = await manifest("verify", signed, ...keys, "--threshold", "2");
  expect(verified).toMatchObject({ code: 0 });
  const digest = /sha256:[0-9a-f]{64}/.exec(verified.out)?.[0] ?? "";
  expect((await manifest("check", good)).out).toContain(digest);
  expect((await manifest("verify", signed, ...keys, "--digest", digest)).code).toBe(0);
  expect((await manifest("verify", signed, ...keys, "--digest", "sha256:0")).code).toBe(1);
  expect((await manifest("verify", signed, ...keys, "--threshold", "3")).code).toBe(1);
  expect((await manifest("verify", signed, ...keys, "--threshold", "0")).code).toBe(2);
  expect((await manifest("verify", signed, "--key", join(folder, "none"))).code).toBe(2);
  expect((await manifest("show", signed)).out).toContain("nothing was verified here");
});

test("AG-403 4.1, 8.1 (our reading of AG-403): a signed manifest with any byte changed is refused", async () => {
  const signing = ["--signing-key", join(folder, "cy.pem"), "--name", "cy"];
  const signed = join(folder, "cy.json");
  await manifest("sign", good, ...signing, "-o", signed);
  const text = readFileSync(signed, "utf8");
  const key = ["--key", join(folder, "cy.pem.vkey")];
  for (let at = 20; at < text.length; at += 401) {
    const by = text[at] === "A" ? "B" : "A";
    const tampered = file("tampered.json", `${text.slice(0, at)}${by}${text.slice(at + 1)}`);
    expect((await manifest("verify", tampered, ...key)).code, String(at)).toBe(1);
  }
  expect((await manifest("verify", join(folder, "missing.json"), ...key)).code).toBe(2);
});

test("a manifest with faults is not signed", async () => {
  const refused = await manifest(
    "sign",
    bad,
    "--signing-key",
    join(folder, "no.pem"),
    "--name",
    "x",
  );
  expect(refused.code).toBe(1);
  expect(() => statSync(join(folder, "no.pem"))).toThrow();
});

test("diff: order and writing mean nothing; each change of meaning is named by its component", async () => {
  const reordered = sampleManifest
    .replace("controls: [DORA:11, SOX:404]", "controls: [SOX:404, DORA:11]")
    .replace("deployment: trading-agents\n", "")
    .replace("version: 3", "# same\nversion: 3\ndeployment: trading-agents");
  expect(await manifest("diff", good, file("same.yaml", reordered))).toEqual({
    ...{ code: 0, out: "", err: "" },
  });
  const after = sampleManifest
    .replace("class: escalation", "class: escalation\n    latency_ms_max: 900")
    .replace("[systemctl, restart, postgresql]", "[systemctl, postgresql, restart]")
    .replace(/ {2}- name: kms\n(?: {4}.*\n)+/, "")
    .concat("not_applicable: [{ class: encryption, reason: none, approved_by: Dana }]\n");
  const found = await manifest("diff", good, file("after.yaml", after));
  expect(found.code).toBe(1);
  expect(found.out.split("\n").map((line) => line.split(":")[0])).toEqual([
    "- components[kms]",
    "~ components[ledger].remediation.command",
    "~ components[on-call].latency_ms_max",
    "+ not_applicable[encryption]",
    "",
  ]);
  expect((await manifest("diff", good, bad)).code).toBe(2);
});
