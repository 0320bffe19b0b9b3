/** Reads an experiment in Chaos Toolkit's format. Whatever a drill cannot run, or could not fail by, is refused. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { Activity, DrillTarget, Experiment, Governance, Reach } from "./experiment.ts";
import { type ReadingActivity, readActivity, readControl, readProbe } from "./read-activity.ts";
import { type ExperimentProblem, Reading } from "./reading.ts";
import { type Environment, fill, readVariables } from "./variables.ts";

export interface ExperimentOptions {
  /** Values of the configuration, given for this run; they win over the file. */
  readonly variables: Readonly<Record<string, JsonValue>>;
  readonly environment: Environment;
}

const knownHere = [
  ...["version", "title", "description", "tags", "configuration", "secrets", "extensions"],
  ...["controls", "steady-state-hypothesis", "method", "rollbacks", "contributions", "runtime"],
];

/** Every fault at once, each with its path. Nothing is loaded on any. */
export function readExperiment(
  value: JsonValue,
  options: ExperimentOptions,
): Result<Experiment, readonly ExperimentProblem[]> {
  const reading = new Reading();
  const source = reading.object(value, []);
  if (source === undefined) return err(reading.problems);
  reading.only(source, [], knownHere);
  refuseControls(source, reading);
  const variables = readVariables(source, options.variables, options.environment, reading);
  const how: ReadingActivity = { reading, variables };
  const hypothesis = reading.object(source["steady-state-hypothesis"], ["steady-state-hypothesis"]);
  const steadyState = {
    title: reading.text(hypothesis?.["title"] ?? "steady state", []),
    probes: each(hypothesis?.["probes"], ["steady-state-hypothesis", "probes"], how, readProbe),
  };
  if (steadyState.probes.length === 0)
    reading.report(["steady-state-hypothesis"], "without a probe the hypothesis cannot fail");
  const method = withReferences(source["method"], ["method"], how);
  const rollbacks = withReferences(source["rollbacks"], ["rollbacks"], how);
  const governance = readGovernance(source, how);
  if (governance !== undefined) checkReach([...method, ...rollbacks], governance, reading);
  if (!method.some(({ kind }) => kind === "action"))
    reading.report(["method"], "a drill without an action simulates no failure");
  if (reading.problems.length > 0 || governance === undefined) return err(reading.problems);
  return ok({
    title: reading.text(source["title"], ["title"]),
    description: typeof source["description"] === "string" ? source["description"] : "",
    ...{ steadyState, method, rollbacks, governance, source },
    secrets: variables.secrets,
  });
}

/** Controls of Chaos Toolkit are Python modules that it would load: here nothing would run them, unnoticed. */
function refuseControls(source: JsonObject, reading: Reading): void {
  if (isJsonArray(source["controls"]) && source["controls"].length > 0)
    reading.report(
      ["controls"],
      "controls are Python modules, which are not run here; remove them",
    );
}

type ReadOne<T> = (
  value: JsonValue,
  path: readonly string[],
  how: ReadingActivity,
) => T | undefined;

function each<T>(
  value: JsonValue | undefined,
  path: readonly string[],
  how: ReadingActivity,
  read: ReadOne<T>,
): readonly T[] {
  return how.reading
    .list(value, path)
    .flatMap((item, i) => read(item, [...path, String(i)], how) ?? []);
}

/** `{"ref": name}` stands for an activity that was given before it in the same list. */
function withReferences(
  value: JsonValue | undefined,
  path: readonly string[],
  how: ReadingActivity,
): readonly Activity[] {
  const read: Activity[] = [];
  for (const [i, item] of how.reading.list(value, path).entries()) {
    const place = [...path, String(i)];
    const ref = isJsonObject(item) ? item["ref"] : undefined;
    const activity =
      ref === undefined ? readActivity(item, place, how) : read.find(({ name }) => name === ref);
    if (activity !== undefined) read.push(activity);
    else if (ref !== undefined)
      how.reading.report(place, `no activity before it is named ${JSON.stringify(ref)}`);
  }
  return read;
}

const extensionName = "holdfast";

