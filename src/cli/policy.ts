/** `holdfast policy check | test | explain`. Exit codes: 0 in order, 1 findings, 2 cannot be run as asked. */
import type { Command } from "commander";
import { type PolicyFolder, readPolicyFolder } from "../adapters/policy-folder/index.ts";
import {
  caseRequests,
  type Diagnostic,
  explain,
  formatDiagnostic,
  type Loaded,
  loadPolicySet,
  type PolicySet,
  readRequest,
  renderExplanation,
  runCases,
} from "../policy/index.ts";
import {
  type CommandOutput,
  type KnowledgeOptions,
  readText,
  toolKnowledge,
} from "./policy-knowledge.ts";
import { answersTo, regoBundlesOf } from "./policy-rego.ts";

export interface PolicyOptions extends KnowledgeOptions {
  /** One JSON value on `out` instead of text. */
  readonly json?: boolean;
}

const usageExit = 2;

export const configOption = [
  "-c, --config <file>",
  "configuration whose tools are known (default: the holdfast.yaml that uses the folder)",
] as const;
export const toolSchemasOption = [
  "--tool-schemas <file>",
  "JSON file of tool id to input schema, to check args against",
] as const;

/** Checks every file of a policy folder. */
async function checkPolicy(
  folder: string,
  options: PolicyOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openFolder(folder, options, io);
  if (!opened) return usageExit;
  const { loaded } = opened;
  const findings = hasErrors(loaded.diagnostics);
  if (options.json) io.out(JSON.stringify({ ok: !findings, diagnostics: loaded.diagnostics }));
  else {
    printDiagnostics(loaded.diagnostics, io);
    io.out(loaded.set ? summary(loaded.set, opened.known) : "not loaded");
  }
  return findings ? 1 : 0;
}

/** Runs the cases (`*.test.yaml`) of a policy folder. */
async function testPolicy(
  folder: string,
  options: PolicyOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openFolder(folder, options, io);
  if (!opened) return usageExit;
  const { set, diagnostics } = opened.loaded;
  if (!set) return refuse(diagnostics, options, io);
  const { cases } = opened.files;
  const answers = await answersTo(set, opened.loaded.modules, caseRequests(set, cases));
  const run = runCases(set, cases, answers);
  const failures = run.results.flatMap((result) => result.failures);
  const passed = run.results.filter((result) => result.failures.length === 0).length;
  const findings = failures.length > 0 || run.diagnostics.length > 0 || run.results.length === 0;
  if (options.json) io.out(JSON.stringify({ ok: !findings, ...run }));
  else {
    printDiagnostics([...run.diagnostics, ...failures], io);
    io.out(`${passed} of ${run.results.length} cases passed`);
  }
  return findings ? 1 : 0;
}

/** Says for one request (a YAML or JSON file) which rules matched and why. */
async function explainPolicy(
  folder: string,
  requestPath: string,
  options: PolicyOptions,
  io: CommandOutput,
): Promise<number> {
  const opened = await openFolder(folder, options, io);
  const text = await readText(requestPath, io);
  if (!opened || text === undefined) return usageExit;
  const { set, diagnostics } = opened.loaded;
  if (!set) return refuse(diagnostics, options, io);
  const read = readRequest({ path: requestPath, text }, set);
  if (!read.request) return refuse(read.diagnostics, options, io);
  const answers = await answersTo(set, opened.loaded.modules, [read.request]);
  const explanation = explain(set, read.request, answers(read.request));
  io.out(options.json ? JSON.stringify(explanation) : renderExplanation(explanation));
  return 0;
}

/** Adds `policy` with its sub-commands, and returns it for more. `exit` gets each command's exit code. */
export function registerPolicyCommands(
  program: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): Command {
  const policy = program.command("policy").description("check, test and explain policies");
  const command = (usage: string, description: string): Command =>
    policy
      .command(usage)
      .description(description)
      .option("--json", "one JSON value instead of text")
      .option(...configOption)
      .option(...toolSchemasOption);
  command("check <folder>", "find every fault of a policy folder").action(
    async (folder: string, options: PolicyOptions) => exit(await checkPolicy(folder, options, io)),
  );
  command("test <folder>", "run the cases (*.test.yaml) of a policy folder").action(
    async (folder: string, options: PolicyOptions) => exit(await testPolicy(folder, options, io)),
  );
  command("explain <folder> <request>", "say which rules match a request, and why").action(
    async (folder: string, request: string, options: PolicyOptions) =>
      exit(await explainPolicy(folder, request, options, io)),
  );
  return policy;
}

export interface OpenedFolder {
  readonly files: PolicyFolder;
  readonly loaded: Loaded;
  /** How many tools were known apart from the folder. */
  readonly known: number;
}

/** Reads and checks a policy folder; undefined, after saying why, when it cannot be read. */
export async function openFolder(
  folder: string,
  options: PolicyOptions,
  io: CommandOutput,
): Promise<OpenedFolder | undefined> {
  const toolSchemas = await toolKnowledge(folder, options, io);
  const files = await readPolicyFolder(folder);
  if (!files.ok) io.err(`cannot read ${files.error.path}: ${files.error.code}`);
  if (!files.ok || !toolSchemas) return undefined;
  if (files.value.policies.length === 0) {
    io.err(`${folder} holds no policy file (.yaml, .yml or .json)`);
    return undefined;
  }
  const regoBundles = await regoBundlesOf(files.value.archives);
  const loaded = loadPolicySet(files.value.policies, { toolSchemas, regoBundles });
  return { files: files.value, loaded, known: toolSchemas.size };
}

function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

/** Tells what is wrong with the policies. Gives the exit code. */
export function refuse(
  diagnostics: readonly Diagnostic[],
  options: PolicyOptions,
  io: CommandOutput,
): number {
  if (options.json) io.out(JSON.stringify({ ok: false, diagnostics }));
  else printDiagnostics(diagnostics, io);
  return 1;
}

function printDiagnostics(diagnostics: readonly Diagnostic[], io: CommandOutput): void {
  for (const diagnostic of diagnostics) io.err(formatDiagnostic(diagnostic));
}

function summary(set: PolicySet, known: number): string {
  const against = known === 0 ? "" : `, checked against ${known} known tools`;
  return `${set.rules.length} rules, ${set.tools.length} tools${against}`;
}
