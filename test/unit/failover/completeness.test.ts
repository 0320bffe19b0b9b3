/**
 * 8.1, our reading of AG-403: the manifest is complete. From each kind of source every component is taken away in turn, and
 * every removal is named, with file and line.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generateManifest } from "../../../src/cli/failover/generate.ts";
import { manifestReader } from "../../../src/cli/index.ts";
import { differences } from "../../../src/failover/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { formatDiagnostic } from "../../../src/policy/index.ts";
import {
  baseManifest,
  composeFile,
  haproxyFile,
  helmFile,
  kubernetesFile,
  patroniFile,
  terraformPlan,
  terraformResources,
  terraformState,
} from "../../fixtures/sample-stack.ts";
import { completed, cut, generate, inFolder } from "./generating.ts";

inFolder();
const reader = await manifestReader();

const withoutDocument = (text: string, has: string): string => {
  const kept = text.split("---\n").filter((document) => !document.includes(has));
  expect(kept.length).toBeLessThan(text.split("---\n").length);
  return kept.join("---\n");
};

const withoutResource = (name: string): readonly object[] =>
  terraformResources.filter(({ address }) => !address.endsWith(`.${name}`));

/** By kind: the whole file, and how each of its components is taken away. */
const sources: Readonly<
  Record<string, { file: string; text: string; without: Readonly<Record<string, () => string>> }>
> = {
  "docker compose": {
    file: "compose.yaml",
    text: composeFile,
    without: {
      gateway: () => cut(composeFile, /^ {2}gateway:/),
      collector: () => cut(composeFile, /^ {2}collector:/),
      idp: () => cut(composeFile, /^ {2}idp:/),
      payment_key: () => cut(composeFile, /^ {2}payment_key:/),
      policy: () => cut(composeFile, /^ {2}policy:/),
    },
  },
  Kubernetes: {
    file: "objects.yaml",
    text: kubernetesFile,
    without: {
      gateway: () => cut(kubernetesFile, /name: gateway/),
      ledger: () => withoutDocument(kubernetesFile, "name: ledger"),
      "payment-key": () => withoutDocument(kubernetesFile, "kind: Secret"),
      "only-through-gateway": () => withoutDocument(kubernetesFile, "kind: NetworkPolicy"),
      "no-agent-without-gateway": () =>
        withoutDocument(kubernetesFile, "ValidatingAdmissionPolicy"),
    },
  },
  "Helm output": {
    file: "helm.yaml",
    text: helmFile,
    without: {
      collector: () => withoutDocument(helmFile, "kind: DaemonSet"),
      "release-name-pager": () => withoutDocument(helmFile, "kind: CronJob"),
    },
  },
  "terraform state": {
    file: "state.json",
    text: terraformState(),
    without: {
      payments: () => terraformState(withoutResource("payments")),
      "bank-credentials": () => terraformState(withoutResource("bank")),
      trail: () => terraformState(withoutResource("trail")),
      gateway: () => terraformState(withoutResource("gateway")),
    },
  },
  "terraform plan": {
    file: "plan.json",
    text: terraformPlan(),
    without: {
      payments: () => terraformPlan(withoutResource("payments")),
      "bank-credentials": () => terraformPlan(withoutResource("bank")),
      trail: () => terraformPlan(withoutResource("trail")),
      gateway: () => terraformPlan(withoutResource("gateway")),
    },
  },
  Patroni: {
    file: "patroni.yaml",
    text: patroniFile,
    without: {
      "slot-audit_cdc": () => cut(patroniFile, /audit_cdc/),
      "synchronous-replication": () => cut(patroniFile, /synchronous_mode/),
      "pre-promote": () => cut(patroniFile, /pre_promote/),
      "callback-on_role_change": () => cut(patroniFile, /on_role_change/),
    },
  },
  HAProxy: {
    file: "haproxy.cfg",
    text: haproxyFile,
    without: {
      gateways: () => haproxyFile.slice(0, haproxyFile.indexOf("# holdfast.dev")),
      "agent-check-gateways": () => cut(haproxyFile, /agent-check/),
      "gate-check-gateways": () => cut(haproxyFile, /\/gate/),
    },
  },
};

/** Whose regions say that everything lies at one site. */
const baseOf = (file: string): string =>
  /helm|state|plan/.test(file) ? "one-site.yaml" : "base.yaml";

