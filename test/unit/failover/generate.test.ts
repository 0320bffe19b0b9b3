/** What generating says besides: versions, marks, changes, and things that are described twice. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  baseManifest,
  composeFile,
  haproxyFile,
  kubernetesFile,
  patroniFile,
  terraformResources,
  terraformState,
} from "../../fixtures/sample-stack.ts";
import { completed, generate, inFolder } from "./generating.ts";

inFolder();

test("the version of a secret comes from the files, never its value; another one in the base is named", async () => {
  const verify =
    "{ kind: secret_version, url: https://vault.example.com/v1/m, version_at: /version }";
  const supplement = (name: string, more = ""): string =>
    `${baseManifest}components:\n  - { name: ${name}, verify: ${verify.replace(" }", `${more} }`)} }\n`;
  writeFileSync("base.yaml", supplement("payment_key"));
  const compose = await generate({ "compose.yaml": composeFile }, { base: "base.yaml" });
  expect(compose.manifest).toMatch(/kind: secret_version\n(?: {6}.*\n)* {6}version: 4\n/);
  writeFileSync("base.yaml", supplement("payment_key", ", version: 3"));
  const other = await generate({ "compose.yaml": composeFile }, { base: "base.yaml" });
  expect(other.errors).toContain("payment_key is version 4 here and version 3 in the base");
  writeFileSync("base.yaml", supplement("bank-credentials"));
  const version = {
    ...{ address: "aws_secretsmanager_secret_version.bank", mode: "managed" },
    ...{ type: "aws_secretsmanager_secret_version", name: "bank" },
    values: {
      secret_id: "bank-credentials",
      version_id: "a1b2",
      secret_string: "not-a-real-value",
    },
  };
  const state = terraformState([...terraformResources, version]);
  const terraform = await generate({ "state.json": state }, { base: "base.yaml" });
  expect(terraform.manifest).toContain("version: a1b2");
  expect(terraform.manifest).not.toContain("not-a-real-value");
  writeFileSync("base.yaml", supplement("payment-key"));
  const marked = kubernetesFile.replace(
    "metadata: { name: payment-key,",
    'metadata: { annotations: { holdfast.dev/version: "7" }, name: payment-key,',
  );
  const kubernetes = await generate({ "objects.yaml": marked }, { base: "base.yaml" });
  expect(kubernetes.manifest).toContain("version: 7");
});

test("a file that changed since the manifest was generated, or was left out, is named", async () => {
  const whole = await generate({ "patroni.yaml": patroniFile }, { base: "base.yaml" });
  writeFileSync("manifest.yaml", completed(whole.manifest));
  const changed = await generate(
    { "patroni.yaml": `# note\n${patroniFile}` },
    { against: "manifest.yaml" },
  );
  expect(changed.errors).toBe("");
  expect(changed.warnings).toContain("generated from patroni.yaml, which has changed since");
  const other = await generate({ "haproxy.cfg": haproxyFile }, { against: "manifest.yaml" });
  expect(other.warnings).toContain("patroni.yaml, which is not among the files given");
});

test("one name for two different things is named", async () => {
  const other = "services:\n  gateway: { image: x, labels: { holdfast.dev/class: audit } }\n";
  const both = await generate({ "a.yaml": composeFile, "b.yaml": other }, { base: "base.yaml" });
  expect(both.errors).toMatch(
    /b\.yaml:2:3: error: gateway \(service gateway\) is described differently at a\.yaml:7/,
  );
  const twice = await generate(
    { "a.yaml": composeFile, "b.yaml": composeFile },
    { base: "base.yaml" },
  );
  expect(twice.errors).not.toContain("described differently");
});

test("an image without a digest is named; a removed healthcheck, secret or dependency differs", async () => {
  const whole = await generate({ "compose.yaml": composeFile }, { base: "base.yaml" });
  writeFileSync("manifest.yaml", completed(whole.manifest));
  const loose = composeFile.replace(/@sha256:a{64}/, ":latest");
  const named = await generate(
    { "compose.yaml": loose },
    { against: "manifest.yaml", base: "base.yaml" },
  );
  expect(named.warnings).toContain(
    "image registry.example.com/gateway:latest is not pinned by digest",
  );
  for (const [line, said] of [
    [/ {4}healthcheck: \{ test: \[CMD, curl.*\n/, "verify"],
    [/ {4}depends_on: .*\n/, "depends_on[collector]"],
    [/ {4}secrets: .*\n/, "depends_on[payment_key]"],
    [/ {4}configs: \[.*\n/, "depends_on[policy]"],
  ] as const) {
    const text = composeFile.replace(line, "");
    expect(text).not.toBe(composeFile);
    const { errors } = await generate(
      { "compose.yaml": text },
      { against: "manifest.yaml", base: "base.yaml" },
    );
    expect(errors).toContain(`gateway: ${said}`);
  }
});

test("a mark with a slip is no mark, and says so", async () => {
  const text = composeFile
    .replace("class=audit", "class=audti")
    .replace("holdfast.dev/host", "holdfast.dev/hots");
  const { errors } = await generate({ "compose.yaml": text }, { base: "base.yaml" });
  expect(errors).toContain("did you mean audit?");
  expect(errors).toContain("there is no mark holdfast.dev/hots; did you mean host?");
});
