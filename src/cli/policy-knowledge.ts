/** Which tools a policy folder is checked against on the command line: those that the control plane would know. */
import { access, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isJsonObject, type JsonObject, parseJsonStrict, type ToolId } from "../kernel/index.ts";
import { formatDiagnostic } from "../policy/index.ts";
import { loadConfig } from "./config.ts";
import { knownTools, schemasOf } from "./known-tools.ts";

/** Where a command writes. Lines without their newline. */
export interface CommandOutput {
  out(line: string): void;
  err(line: string): void;
}

export interface KnowledgeOptions {
  /** Its tools are known. Without, the `holdfast.yaml` that uses this policy folder, if there is one. */
  readonly config?: string;
  /** A JSON file: tool id to input schema; wins over what the configuration knows. */
  readonly toolSchemas?: string;
}

type ToolSchemas = ReadonlyMap<ToolId, JsonObject>;

const configName = "holdfast.yaml";

/** Argument schemas by tool id; undefined, after saying why, when what was asked for cannot be read. */
export async function toolKnowledge(
  folder: string,
  options: KnowledgeOptions,
  io: CommandOutput,
): Promise<ToolSchemas | undefined> {
  const path = options.config ?? (await configBeside(folder));
  const configured = path === undefined ? new Map() : await configuredSchemas(path, io);
  const given = await givenSchemas(options.toolSchemas, io);
  return configured && given && new Map([...configured, ...given]);
}

async function configuredSchemas(
  path: string,
  io: CommandOutput,
): Promise<ToolSchemas | undefined> {
  const config = await loadConfig(path, process.env, "unread");
  if (!config.ok) {
    for (const diagnostic of config.error) io.err(formatDiagnostic(diagnostic));
    return undefined;
  }
  const { tools, problems } = await knownTools(config.value);
  for (const problem of problems) io.err(problem);
  return problems.length > 0 ? undefined : schemasOf(tools);
}

/** Beside the folder or in the current one, and only if it uses this very folder. */
async function configBeside(folder: string): Promise<string | undefined> {
  for (const path of [join(dirname(resolve(folder)), configName), resolve(configName)]) {
    if (!(await exists(path))) continue;
    const config = await loadConfig(path, process.env, "unread");
    // One with faults may well be the one that is meant; whoever reads it next says what they are.
    if (!config.ok || config.value.policies === resolve(folder)) return path;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function givenSchemas(
  path: string | undefined,
  io: CommandOutput,
): Promise<ToolSchemas | undefined> {
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

/** A text file; undefined, after saying why, when it cannot be read. */
export async function readText(path: string, io: CommandOutput): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    io.err(`cannot read ${path}: ${(thrown as NodeJS.ErrnoException).code ?? "unknown"}`);
    return undefined;
  }
}
