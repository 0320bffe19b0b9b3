/** `${name}` in an experiment, from its `configuration` and `secrets`, as Chaos Toolkit fills them in. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { Reading } from "./reading.ts";

export interface Variables {
  readonly values: ReadonlyMap<string, JsonValue>;
  readonly secrets: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** `given` wins over the file. A secret comes from the environment only. */
export function readVariables(
  root: JsonObject,
  given: Readonly<Record<string, JsonValue>>,
  environment: Environment,
  reading: Reading,
): Variables {
  const values = new Map<string, JsonValue>();
  const configuration = reading.object(root["configuration"] ?? {}, ["configuration"]) ?? {};
  for (const [name, value] of Object.entries(configuration)) {
    const found = given[name] ?? fromSource(value, environment);
    if (found !== undefined) values.set(name, found);
    else
      reading.report(
        ["configuration", name],
        `the variable ${name} has no value: set it with --var ${name}=…`,
      );
  }
  for (const name of Object.keys(given))
    if (!values.has(name))
      reading.report([], `the experiment has no variable ${name} in its configuration`);
  const secrets = readSecrets(root, environment, reading);
  for (const [name, secret] of secrets) values.set(name, secret);
  return { values, secrets: [...secrets.values()] };
}

function readSecrets(
  root: JsonObject,
  environment: Environment,
  reading: Reading,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const groups = reading.object(root["secrets"] ?? {}, ["secrets"]) ?? {};
  for (const [group, members] of Object.entries(groups))
    for (const [name, value] of Object.entries(reading.object(members, ["secrets", group]) ?? {})) {
      const secret = isJsonObject(value) ? fromSource(value, environment) : undefined;
      if (typeof secret === "string" && secret !== "") found.set(name, secret);
      else
        reading.report(
          ["secrets", group, name],
          `a secret comes from the environment, as {"type": "env", "key": …}, and is set there`,
        );
    }
  return found;
}

function fromSource(value: JsonValue, environment: Environment): JsonValue | undefined {
  if (!isJsonObject(value) || value["type"] !== "env") return value;
  const { key, default: otherwise } = value;
  return (typeof key === "string" ? environment[key] : undefined) ?? otherwise;
}

const placeholder = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Fills in every text of `value`. A text that is one variable alone becomes its value, whatever its type. */
export function fill(
  value: JsonValue,
  variables: Variables,
  path: readonly string[],
  reading: Reading,
): JsonValue {
  if (typeof value === "string") return fillText(value, variables, path, reading);
  if (isJsonArray(value))
    return value.map((item, i) => fill(item, variables, [...path, String(i)], reading));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      fill(item, variables, [...path, key], reading),
    ]),
  );
}

function fillText(
  text: string,
  { values }: Variables,
  path: readonly string[],
  reading: Reading,
): JsonValue {
  const alone = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
  if (alone !== undefined && values.has(alone)) return values.get(alone) ?? null;
  return text.replace(placeholder, (whole, name: string) => {
    const found = values.get(name);
    if (found === undefined) {
      reading.report(path, `${whole} is no variable of the configuration`);
      return whole;
    }
    return typeof found === "string" ? found : JSON.stringify(found);
  });
}
