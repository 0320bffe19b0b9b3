/** AG-403 4.6, 4.7, 4.9: from the log of a guard and the folder of drills to a pack, its verification, reports and conformance. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/clock/index.ts";
import { openDisk } from "../../../src/adapters/disk/index.ts";
import { encodeVkey, type FailoverEntry } from "../../../src/audit/index.ts";
import {
  componentClasses,
  drillPayloadType,
  manifestPayloadType,
  signEnvelope,
} from "../../../src/failover/index.ts";
import { type JsonObject, sha256Hex } from "../../../src/kernel/index.ts";
import { openLedger } from "../../../src/ledger/index.ts";
import type { Signer } from "../../../src/ports.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { manifest as sample } from "../failover/drill/experiments.ts";
import { journal } from "../failover/evidence/evidence.ts";
import { failoverCommand } from "./failover-command.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-evidence-cli-"));
const at = (path: string): string => join(folder, path);
const people = simSigner("people.example", new Random(21));
const guard = simSigner("dub.guard.holdfast", new Random(22));
const drills = simSigner("drills.example", new Random(23));
const auditor = simSigner("auditor.example", new Random(24));
const vkeyOf = ({ name, publicKey }: Signer): string => encodeVkey(name, publicKey);

const origin = { instance: "guard", site: "dub", epoch: 7 };

function step(name: string, time: string, about: JsonObject): FailoverEntry {
  return {
    ...{ v: 1, kind: "failover", time, tenant: "acme", ...origin },
    ...{ failover: "fo-1", deployment: "trading-agents", step: name, about },
  };
}

function compared(time: string, drifts: JsonObject[]): FailoverEntry {
  const about = { site: "dub", acting: "fra", compared: time, drifts };
  return { ...step("compared", time, about), failover: "-" };
}

const start = {
  ...{ failover: "fo-1", deployment: "trading-agents", tenant: "acme", site: "dub" },
  ...{ planned: false, mechanism: "patroni", cause: "the leader was lost", detector: "patroni" },
  ...{ source_site: "fra", target_site: "dub", initiated: "2026-05-01T10:00:00.000Z" },
};

async function ledger(path: string, signer: Signer) {
  const opened = await openLedger({
    ...{ disk: openDisk(at(path)), signer, clock: systemClock, tenant: "acme", origin },
    holdfastVersion: "0.0.0",
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

beforeAll(async () => {
  const log = await ledger("guard/log", guard);
  await log.append(step("opened", "2026-05-01T10:00:01.000Z", start));
  await log.append(step("validating", "2026-05-01T10:00:02.000Z", {}));
  const validated = { manifest_digest: "sha256:m", answers: [], residency: [], watermark: [] };
  await log.append(step("validated", "2026-05-01T10:00:03.000Z", validated));
  await log.append(step("ready", "2026-05-01T10:00:03.000Z", { grt_ms: 3_000 }));
  await log.append(step("closed", "2026-05-01T10:00:04.000Z", { outcome: "resumed" }));
  const drift = { of: "haproxy.cfg", here: "sha256:1", there: "sha256:2" };
  await log.append(compared("2026-05-01T09:00:00.000Z", [drift]));
  await log.append(compared("2026-05-01T09:05:00.000Z", []));
  await log.close();
  await (await ledger("drills/log", drills)).close();
  const held = { ...journal("dr-1"), holdfast: { ...journal("dr-1").holdfast, log_index: 0 } };
  const envelope = signEnvelope(drillPayloadType, held as unknown as JsonObject, drills);
  await openDisk(at("drills")).replace("journals/dr-1.json", Buffer.from(JSON.stringify(envelope)));
  writeFileSync(at("manifest.json"), JSON.stringify(signedManifest()));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function signedManifest(): object {
  const components = [{ ...sample.components[0], verify: { kind: "tcp", address: "{site}:1" } }];
  const rest = componentClasses.filter((each) => each !== "audit");
  const complete = {
    ...sample,
    sites: sample.sites.map((site, i) => {
      return { ...site, guard_key: vkeyOf(simSigner(`${site.id}.guard`, new Random(30 + i))) };
    }),
    residency: [{ data_class: "orders", jurisdictions: ["EU"], transfers: [] }],
    components: components.map((each) => ({ ...each, sites: [] })),
    not_applicable: rest.map((each) => ({ class: each, reason: "a test", approved_by: "me" })),
  };
  return signEnvelope(manifestPayloadType, complete as unknown as JsonObject, people);
}

const sources = (): string[] => [
  ...["--manifest", at("manifest.json"), "--manifest-key", vkeyOf(people)],
  ...["--guard-log", at("guard/log"), "--drills", at("drills"), "--owner", "sre@example.com"],
  ...["--signing-key", at("pack.pem"), "--name", "pack.example"],
];

async function pack(name: string): Promise<string> {
  const made = await failoverCommand("evidence", ...sources(), "--out", at(name), "--json");
  expect(made.code, made.err).toBe(0);
  return (JSON.parse(made.out) as { key: string }).key;
}

test("a pack is made of what verifies, the same bytes again, and verifies; one bit more and it does not", async () => {
  const key = await pack("one.tar");
  await pack("two.tar");
  expect(readFileSync(at("one.tar")).equals(readFileSync(at("two.tar")))).toBe(true);
  const verified = await failoverCommand("evidence", "verify", at("one.tar"), "--key", key);
  expect(verified).toMatchObject({ code: 0, err: "" });
  expect(verified.out).toContain("verified: acme/trading-agents, as of 2026-05-02T10:00:00.000Z");
  const bytes = readFileSync(at("one.tar"));
  // In a header, where only time and owner stand: no content changes.
  bytes[140] = (bytes[140] ?? 0) ^ 1;
  writeFileSync(at("spoiled.tar"), bytes);
  expect((await failoverCommand("evidence", "verify", at("spoiled.tar"), "--key", key)).code).toBe(
    1,
  );
  const other = await failoverCommand("evidence", "verify", at("one.tar"), "--key", vkeyOf(guard));
  expect(other.code).toBe(1);
});

test("a pack needs an owner, and takes no log that was tampered with", async () => {
  const without = sources().filter((each) => each !== "--owner" && each !== "sre@example.com");
  const unowned = await failoverCommand("evidence", ...without, "--out", at("x.tar"));
  expect(unowned).toMatchObject({ code: 2, err: /--owner/ });
  const path = at("guard/log/tile/entries/000.p/8");
  const original = readFileSync(path);
  writeFileSync(path, Buffer.from(original).fill(48, 100, 101));
  const refused = await failoverCommand("evidence", ...sources(), "--out", at("x.tar"));
  writeFileSync(path, original);
  expect(refused).toMatchObject({ code: 2, err: /the log in/ });
});

test("reports come from a verified pack only; every regulation in every form", async () => {
  const key = await pack("one.tar");
  const from = ["--pack", at("one.tar"), "--key", key];
  const dora = await failoverCommand("report", "--regulation", "dora", ...from);
  expect(dora.code, dora.err).toBe(0);
  expect(dora.out).toContain("## DORA");
  expect(dora.out).toMatch(/Evidence: record fo-1, log entry 1/);
  expect(dora.out).toContain("Evidence: drill dr-1");
  for (const format of ["md", "html", "json"])
    expect(
      (await failoverCommand("report", "--regulation", "all", ...from, "--format", format)).code,
    ).toBe(0);
  const spoiled = await failoverCommand(
    "report",
    "--regulation",
    "dora",
    ...from.slice(0, 2),
    "--key",
    vkeyOf(guard),
  );
  expect(spoiled.code).toBe(2);
});

test("AG-403 4.8: drift and its end are in the pack and in reports, from the log of the guard alone", async () => {
  const key = await pack("one.tar");
  const listed = ["evidence", "list", at("one.tar"), "--key", key, "--role", "auditor"];
  expect((await failoverCommand(...listed, "--to", at("audited"))).code).toBe(0);
  const differs = "haproxy.cfg is sha256:1 here and sha256:2 there";
  const drifted = { acting: "fra", site: "dub", compared: "2026-05-01T09:00:00.000Z" };
  expect(JSON.parse(readFileSync(at("audited/parity.json"), "utf8"))).toEqual([
    { ...drifted, equal: false, drifted: [differs], log_index: 6 },
    { ...drifted, compared: "2026-05-01T09:05:00.000Z", equal: true, drifted: [], log_index: 7 },
  ]);
  const report = await failoverCommand(
    ...["report", "--regulation", "all", "--pack", at("one.tar"), "--key", key],
  );
  expect(report.out).toContain("Evidence: parity dub 2026-05-01T09:05:00.000Z, log entry 7");
});

test("OSCAL in the pack is checked; what roles may read is written out, and nothing else", async () => {
  const key = await pack("one.tar");
  const listed = await failoverCommand(
    ...[
      "evidence",
      "list",
      at("one.tar"),
      "--key",
      key,
      "--role",
      "regulator",
      "--to",
      at("out"),
      "--json",
    ],
  );
  const rows = JSON.parse(listed.out) as {
    path: string;
    readable: boolean;
    expires: string | null;
  }[];
  const readable = rows.filter((row) => row.readable).map(({ path }) => path);
  expect(readable).toContain("records/fo-1.json");
  expect(readable).not.toContain("probes.json");
  expect(rows.find(({ path }) => path === "records/fo-1.json")?.expires).toMatch(/^2032/);
  const oscal = at("out/oscal/assessment-results.json");
  expect((await failoverCommand("evidence", "oscal", oscal)).code).toBe(0);
  expect(() => readFileSync(at("out/probes.json"))).toThrow();
});

const ids = ["4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10"];

test("conformance: from results of tests, advanced only with an attestation of exactly these results", async () => {
  const assertionResults = ids.map((id) => ({ fullName: `AG-403 ${id}: holds`, status: "passed" }));
  const file = { name: "/p/test/system/failover/x.test.ts", status: "passed", assertionResults };
  writeFileSync(at("results.json"), JSON.stringify({ testResults: [file] }));
  const given = ["conformance", "--results", at("results.json"), "--root", "/p", "--json"];
  const level = async (...more: string[]): Promise<string> => {
    const said = await failoverCommand(...given, ...more);
    return said.out === "" ? said.err : (JSON.parse(said.out) as { level: string }).level;
  };
  expect(await level()).toBe("intermediate");
  const digest = `sha256:${sha256Hex(readFileSync(at("results.json")))}`;
  const type = "application/vnd.holdfast.attestation.v1+json";
  const attest = (results: string[], signer: Signer): string[] => {
    const envelope = signEnvelope(type, { party: "An Auditor", results }, signer);
    writeFileSync(at("attestation.json"), JSON.stringify(envelope));
    return ["--attestation", at("attestation.json"), "--attestation-key", vkeyOf(auditor)];
  };
  expect(await level(...attest([digest], auditor))).toBe("advanced");
  expect(await level(...attest(["sha256:other"], auditor))).toMatch(/other results/);
  expect(await level(...attest([digest], people))).toMatch(/signed by 0 of 1/);
});