function readGovernance(source: JsonObject, how: ReadingActivity): Governance | undefined {
  const { reading, variables } = how;
  const all = reading.list(source["extensions"], ["extensions"]);
  const at = all.findIndex((item) => isJsonObject(item) && item["name"] === extensionName);
  const path = ["extensions", String(at)];
  const unfilled = all[at];
  if (!isJsonObject(unfilled))
    return reading.report(
      ["extensions"],
      'an experiment is a drill when it has an extension {"name": "holdfast", …} with its targets',
    );
  reading.only(unfilled, path, [
    ...["name", "scenario", "deployment", "targets", "allow_ready_site", "reach", "fault_proof"],
    ...["expect", "recovery", "state", "abort", "duration_seconds_max", "controls"],
  ]);
  const plain = ["scenario", "deployment", "targets", "reach", "controls", "allow_ready_site"];
  const extension = Object.fromEntries(
    Object.entries(unfilled).map(([key, value]) => [
      key,
      plain.includes(key) ? fill(value, variables, [...path, key], reading) : value,
    ]),
  );
  const governance: Governance = {
    scenario: reading.text(extension["scenario"], [...path, "scenario"]),
    deployment: reading.text(extension["deployment"], [...path, "deployment"]),
    targets: each(extension["targets"], [...path, "targets"], how, readTarget),
    allowReady: reading.flag(extension["allow_ready_site"], [...path, "allow_ready_site"], false),
    reach: readReach(extension["reach"], [...path, "reach"], reading),
    faultProof: each(extension["fault_proof"], [...path, "fault_proof"], how, readControl),
    expect: each(extension["expect"], [...path, "expect"], how, readControl),
    recovery: each(extension["recovery"], [...path, "recovery"], how, readControl),
    state: each(extension["state"], [...path, "state"], how, readActivity),
    abort: each(extension["abort"], [...path, "abort"], how, readProbe),
    durationMsMax: reading.seconds(
      extension["duration_seconds_max"],
      [...path, "duration_seconds_max"],
      300,
    ),
    controls: reading.texts(extension["controls"], [...path, "controls"]),
  };
  checkGovernance(governance, path, reading);
  return governance;
}

function checkGovernance(governance: Governance, path: readonly string[], reading: Reading): void {
  const { faultProof, expect, state, targets } = governance;
  if (targets.length === 0)
    reading.report([...path, "targets"], "a drill declares what it may touch");
  if (faultProof.length === 0)
    reading.report(
      [...path, "fault_proof"],
      "without a proof that the fault took effect every run would be inconclusive",
    );
  if (!expect.some(({ blocking }) => blocking))
    reading.report([...path, "expect"], "a drill that expects nothing blocking cannot fail");
  if (state.length === 0)
    reading.report([...path, "state"], "name the probes whose outputs the rollback must restore");
}

function readTarget(
  value: JsonValue,
  path: readonly string[],
  { reading }: ReadingActivity,
): DrillTarget | undefined {
  const target = reading.object(value, path);
  if (target === undefined) return undefined;
  reading.only(target, path, ["site", "components", "paths", "origins"]);
  const paths = reading.texts(target["paths"], [...path, "paths"]);
  for (const each of paths)
    if (!each.startsWith("/") || each.split("/").includes("..") || each === "/")
      reading.report([...path, "paths"], `${each} must be an absolute path below /, without ..`);
  return {
    site: reading.text(target["site"], [...path, "site"]),
    components: reading.texts(target["components"], [...path, "components"]),
    paths,
    origins: reading.texts(target["origins"], [...path, "origins"]),
  };
}

function readReach(
  value: JsonValue | undefined,
  path: readonly string[],
  reading: Reading,
): Readonly<Record<string, Reach>> {
  const reach: Record<string, Reach> = {};
  for (const [name, item] of Object.entries(reading.object(value ?? {}, path) ?? {})) {
    const place = [...path, name];
    const object = reading.object(item, place);
    if (object === undefined) continue;
    reading.only(object, place, ["site", "component"]);
    const { component = null } = object;
    reach[name] = {
      site: reading.text(object["site"], [...place, "site"]),
      component: component === null ? null : reading.text(component, [...place, "component"]),
    };
  }
  return reach;
}

/** Every action says where it reaches; what does not say it may reach anywhere. */
function checkReach(
  activities: readonly Activity[],
  { reach }: Governance,
  reading: Reading,
): void {
  for (const { kind, name } of activities)
    if (kind === "action" && reach[name] === undefined)
      reading.report(
        ["extensions", extensionName, "reach"],
        `the action "${name}" does not say which site and component it reaches`,
      );
}
