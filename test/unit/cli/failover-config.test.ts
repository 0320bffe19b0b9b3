/** `holdfast failover config`: what it prints, and what it asks for where the manifest does not say enough. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { sampleManifest } from "../../fixtures/sample-manifest.ts";
import { failoverCommand, type Said } from "./failover-command.ts";

const folder = mkdtempSync(join(tmpdir(), "failover-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const variables = (site: string, net: number): string =>
  `gateway: 10.${net}.0.1:8443, gate: 10.${net}.0.1:9090, agent_check: 10.${net}.0.1:9091, postgres: 10.${net}.0.1:5432, patroni: 10.${net}.0.1:8008, dns_zone: example.com, dns_name: agents.example.com, peer: ${site}`;

const whole = sampleManifest
  .replace(/variables: \{ gateway: \S+fra[^}]*\}/, `variables: { ${variables("dub", 1)} }`)
  .replace(/variables: \{ gateway: \S+dub[^}]*\}/, `variables: { ${variables("fra", 2)} }`);

let files = 0;
async function config(kind: string, text: string, ...options: readonly string[]): Promise<Said> {
  files += 1;
  const file = join(folder, `${files}.yaml`);
  writeFileSync(file, text);
  return await failoverCommand("config", kind, "--manifest", file, ...options);
}

test("every kind is printed for a manifest that says enough", async () => {
  for (const kind of ["patroni", "dns", "envoy", "nginx"]) {
    const said = await config(kind, whole, "--site", "dub");
    expect([said.code, said.err], kind).toEqual([0, ""]);
    expect(said.out, kind).toContain(kind === "dns" ? "agents.example.com" : "dub");
  }
  const haproxy = await config("haproxy", whole, "--listen", "127.0.0.1:7000");
  expect(haproxy.err).toBe("");
  expect(haproxy.out).toContain("bind 127.0.0.1:7000");
  expect(haproxy.out.match(/^backend .*/gm)).toEqual([
    ...["backend agents_fra", "backend agents_dub", "backend database_fra", "backend database_dub"],
  ]);
});

test("haproxy: a site that residency denies is not in the file at all", async () => {
  const denied = whole.replace(
    "jurisdiction: IE\n    blocs: [EU]",
    "jurisdiction: US-VA\n    blocs: []",
  );
  const said = await config("haproxy", denied);
  expect(said.out).toContain("agents_fra");
  expect(said.out).not.toContain("dub");
});

test("what the manifest lacks is said, with what to do", async () => {
  const plain = await config("haproxy", sampleManifest);
  expect([plain.code, plain.out]).toEqual([1, ""]);
  expect(plain.err).toMatch(/site fra needs the variable gate: .*because guard_url is https/);
  const nobody = await config("envoy", whole);
  expect(nobody.err).toContain("say for which site: --site, one of fra, dub");
  const unknown = await config("envoy", whole, "--site", "iad");
  expect(unknown.err).toContain("the manifest has no site iad; it has fra, dub");
  const images = await config("kubernetes", whole);
  expect(images.err).toContain("no component of class enforcement is verified by kubernetes");
});

test("patroni: a promotion may not wait so long that nobody else is tried", async () => {
  const said = await config("patroni", whole, "--site", "dub", "--budget", "25", "--ttl", "30");
  expect(said.code).toBe(1);
  expect(said.err).toContain("from 1 to 24 s under a ttl of 30 s, not 25");
});

test("the linter for fail-open traps has nothing against what is printed", async () => {
  for (const [kind, name] of [
    ["haproxy", "haproxy.cfg"],
    ["nginx", "nginx.conf"],
    ["envoy", "envoy.yaml"],
    ["patroni", "patroni.yml"],
  ] as const) {
    const printed = await config(kind, whole, ...(kind === "haproxy" ? [] : ["--site", "dub"]));
    const file = join(folder, name);
    writeFileSync(file, kind === "patroni" ? (printed.out.split("---\n")[0] ?? "") : printed.out);
    const said = await failoverCommand("lint", file);
    expect([said.code, said.err], `${kind}: ${said.out}`).toEqual([0, ""]);
  }
});
