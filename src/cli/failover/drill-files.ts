/** Experiments on disk: those of the package, and people's own; and the schedule that says which are held. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Experiment, type ExperimentProblem, readExperiment } from "../../failover/index.ts";
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { formatDiagnostic, parseSource, sourceValue } from "../../policy/index.ts";
import { Findings } from "../findings.ts";

/** The scenarios that come with the package. */
const libraryUrl: URL = new URL("../../../drills/", import.meta.url);

export type Variables = Readonly<Record<string, JsonValue>>;

/** Names of the library's scenarios, sorted. */
export async function libraryNames(): Promise<readonly string[]> {
  const names = await readdir(libraryUrl);
  return names
    .filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length))
    .sort();
}

/** A file, or the name of a scenario of the library. Lines for people are the error. */
export async function loadValue(given: string): Promise<Result<Loaded, readonly string[]>> {
  const isName = /^[a-z][a-z0-9-]*$/.test(given);
  const path = isName ? fileURLToPath(new URL(`${given}.json`, libraryUrl)) : given;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined && isName) {
    const known = (await libraryNames()).join(", ");
    return err([`there is no scenario ${given}; known: ${known} (or give the path of a file)`]);
  }
  if (text === undefined) return err([`${given}: the file cannot be read`]);
  const { root, diagnostics } = parseSource(path, text);
  if (root === undefined || diagnostics.length > 0)
    return err(
      diagnostics.length > 0 ? diagnostics.map(formatDiagnostic) : [`${path}: the file is empty`],
    );
  const value = sourceValue(root, () => undefined) ?? null;
  return ok({ path, value, findings: new Findings(path, root) });
}

export interface Loaded {
  readonly path: string;
  readonly value: JsonValue;
  readonly findings: Findings;
}

export async function loadExperiment(
  given: string,
  variables: Variables,
): Promise<Result<Experiment, readonly string[]>> {
  const loaded = await loadValue(given);
  if (!loaded.ok) return loaded;
  const { value, findings } = loaded.value;
  const read = readExperiment(value, { variables, environment: process.env });
  if (read.ok) return read;
  for (const problem of read.error) reportTo(findings, problem);
  return err(findings.found.map(formatDiagnostic));
}

function reportTo(findings: Findings, { path, message }: ExperimentProblem): void {
  findings.report(path, { code: "experiment", message });
}

/** `--var name=value`, on top of `--vars file`; a value in brackets or braces is JSON. */
export async function variablesOf(
  pairs: readonly string[],
  file: string | undefined,
): Promise<Result<Variables, readonly string[]>> {
  const variables: Record<string, JsonValue> = {};
  if (file !== undefined) {
    const loaded = await loadValue(file.includes("/") ? file : `./${file}`);
    if (!loaded.ok) return loaded;
    if (!isJsonObject(loaded.value.value)) return err([`${file} is no map of variables`]);
    Object.assign(variables, loaded.value.value);
  }
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) return err([`--var reads name=value, not ${JSON.stringify(pair)}`]);
    const value = variableValue(pair.slice(at + 1));
    if (!value.ok) return err([`--var ${pair.slice(0, at)}: ${value.error}`]);
    variables[pair.slice(0, at)] = value.value;
  }
  return ok(variables);
}

function variableValue(text: string): Result<JsonValue, string> {
  if (!/^[[{]/.test(text)) return ok(text);
  try {
    return ok(JSON.parse(text) as JsonValue);
  } catch {
    return err("it begins like JSON and is none");
  }
}

/** One drill that is held regularly. */
export interface Scheduled {
  readonly experiment: string;
  readonly variables: Variables;
  readonly allowReady: boolean;
}

/** `{drills: [{experiment, variables, allow_ready}]}` */
export async function loadSchedule(
  file: string,
): Promise<Result<readonly Scheduled[], readonly string[]>> {
  const loaded = await loadValue(file.includes("/") ? file : `./${file}`);
  if (!loaded.ok) return loaded;
  const { value, findings } = loaded.value;
  const drills = isJsonObject(value) ? value["drills"] : undefined;
  if (!isJsonArray(drills)) return err([`${file}: it needs a list "drills"`]);
  const scheduled = drills.map((item, i) => scheduledOf(item, ["drills", String(i)], findings));
  if (findings.found.length > 0) return err(findings.found.map(formatDiagnostic));
  return ok(scheduled);
}

/** The scenarios of a schedule; of an experiment that cannot be read, what the schedule calls it. */
export async function scheduledScenarios(
  file: string,
): Promise<Result<readonly string[], readonly string[]>> {
  const loaded = await loadSchedule(file);
  if (!loaded.ok) return loaded;
  const names: string[] = [];
  for (const { experiment } of loaded.value) {
    const value = await loadValue(experiment);
    const extensions =
      value.ok && isJsonObject(value.value.value) ? value.value.value["extensions"] : undefined;
    const own = (isJsonArray(extensions) ? extensions : []).filter(isJsonObject);
    names.push(String(own.find(({ name }) => name === "holdfast")?.["scenario"] ?? experiment));
  }
  return ok(names);
}

const scheduleWords = ["experiment", "variables", "allow_ready"];

function scheduledOf(item: JsonValue, path: readonly string[], findings: Findings): Scheduled {
  const value: JsonObject = isJsonObject(item) ? item : {};
  const report = (message: string): void => findings.report(path, { code: "schedule", message });
  for (const key of Object.keys(value))
    if (!scheduleWords.includes(key))
      report(`unknown field "${key}"; known here: ${scheduleWords.join(", ")}`);
  const { experiment, variables = {}, allow_ready: allowReady = false } = value;
  if (typeof experiment !== "string") report("it names no experiment");
  if (!isJsonObject(variables)) report("its variables are no map");
  if (typeof allowReady !== "boolean") report("allow_ready is true or false");
  return {
    experiment: String(experiment),
    variables: isJsonObject(variables) ? variables : {},
    allowReady: allowReady === true,
  };
}
