/** `holdfast failover lint`: the fail-open traps of configurations that exist. */
import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import {
  type LintedKind,
  lintConfig,
  lintedKindOf,
  lintedKinds,
} from "../../adapters/config-lint/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { type Diagnostic, nearestWord } from "../../policy/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { lineOf } from "./open-manifest.ts";
import { sarifOf } from "./sarif.ts";

export interface LintOptions {
  readonly kind?: string;
  readonly json?: boolean;
  /** Where the SARIF goes. */
  readonly sarif?: string;
  readonly strict?: boolean;
}

export function registerLintCommand(
  failover: Command,
  version: string,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  failover
    .command("lint <files...>")
    .description(
      "name the fail-open traps of HAProxy, Patroni, Envoy, PowerDNS and nginx configurations; exit 1 when there is one",
    )
    .option(
      "--kind <kind>",
      `what the files are, instead of what they look like: ${lintedKinds.join(", ")}`,
    )
    .option("--strict", "warnings count, too")
    .option("--sarif <file>", "write SARIF 2.1.0 there")
    .option("--json", "one JSON value instead of text")
    .action(async (files: string[], options: LintOptions) =>
      exit(await lintCommand(files, options, version, io)),
    );
}

/** 0 no trap, 1 traps, 2 a file that cannot be read or is none of these. */
async function lintCommand(
  files: readonly string[],
  options: LintOptions,
  version: string,
  io: CommandOutput,
): Promise<number> {
  const linted = await lintFiles(files, options.kind);
  if (!linted.ok) {
    io.err(linted.error);
    return 2;
  }
  const findings = linted.value.flatMap((each) => each.findings);
  if (options.sarif !== undefined)
    await writeFile(options.sarif, `${JSON.stringify(sarifOf(findings, version), undefined, 2)}\n`);
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const bad = errors > 0 || (options.strict === true && findings.length > 0);
  if (options.json) {
    const kinds = linted.value.map(({ file, kind }) => ({ file, kind }));
    io.out(JSON.stringify({ ok: !bad, files: kinds, findings }));
    return bad ? 1 : 0;
  }
  for (const finding of findings) io.err(`${lineOf(finding)} [${finding.code}]`);
  const warnings = findings.length - errors;
  io.out(`${files.length} files, ${errors} traps that fail open, ${warnings} to think about`);
  return bad ? 1 : 0;
}

export interface LintedFile {
  readonly file: string;
  readonly kind: LintedKind;
  readonly findings: readonly Diagnostic[];
}

export async function lintFiles(
  files: readonly string[],
  given?: string,
): Promise<Result<readonly LintedFile[], string>> {
  const known = lintedKinds.find((each) => each === given);
  if (given !== undefined && known === undefined) {
    const nearest = nearestWord(given, lintedKinds);
    const meant =
      nearest === undefined ? `known: ${lintedKinds.join(", ")}` : `did you mean ${nearest}?`;
    return err(`--kind ${given}: ${meant}`);
  }
  const linted: LintedFile[] = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch((thrown: NodeJS.ErrnoException) => thrown);
    if (typeof text !== "string") return err(`${file}: the file cannot be read (${text.code})`);
    const kind = known ?? lintedKindOf(file, text);
    if (kind === undefined)
      return err(
        `${file}: no configuration that is known; say what it is with --kind ${lintedKinds.join("|")}`,
      );
    linted.push({ file, kind, findings: lintConfig(file, text, kind) });
  }
  return ok(linted);
}