for (const [kind, { file, text, without }] of Object.entries(sources)) {
  test(`AG-403 4.1, 8.1 (our reading of AG-403), ${kind}: every component that is taken away is named`, async () => {
    const whole = await generate({ [file]: text }, { base: baseOf(file) });
    const names = [...whole.manifest.matchAll(/^ {2}- name: (.*)$/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual(Object.keys(without).sort());
    writeFileSync("manifest.yaml", completed(whole.manifest));
    const same = await generate({ [file]: text }, { against: "manifest.yaml" });
    expect(same.errors).toBe("");
    let named = 0;
    for (const [name, removed] of Object.entries(without)) {
      const { errors } = await generate({ [file]: removed() }, { against: "manifest.yaml" });
      const line = errors.split("\n").find((each) => each.includes(`error: ${name} (`));
      expect(line, name).toMatch(/^manifest\.yaml:\d+:\d+: error: .* in no file/);
      named++;
    }
    expect(named).toBe(names.length);
  });

  test(`AG-403 4.1, 8.1, ${kind}: every component that the manifest has not is named, with its line`, async () => {
    const whole = await generate({ [file]: text }, { base: baseOf(file) });
    const manifest = completed(whole.manifest);
    for (const name of Object.keys(without)) {
      const poorer = cut(manifest, new RegExp(`^ {2}- name: ${name}$`));
      writeFileSync("poorer.yaml", poorer.replace(/^ {4}depends_on:\n(?: {6}- .*\n)+/m, ""));
      const made = await generateManifest([file], { against: "poorer.yaml" });
      const told = made.ok ? made.value.report.map(formatDiagnostic).join("\n") : made.error;
      // Without it a class, a dependency or the component itself is missing: the one or the other says so.
      expect(told, name).toMatch(
        new RegExp(
          `^${file}:\\d+:\\d+: error: .* is component ${name} |no component is of class|there is no component ${name}`,
          "m",
        ),
      );
    }
  });
}

test("AG-403 4.1, 8.1: all kinds together make one manifest, the same whatever the order of the files", async () => {
  const files = Object.fromEntries(
    ["docker compose", "Patroni", "HAProxy"].map((kind) => {
      const source = sources[kind];
      return [source?.file ?? "", source?.text ?? ""];
    }),
  );
  const one = await generate(files, { base: "base.yaml" });
  const other = await generate(Object.fromEntries(Object.entries(files).reverse()), {
    base: "base.yaml",
  });
  expect(other.manifest).toBe(one.manifest);
});

test("AG-403 4.1, 8.1: what is generated is what people would have written by hand", async () => {
  const away = ["residency", "encryption", "escalation", "kill_switch", "ledger"];
  const declared = away.map(
    (name) => `  - { class: ${name}, reason: elsewhere, approved_by: Dana }\n`,
  );
  const rest = `${baseManifest.slice(0, baseManifest.indexOf("residency:"))}not_applicable:\n${declared.join("")}`;
  writeFileSync("base.yaml", rest);
  const { manifest, errors } = await generate(
    { "compose.yaml": composeFile },
    { base: "base.yaml" },
  );
  expect(errors).toBe("");
  const byHand = `format: holdfast.manifest/v1
${rest}components:
  - name: gateway
    class: enforcement
    verify: { kind: http, url: "http://gateway.{site}.example.com:7080/healthz", binding: address }
    depends_on: [collector, payment_key, policy]
    controls: [DORA:11, SOX:404]
  - name: policy
    class: enforcement
    verify: { kind: files, path: policy.yaml, digest: "${digestOf("policy.yaml")}" }
  - name: collector
    class: audit
    verify:
      kind: exec
      command: [docker, compose, exec, -T, collector, sh, -c, pgrep collector]
      binding: address
  - name: idp
    class: identity
    on_failure: { degrade: reads_only }
    verify: { kind: http, url: "https://id.{site}.example.com/healthz" }
  - name: payment_key
    class: secrets
    verify: { kind: exec, command: [docker, secret, inspect, payment_key_v4], binding: address }
generated_from:
  - { kind: compose, path: compose.yaml, digest: "${digestOf("compose.yaml")}" }
`;
  const read = (text: string): JsonObject => {
    const { manifest: made, diagnostics } = reader.read("m.yaml", text, "2026-11-25T12:00:00Z");
    if (made === undefined) throw new Error(diagnostics.map(formatDiagnostic).join("\n"));
    return made as unknown as JsonObject;
  };
  expect(differences(read(manifest), read(byHand))).toEqual([]);
});

function digestOf(path: string): string {
  const { createHash } = process.getBuiltinModule("node:crypto");
  return `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

test("what nobody marked is named; what is marked none is not", async () => {
  const text = composeFile.replace("labels: { holdfast.dev/class: none }", "labels: {}");
  const { errors } = await generate({ "compose.yaml": text }, { base: "base.yaml" });
  expect(errors).toMatch(
    /^compose\.yaml:28:3: error: service cache is in the infrastructure and in no manifest/m,
  );
  expect(errors).toContain("mark it with holdfast.dev/class");
});

test("no value of a secret is in what is written, wherever it stood", async () => {
  const all = Object.values(sources).map(({ file, text }) => [file, text] as const);
  for (const [file, text] of all) {
    const { manifest, errors, warnings } = await generate({ [file]: text }, { base: "base.yaml" });
    expect(`${manifest}${errors}${warnings}`).not.toContain("not-a-real-value");
  }
});

test("a region in the files that is no site, or another jurisdiction, is named", async () => {
  const whole = await generate({ "helm.yaml": helmFile }, { base: "base.yaml" });
  expect(whole.manifest).toMatch(/name: collector\n(?: {4}.*\n| {6}.*\n)* {4}sites:\n {6}- fra\n/);
  const moved = helmFile.replace("region: eu-central-1", "region: us-east-1");
  const { manifest, errors } = await generate({ "helm.yaml": moved }, { base: "base.yaml" });
  expect(manifest).toContain("jurisdiction: US-VA");
  expect(errors).toContain('"guard_key" is missing');
  const abroad = completed(whole.manifest).replace(/ {4}sites:\n {6}- fra\n/, "");
  writeFileSync("manifest.yaml", abroad.replace("region: eu-central-1", "region: us-east-1"));
  const elsewhere = await generate({ "helm.yaml": moved }, { against: "manifest.yaml" });
  expect(elsewhere.errors).toContain('site fra lies in DE by the manifest and in "US-VA"');
});

test("a missing or foreign file is refused, by name", async () => {
  expect(await generateManifest(["none.yaml"], {})).toEqual({
    ...{ ok: false, error: expect.stringContaining("none.yaml: the file cannot be read") },
  });
  writeFileSync("foreign.yaml", "hello: world\n");
  const foreign = await generateManifest(["foreign.yaml"], {});
  expect(foreign.ok ? "" : foreign.error).toContain("foreign.yaml: neither docker compose");
});
