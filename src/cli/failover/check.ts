/** `holdfast failover check`: everything that can be known before a failover, in one command for continuous integration. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { checkGuard } from "./check-guard.ts";
import { checkManifests, type KnownManifest } from "./check-manifests.ts";
import { generateManifest } from "./generate.ts";
import { type CheckedThing, junitOf } from "./junit.ts";
import { lintFiles } from "./lint.ts";
import { lineOf } from "./open-manifest.ts";
import { sarifOf } from "./sarif.ts";

export interface CheckOptions {
  readonly manifest: string;
  readonly signed?: string;
  readonly key: readonly string[];
  readonly threshold: string;
  readonly infrastructure: readonly string[];
  readonly base?: string;
  readonly lint: readonly string[];
  readonly guard: readonly string[];
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly junit?: string;
  readonly sarif?: string;
}

export function registerCheckCommand(
  failover: Command,
  version: string,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  failover
    .command("check")
    .description(
      "for CI: the manifest, its signature, its completeness, the traps of configurations and the state of guards; exit 1 when something is wrong",
    )
    .option("--manifest <file>", "the manifest, YAML", "manifest.yaml")
    .option("--signed <file>", "the same manifest, signed; needs --key")
    .option("--key <vkey...>", "verifier keys that are trusted, or files of them", [])
    .option("--threshold <number>", "how many of them must have signed", "1")
    .option(
      "--infrastructure <file...>",
      "files the manifest must agree with, in both directions",
      [],
    )
    .option("--base <file>", "what no file of the infrastructure says")
    .option("--lint <file...>", "configurations to look through for fail-open traps", [])
    .option("--guard <url...>", "guards that must run this manifest with their gate in order", [])
    .option("--strict", "warnings count, too")
    .option("--junit <file>", "write JUnit XML there")
    .option("--sarif <file>", "write SARIF 2.1.0 there")
    .option("--json", "one JSON value instead of text")
    .action(async (options: CheckOptions) => exit(await checkAll(options, version, io)));
}

/** 0 in order, 1 something is wrong, 2 something cannot be read. */
async function checkAll(
  options: CheckOptions,
  version: string,
  io: CommandOutput,
): Promise<number> {
  const things = await allThings(options);
  if (!things.ok) {
    io.err(things.error);
    return 2;
  }
  const findings = things.value.flatMap((thing) => thing.findings);
  const written = await write(options, things.value, version);
  if (!written.ok) {
    io.err(written.error);
    return 2;
  }
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const bad = errors > 0 || (options.strict === true && findings.length > 0);
  if (options.json) {
    io.out(JSON.stringify({ ok: !bad, checks: things.value }));
    return bad ? 1 : 0;
  }
  for (const finding of findings) io.err(`${lineOf(finding)} [${finding.code}]`);
  for (const { suite, name, findings: own } of things.value)
    io.out(`${own.some(({ severity }) => severity === "error") ? "✗" : "✓"} ${suite} ${name}`);
  return bad ? 1 : 0;
}

/** Whatever is asked for is looked at, also when an earlier part has faults; only what cannot be read ends it. */
async function allThings(options: CheckOptions): Promise<Result<readonly CheckedThing[], string>> {
  const manifests = await checkManifests(options);
  if (!manifests.ok) return manifests;
  const things = [...manifests.value.things];
  const { known } = manifests.value;
  const complete = await completeness(options, known);
  if (!complete.ok) return complete;
  const linted = await lintFiles(options.lint);
  if (!linted.ok) return linted;
  things.push(...complete.value);
  things.push(
    ...linted.value.map(({ file, findings }) => ({ suite: "lint", name: file, findings })),
  );
  for (const url of options.guard)
    things.push({ suite: "guard", name: url, findings: await checkGuard(url, known) });
  return ok(things);
}

/** Only a manifest that is one can be compared. */
async function completeness(
  { manifest, infrastructure, base }: CheckOptions,
  known: KnownManifest | undefined,
): Promise<Result<readonly CheckedThing[], string>> {
  if (infrastructure.length === 0 || known === undefined) return ok([]);
  const compared = await generateManifest(infrastructure, {
    against: manifest,
    ...(base !== undefined && { base }),
  });
  if (!compared.ok) return compared;
  return ok([{ suite: "completeness", name: manifest, findings: compared.value.report }]);
}

async function write(
  { junit, sarif }: CheckOptions,
  things: readonly CheckedThing[],
  version: string,
): Promise<Result<void, string>> {
  try {
    if (junit !== undefined) await writeFile(junit, junitOf(things));
    const findings = things.flatMap((thing) => thing.findings);
    if (sarif !== undefined)
      await writeFile(sarif, `${JSON.stringify(sarifOf(findings, version), undefined, 2)}\n`);
    return ok(undefined);
  } catch (thrown) {
    return err(`the report cannot be written: ${String(thrown)}`);
  }
}
