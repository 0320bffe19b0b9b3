/** What an industry must not lose: each profile names what is missing, where, and why. */
import { expect, test } from "vitest";
import { manifestReader } from "../../../src/cli/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";
import { namedSigner, sampleManifest } from "../../fixtures/sample-manifest.ts";

const reader = await manifestReader();
const now = "2026-11-25T12:00:00Z";

function errors(text: string): string {
  const { diagnostics } = reader.read("m.yaml", text, now);
  const faults = diagnostics.filter(({ severity }) => severity === "error");
  return faults.map(formatDiagnostic).join("\n");
}

/** The sample under a profile, where `component` covers `covers`. */
function under(profile: string, covers: Readonly<Record<string, readonly string[]>> = {}): string {
  let text = sampleManifest.replace("sites:\n", `profiles: [${profile}]\nsites:\n`);
  for (const [component, words] of Object.entries(covers)) {
    const line = `  - name: ${component}\n`;
    expect(text).toContain(line);
    text = text.replace(line, `${line}    covers: [${words.join(", ")}]\n`);
  }
  return text;
}

const asked = {
  financial_services: [
    "transaction_limits",
    "aggregate_exposure",
    "counterparty_restrictions",
    "positions",
  ],
  healthcare: ["access_control", "audit_control", "integrity_control", "consent_enforcement"],
  critical_infrastructure: ["emergency_stop", "actuator_limits", "safety_zones"],
  cross_border: ["jurisdiction_order", "transfer_mechanisms"],
} as const;

for (const [profile, words] of Object.entries(asked)) {
  test(`${profile}: all it asks for is covered, or what is not is named`, () => {
    expect(errors(under(profile, { gateway: words }))).toBe("");
    for (const word of words) {
      const rest = words.filter((each) => each !== word);
      const found = errors(under(profile, { gateway: rest }));
      expect(found).toMatch(/^m\.yaml:4:\d+: error: /);
      expect(found).toContain(`${profile}: no component covers ${word}`);
    }
  });
}

test("what is covered at one site only is missing at the other", () => {
  const text = under("healthcare", { ledger: asked.healthcare }).replace(
    "    class: ledger\n",
    "    class: ledger\n    sites: [fra]\n",
  );
  expect(errors(text)).toContain("no component covers consent_enforcement at dub");
});

test("alert is no answer to the loss of what a profile asks for", () => {
  const text = under("financial_services", { "on-call": asked.financial_services });
  expect(errors(text)).toContain("covers positions of financial_services, and alert");
});

test("critical infrastructure: validation is at least as reliable as what it protects", () => {
  const passive = under("critical_infrastructure", {
    "identity-provider": asked.critical_infrastructure,
  });
  expect(errors(passive)).toContain("verified by http, which does not exercise it");
  expect(errors(passive)).toContain("without it nothing may move, so on_failure is block");
  const addressed = under("critical_infrastructure", { kms: asked.critical_infrastructure });
  expect(errors(addressed)).toContain("bound to the site by an address only");
  const exercised = under("critical_infrastructure", {
    "kill-switch": asked.critical_infrastructure,
  });
  expect(errors(exercised)).toBe("");
});

const abroad = sampleManifest
  .replace(
    "residency:\n",
    sampleManifest
      .slice(sampleManifest.indexOf("  - id: dub"), sampleManifest.indexOf("residency:"))
      .replaceAll("dub", "iad")
      .replace("jurisdiction: IE\n    blocs: [EU]", "jurisdiction: US-VA")
      .replace("failover_order: 1", "failover_order: 0")
      .replace(/guard_key: .*/, "guard_key: KEY")
      .concat("residency:\n"),
  )
  .replace("sites:\n", "profiles: [cross_border]\nsites:\n")
  .replace(
    "    jurisdictions: [EU]\n",
    "    jurisdictions: [EU]\n    transfers:\n      - { to: US, mechanism: MECHANISM, evidence: e, approved_by: Dana, expires: 2027-01-01T00:00:00Z }\n",
  )
  .replace(
    "  - name: gateway\n",
    "  - name: gateway\n    covers: [jurisdiction_order, transfer_mechanisms]\n",
  );

test("cross-border: who needs a transfer does not come before who needs none", () => {
  const text = abroad
    .replace("guard_key: KEY", `guard_key: ${namedSigner("guard-iad").vkey}`)
    .replace("MECHANISM", "adequacy_decision");
  expect(errors(text)).toContain("iad needs a transfer and comes before dub, which needs none");
  expect(errors(text.replace("failover_order: 0", "failover_order: 2"))).toBe("");
  const derogation = text.replace("adequacy_decision", "adequacy_decison");
  expect(errors(derogation)).toContain("did you mean adequacy_decision?");
});

test("cross-border without a residency rule has no order of jurisdictions", () => {
  const text = under("cross_border", { gateway: asked.cross_border });
  const bare = text.replace(/residency:\n.*\n.*\n/, "");
  expect(errors(bare)).toContain("cross_border: there is no residency rule");
});
