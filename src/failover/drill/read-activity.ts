/** One activity of an experiment: a probe or an action, by HTTP or as a process. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { Activity, Control, HttpProvider, ProcessProvider, Provider } from "./experiment.ts";
import { readTolerance } from "./read-tolerance.ts";
import type { Reading } from "./reading.ts";
import { fill, type Variables } from "./variables.ts";

export interface ReadingActivity {
  readonly reading: Reading;
  readonly variables: Variables;
}

const timeoutSecondsDefault = 10;

export function readActivity(
  value: JsonValue | undefined,
  path: readonly string[],
  { reading, variables }: ReadingActivity,
): Activity | undefined {
  const source = reading.object(value, path);
  if (source === undefined) return undefined;
  const filled = fill(source, variables, path, reading) as JsonObject;
  reading.only(filled, path, [
    ...["type", "name", "provider", "tolerance", "pauses", "background", "controls", "secrets"],
  ]);
  if (filled["background"] === true)
    reading.report(
      [...path, "background"],
      "an activity in the background ends when nobody knows; run it in the foreground",
    );
  const kind = filled["type"];
  if (kind !== "probe" && kind !== "action")
    return reading.report([...path, "type"], "an activity is a probe or an action");
  const provider = readProvider(filled["provider"], [...path, "provider"], reading);
  const { tolerance } = filled;
  const read =
    tolerance === undefined ? undefined : readTolerance(tolerance, [...path, "tolerance"], reading);
  const pauses = isJsonObject(filled["pauses"]) ? filled["pauses"] : {};
  const name = reading.text(filled["name"], [...path, "name"]);
  if (provider === undefined) return undefined;
  return {
    ...{ kind, name, provider, source },
    ...(read === undefined ? {} : { tolerance: read }),
    pauseBeforeMs: reading.seconds(pauses["before"], [...path, "pauses", "before"], 0),
    pauseAfterMs: reading.seconds(pauses["after"], [...path, "pauses", "after"], 0),
  };
}

/** `{within_seconds, blocking, probe}`: a probe that is looked at until it holds. */
export function readControl(
  value: JsonValue,
  path: readonly string[],
  how: ReadingActivity,
): Control | undefined {
  const object = how.reading.object(value, path);
  if (object === undefined) return undefined;
  how.reading.only(object, path, ["probe", "within_seconds", "blocking"]);
  const probe = readProbe(object["probe"], [...path, "probe"], how);
  if (probe === undefined) return undefined;
  const within = fill(object["within_seconds"] ?? 0, how.variables, path, how.reading);
  return {
    probe,
    withinMs: how.reading.seconds(within, [...path, "within_seconds"], 0),
    blocking: how.reading.flag(object["blocking"], [...path, "blocking"], true),
  };
}

/** A probe that says what it expects. */
export function readProbe(
  value: JsonValue | undefined,
  path: readonly string[],
  how: ReadingActivity,
): Activity | undefined {
  const probe = readActivity(value, path, how);
  if (probe === undefined) return undefined;
  if (probe.kind !== "probe") return how.reading.report(path, "only a probe can be looked at");
  return probe.tolerance === undefined
    ? how.reading.report(path, `the probe "${probe.name}" has no tolerance, so it cannot fail`)
    : probe;
}

function readProvider(
  value: JsonValue | undefined,
  path: readonly string[],
  reading: Reading,
): Provider | undefined {
  const provider = reading.object(value, path);
  if (provider === undefined) return undefined;
  if (provider["type"] === "http") return readHttp(provider, path, reading);
  if (provider["type"] === "process") return readProcess(provider, path, reading);
  return reading.report(
    [...path, "type"],
    `the provider "${String(provider["type"])}" cannot be run here; use process or http`,
  );
}

function readHttp(
  provider: JsonObject,
  path: readonly string[],
  reading: Reading,
): HttpProvider | undefined {
  reading.only(provider, path, ["type", "url", "method", "headers", "arguments", "timeout"]);
  const url = reading.text(provider["url"], [...path, "url"]);
  if (!/^https?:\/\/[^\s@]+$/.test(url))
    return reading.report([...path, "url"], `${url} is no http address (without a user in it)`);
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(
    reading.object(provider["headers"] ?? {}, [...path, "headers"]) ?? {},
  ))
    headers[name.toLowerCase()] = reading.text(text, [...path, "headers", name]);
  const { method = "GET", arguments: body } = provider;
  return {
    ...{ type: "http", url, headers },
    method: reading.text(method, [...path, "method"]).toUpperCase(),
    ...(body === undefined ? {} : { body }),
    timeoutMs: timeoutOf(provider, path, reading),
  };
}

function readProcess(
  provider: JsonObject,
  path: readonly string[],
  reading: Reading,
): ProcessProvider {
  reading.only(provider, path, ["type", "path", "arguments", "timeout"]);
  const program = provider["path"];
  // A program may be given with its first arguments, for one that is run by an interpreter.
  const begin = isJsonArray(program)
    ? reading.texts(program, [...path, "path"])
    : [reading.text(program, [...path, "path"])];
  const [first = "", ...rest] = begin;
  const given = argumentsOf(provider["arguments"], [...path, "arguments"], reading);
  return {
    type: "process",
    argv: [first, ...rest, ...given],
    timeoutMs: timeoutOf(provider, path, reading),
  };
}

function argumentsOf(
  value: JsonValue | undefined,
  path: readonly string[],
  reading: Reading,
): readonly string[] {
  if (isJsonObject(value))
    return Object.entries(value).flatMap(([flag, text]) =>
      text === null || text === "" ? [flag] : [flag, String(text)],
    );
  if (typeof value === "string") {
    reading.report(path, "give the arguments as a list: no shell splits them here");
    return [];
  }
  return reading
    .list(value, path)
    .flatMap((item) => (isJsonArray(item) ? item.map(String) : [String(item)]));
}

/** Chaos Toolkit allows one number, or connect and read apart; together they are the time there is. */
function timeoutOf(provider: JsonObject, path: readonly string[], reading: Reading): number {
  const { timeout } = provider;
  const place = [...path, "timeout"];
  if (!isJsonArray(timeout)) return reading.seconds(timeout, place, timeoutSecondsDefault);
  return timeout.reduce<number>(
    (sum, part, i) => sum + reading.seconds(part, [...place, String(i)], 0),
    0,
  );
}
