/** Generating manifests from files in a folder of the test. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect } from "vitest";
import { generateManifest } from "../../../src/cli/failover/generate.ts";
import { formatDiagnostic, parseForeignYaml } from "../../../src/policy/index.ts";
import { baseManifest } from "../../fixtures/sample-stack.ts";

/** Every test of the file runs in a folder with a base in it. */
export function inFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-generate-"));
  const home = process.cwd();
  beforeEach(() => {
    process.chdir(folder);
    writeFileSync("policy.yaml", "policy: x\n");
    writeFileSync("base.yaml", baseManifest);
    writeFileSync("one-site.yaml", cut(baseManifest, /id: dub/));
    return () => process.chdir(home);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
}

export async function generate(
  files: Readonly<Record<string, string>>,
  options: { base?: string; against?: string } = {},
): Promise<{ manifest: string; errors: string; warnings: string }> {
  for (const [name, text] of Object.entries(files)) writeFileSync(name, text);
  const made = await generateManifest(Object.keys(files), options);
  if (!made.ok) throw new Error(made.error);
  const { manifest, report } = made.value;
  const of = (wanted: string): string =>
    report
      .filter(({ severity }) => severity === wanted)
      .map(formatDiagnostic)
      .join("\n");
  return { manifest, errors: of("error"), warnings: of("warning") };
}

/** The text without the line that `head` finds, and without all that is indented below it. */
export function cut(text: string, head: RegExp): string {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => head.test(line));
  expect(from, String(head)).toBeGreaterThanOrEqual(0);
  const indent = (line: string): number => line.length - line.trimStart().length;
  const first = lines[from] ?? "";
  let to = from + 1;
  while (to < lines.length && lines[to] !== "" && indent(lines[to] ?? "") > indent(first)) to++;
  return [...lines.slice(0, from), ...lines.slice(to)].join("\n");
}

/** Components that a valid manifest needs and the source has not: from people, each whole. */
export function completed(manifest: string): string {
  const { roots } = parseForeignYaml("m", manifest);
  expect(roots).toHaveLength(1);
  const present = [...manifest.matchAll(/^ {4}class: (.*)$/gm)].map(([, name]) => name);
  const missing = [
    ...["enforcement", "audit", "identity", "residency", "secrets"],
    ...["encryption", "escalation", "kill_switch", "ledger"],
  ].filter((each) => !present.includes(each));
  const away = missing.map(
    (each) => `  - { class: ${each}, reason: elsewhere, approved_by: Dana }\n`,
  );
  const verified = manifest.replace(
    /^( {4}class: .*\n)(?! {4}verify:)/gm,
    '$1    verify: { kind: exec, command: [check, "{site}"] }\n',
  );
  return `${verified}${away.length > 0 ? `not_applicable:\n${away.join("")}` : ""}`;
}
