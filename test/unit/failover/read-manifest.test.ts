/** AG-403 4.1: a manifest is complete and every fault in it has a place, or it is not used. */
import { expect, test } from "vitest";
import { manifestReader } from "../../../src/cli/index.ts";
import { componentClasses, type Manifest } from "../../../src/failover/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";
import { namedSigner, sampleManifest } from "../../fixtures/sample-manifest.ts";

const reader = await manifestReader();
const now = "2026-11-25T12:00:00Z";

async function faults(text: string, severity = "error"): Promise<readonly string[]> {
  const { diagnostics } = reader.read("m.yaml", text, now);
  return diagnostics.filter((one) => one.severity === severity).map(formatDiagnostic);
}

async function sample(): Promise<Manifest> {
  const { manifest, diagnostics } = reader.read("m.yaml", sampleManifest, now);
  if (manifest === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
  return manifest;
}

/** The sample with `from` replaced by `to`; the place must exist. */
function changed(from: string | RegExp, to: string): string {
  const text = sampleManifest.replace(from, to);
  expect(text).not.toBe(sampleManifest);
  return text;
}

/** The sample without the component of this name. */
function without(component: string): string {
  return changed(new RegExp(`  - name: ${component}\\n(?:    .*\\n)+`), "");
}

test("the sample is read without an error, and every default is filled in", async () => {
  const manifest = await sample();
  expect(manifest).toMatchObject({
    tenant: "default",
    mode: "active_passive",
    profiles: [],
    objectives: {
      grto_seconds: 60,
      rto_seconds: 30,
      verdict_ttl_seconds: 20,
      validation_seconds: 10,
      remediation_seconds: 15,
      drill_days: 90,
      parity_seconds: 10,
    },
    break_glass: { quorum: 2, keys: [], seconds_max: 900, overrides_residency: false },
    not_applicable: [],
    generated_from: [],
  });
  expect(manifest.components[0]).toMatchObject({
    ...{ latency_ms_max: 2000, on_failure: "block", sites: [], depends_on: [], covers: [] },
  });
  expect(manifest.components[2]?.verify).toMatchObject({
    binding: "echo",
    expect: { status: [200] },
  });
});

test("what is bound by its address only is named, and so is a sink that cannot check epochs", async () => {
  const named = await faults(changed("fencing: epoch", "fencing: none"), "warning");
  const about = named.map((line) => line.split(" ").slice(0, 3).join(" "));
  expect(named.filter((line) => line.includes("by its address only"))).toHaveLength(4);
  expect(named.join("\n")).toContain("the sink ledger cannot refuse writes of an old epoch");
  expect(about.every((line) => /^m\.yaml:\d+:\d+: warning:/.test(line))).toBe(true);
});

const words: readonly (readonly [string, string | RegExp, string, string])[] = [
  [
    "an unknown field",
    "failover_order: 1",
    "failover_ordr: 1",
    'unknown field "failover_ordr"; did you mean failover_order?',
  ],
  ["an unknown class", "class: kill_switch", "class: killswitch", "did you mean kill_switch?"],
  [
    "an unknown kind",
    "kind: escalation_echo",
    "kind: escalation",
    "expected one of http, grpc_health",
  ],
  ["a kind with a slip", "kind: dns", "kind: dsn", "did you mean dns?"],
  ["a slip in on_failure", "on_failure: alert", "on_failure: alrt", "did you mean alert?"],
  ["a tier with a slip", "degrade: reads_only", "degrade: read_only", "did you mean reads_only?"],
  ["a missing field", "    role: primary\n", "", 'the field "role" is missing'],
  [
    "a field of another kind",
    'url: "https://id.{site}.example.com/healthz"',
    "address: x",
    'unknown field "address"',
  ],
  [
    "a lifetime over 30 s",
    "version: 3\n",
    "version: 3\nobjectives: { verdict_ttl_seconds: 31 }\n",
    "must be <= 30",
  ],
  [
    "a lifetime under 10 s",
    "version: 3\n",
    "version: 3\nobjectives: { verdict_ttl_seconds: 9 }\n",
    "must be >= 10",
  ],
  [
    "a secret in the manifest",
    "connection: { env: LEDGER_URL }",
    'connection: "postgres://u:p@h/d"',
    "must be object",
  ],
  [
    "two ways to check",
    "check: { synchronous_min: 1 }",
    "check: { synchronous_min: 1, slot: cdc }",
    "exactly one of query, slot",
  ],
  [
    "a jurisdiction that is none",
    "jurisdiction: IE",
    "jurisdiction: Ireland",
    "ISO 3166-1 alpha-2",
  ],
  [
    "drills rarer than quarterly",
    "version: 3\n",
    "version: 3\nobjectives: { drill_days: 120 }\n",
    "must be <= 92",
  ],
  ["a key twice", "deployment: trading-agents", "deployment: a\ndeployment: b", "stands twice"],
];

test.each(words)("refused by the schema, with its place: %s", async (_, from, to, said) => {
  const found = await faults(changed(from, to));
  expect(found.join("\n")).toContain(said);
  expect(found[0]).toMatch(/^m\.yaml:\d+:\d+: error: /);
});

const senses: readonly (readonly [string, string | RegExp, string, string])[] = [
  [
    "alert for enforcement",
    "    controls: [DORA:11",
    "    on_failure: alert\n    controls: [DORA:11",
    "m.yaml:33:17: error: alert is forbidden for the class enforcement",
  ],
  [
    "a dependency that is not there",
    "depends_on: [gateway]",
    "depends_on: [gatway]",
    "there is no component gatway; did you mean gateway?",
  ],
  [
    "a cycle",
    "    controls: [DORA:11",
    "    depends_on: [audit-log]\n    controls: [DORA:11",
    "these wait for one another: gateway → audit-log → gateway",
  ],
  ["itself", "depends_on: [gateway]", "depends_on: [audit-log]", "audit-log → audit-log"],
  ["a component twice", "name: kms", "name: names", "the component names is listed twice"],
  ["a site twice", "id: dub", "id: fra", "the site fra is listed twice"],
  [
    "two primaries",
    "role: target",
    "role: primary",
    "active_passive has exactly one primary; there are 2",
  ],
  ["no primary", "role: primary", "role: target", "there are 0"],
  [
    "one key for two guards",
    /guard_key: guard-dub.*/,
    `guard_key: ${namedSigner("guard-fra").vkey}`,
    "the guard key guard-fra+",
  ],
  [
    "a key that is none",
    /guard_key: guard-dub\+.{4}/,
    "guard_key: guard-dub+0000",
    "its key id belongs to another key",
  ],
  [
    "an unknown site of a component",
    "    class: ledger\n",
    "    class: ledger\n    sites: [fra, dbu]\n",
    "there is no site dbu; did you mean dub?",
  ],
  [
    "a variable one site lacks",
    "variables: { gateway: https://gateway.dub.example.com, peer: fra }",
    "variables: { peer: fra }",
    "nothing is known of {gateway}. Known at site dub",
  ],
  [
    "a variable of the guard's own",
    "peer: fra }",
    "peer: fra, nonce: x }",
    "{nonce} is filled in by the guard",
  ],
  [
    "one verification over all time",
    "    class: ledger\n",
    "    class: ledger\n    latency_ms_max: 10001\n",
    "longer than validation as a whole",
  ],
  [
    "verdicts that end before the next",
    "version: 3\n",
    "version: 3\nobjectives: { validation_seconds: 20 }\n",
    "ends before the next one is there",
  ],
  [
    "comparisons that are too old before the next",
    "version: 3\n",
    "version: 3\nobjectives: { parity_seconds: 30, parity_age_seconds: 59 }\n",
    "let parity_age_seconds be at least twice parity_seconds",
  ],
  [
    "remediation over its budget",
    "timeout_seconds: 5",
    "timeout_seconds: 16",
    "longer than all remediation",
  ],
  [
    "a residency rule of nowhere",
    "jurisdictions: [EU]\ncomponents",
    "jurisdictions: [EU, UE]\ncomponents",
    "no site is in UE; did you mean",
  ],
  [
    "a primary that may not hold the data",
    "jurisdictions: [EU]",
    "jurisdictions: [IE]",
    "the primary fra (DE, EU) may itself not hold trades",
  ],
  ["residency without a rule", /residency:\n.*\n.*\n/, "", "no residency rule for it to keep"],
  [
    "one address for every site",
    'https://id.{site}.example.com/healthz"',
    'https://id.example.com/healthz", binding: address',
    "an old primary could",
  ],
  [
    "fewer keys than must sign",
    "sinks:\n",
    `break_glass: { keys: ["${namedSigner("ann").vkey}"] }\nsinks:\n`,
    "2 people must sign, and there are 1 keys",
  ],
  [
    "a guard among the people",
    "sinks:\n",
    `break_glass: { keys: ["${namedSigner("guard-fra").vkey}", "${namedSigner("ann").vkey}"] }\nsinks:\n`,
    "break-glass is for people",
  ],
  [
    "a word that no profile knows",
    "    controls: [DORA:11",
    "    covers: [position]\n    controls: [DORA:11",
    "no profile asks for position; did you mean positions?",
  ],
];

test.each(senses)("refused by the rules, with its place: %s", async (_, from, to, said) => {
  const found = await faults(changed(from, to));
  expect(found.join("\n")).toContain(said);
  expect(found[0]).toMatch(/^m\.yaml:\d+:\d+: error: /);
});

test("two targets at one place of the order, and a dependency that is not at the same site, are named", async () => {
  const second = sampleManifest
    .slice(sampleManifest.indexOf("  - id: dub"), sampleManifest.indexOf("residency:"))
    .replaceAll("dub", "cor")
    .replace(/guard_key: .*/, `guard_key: ${namedSigner("guard-cor").vkey}`);
  const three = sampleManifest.replace("residency:\n", `${second}residency:\n`);
  expect((await faults(three)).join("\n")).toContain(
    "the targets dub and cor have the same failover_order",
  );
  const apart = changed("    class: enforcement\n", "    class: enforcement\n    sites: [fra]\n");
  expect((await faults(apart)).join("\n")).toContain(
    "audit-log depends on gateway, which is not at dub",
  );
});

test("a transfer to where the data may be anyway is refused: it would expire and mean nothing", async () => {
  const transfer =
    "transfers: [{ to: IE, mechanism: m, evidence: e, approved_by: Dana, expires: 2027-01-01T00:00:00Z }]";
  const text = changed("jurisdictions: [EU]", `jurisdictions: [EU, IE]\n    ${transfer}`);
  expect((await faults(text)).join("\n")).toContain("IE is among the jurisdictions already");
});

test("passive checks alone, and chains that take longer than all, are named", async () => {
  const passive = changed(
    /verify:\n {6}kind: audit_canary\n(?: {6}.*\n)+/,
    'verify: { kind: http, url: "https://x.{site}" }\n',
  );
  expect((await faults(passive, "warning")).join("\n")).toContain(
    "the class audit is shown by passive checks only",
  );
  const slow = sampleManifest
    .replace("    class: enforcement\n", "    class: enforcement\n    latency_ms_max: 6000\n")
    .replace("    class: audit\n", "    class: audit\n    latency_ms_max: 6000\n");
  expect((await faults(slow, "warning")).join("\n")).toContain(
    "may take 12000 ms one after the other",
  );
});

const ofClass = {
  ...{ enforcement: "gateway", audit: "audit-log", identity: "identity-provider" },
  ...{ residency: "names", secrets: "payment-key", encryption: "kms", escalation: "on-call" },
  ...{ kill_switch: "kill-switch", ledger: "ledger" },
};

test.each(componentClasses)(
  "AG-403 4.1, 8.1 (our reading of AG-403): without the class %s it is refused",
  async (name) => {
    const found = (await faults(without(ofClass[name]))).join("\n");
    expect(found).toContain(`no component is of class ${name}`);
  },
);

test.each(componentClasses)(
  "the class %s at one site only leaves the other without",
  async (name) => {
    const text = changed(`    class: ${name}\n`, `    class: ${name}\n    sites: [fra]\n`);
    expect((await faults(text)).join("\n")).toContain(`no component is of class ${name} at dub`);
  },
);

test("a class that is declared not applicable, with reason and approver, is not missing", async () => {
  const declared =
    "not_applicable:\n  - { class: escalation, reason: nobody is asked, approved_by: Dana }\n";
  expect(await faults(`${without("on-call")}${declared}`)).toEqual([]);
  expect((await faults(`${sampleManifest}${declared}`)).join()).toContain(
    "on-call is of this class",
  );
  const nobody = declared.replace(", approved_by: Dana", "");
  expect((await faults(`${without("on-call")}${nobody}`)).join()).toContain(
    '"approved_by" is missing',
  );
});

test("a transfer that has expired is named; so is a target that can never take over", async () => {
  const usa = changed("jurisdiction: IE\n    blocs: [EU]", "jurisdiction: US-VA");
  expect((await faults(usa, "warning")).join("\n")).toContain(
    "dub (US-VA, US) can never take over",
  );
  const transfer =
    "    transfers:\n      - { to: US, mechanism: adequacy_decision, evidence: DPF, approved_by: Dana, expires: EXPIRES }\n";
  const allowed = usa.replace("[EU]\ncomponents", `[EU]\n${transfer}components`);
  const soon = await faults(allowed.replace("EXPIRES", "2026-11-25T12:00:01Z"), "warning");
  expect(soon.join("\n")).not.toMatch(/never take over|expired/);
  const over = await faults(allowed.replace("EXPIRES", now), "warning");
  expect(over.join("\n")).toContain(`the transfer of trades to US expired ${now}`);
});
