/** `holdfast policy check | test | explain`. Exit codes: 0 in order, 1 findings, 2 cannot be run as asked. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { type PolicyFolder, readPolicyFolder } from "../adapters/policy-folder/index.ts";
import { isJsonObject, type JsonObject, parseJsonStrict, type ToolId } from "../kernel/index.ts";
import {
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

/** Where a command writes. Lines without their newline. */
export interface CommandOutput {
  out(line: string): void;
  err(line: string): void;
}

export interface PolicyOptions {
  /** One JSON value on `out` instead of text. */
  readonly json?: boolean;
  /** A JSON file: tool id to input schema. */
  readonly toolSchemas?: string;
}

const usageExit = 2;

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
    io.out(loaded.set ? summary(loaded.set) : "not loaded");
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
  const run = runCases(set, opened.files.cases);
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
  const explanation = explain(set, read.request);
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
      .option(
        "--tool-schemas <file>",
        "JSON file of tool id to input schema, to check args against",
      );
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
}

/** Reads and checks a policy folder; undefined, after saying why, when it cannot be read. */
export async function openFolder(
  folder: string,
  options: PolicyOptions,
  io: CommandOutput,
): Promise<OpenedFolder | undefined> {
  const toolSchemas = await readToolSchemas(options.toolSchemas, io);
  const files = await readPolicyFolder(folder);
  if (!files.ok) io.err(`cannot read ${files.error.path}: ${files.error.code}`);
  if (!files.ok || !toolSchemas) return undefined;
  if (files.value.policies.length === 0) {
    io.err(`${folder} holds no policy file (.yaml, .yml or .json)`);
    return undefined;
  }
  return { files: files.value, loaded: loadPolicySet(files.value.policies, { toolSchemas }) };
}

async function readToolSchemas(
  path: string | undefined,
  io: CommandOutput,
): Promise<ReadonlyMap<ToolId, JsonObject> | undefined> {
  if (path === undefined) return new Map();
  const text = await readText(path, io);
  if (text === undefined) return undefined;
  const parsed = parseJsonStrict(new TextEncoder().encode(text));
  if (!parsed.ok || !isJsonObject(parsed.value)) {
    io.err(`${path} is not a JSON object of tool ids and schemas`);
    return undefined;
  }
  return new Map(
    Object.entries(parsed.value).flatMap(([id, schema]) =>
      isJsonObject(schema) ? [[id as ToolId, schema] as const] : [],
    ),
  );
}

async function readText(path: string, io: CommandOutput): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    io.err(`cannot read ${path}: ${(thrown as NodeJS.ErrnoException).code ?? "unknown"}`);
    return undefined;
  }
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

function summary(set: PolicySet): string {
  return `${set.rules.length} rules, ${set.tools.length} tools`;
}
