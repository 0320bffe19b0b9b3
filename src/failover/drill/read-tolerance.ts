/** What a probe's output must be, in Chaos Toolkit's forms: a value, a list, regex, jsonpath or range. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { Tolerance } from "./experiment.ts";
import type { Reading } from "./reading.ts";

export function readTolerance(
  value: JsonValue,
  path: readonly string[],
  reading: Reading,
): Tolerance | undefined {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return { kind: "equals", value };
  if (isJsonArray(value)) return { kind: "among", values: value };
  if (!isJsonObject(value)) return reading.report(path, "null is no tolerance");
  reading.only(value, path, ["type", "pattern", "path", "expect", "count", "range", "target"]);
  const { type } = value;
  const target = typeof value["target"] === "string" ? { target: value["target"] } : {};
  if (type === "regex")
    return {
      kind: "regex",
      pattern: reading.text(value["pattern"], [...path, "pattern"]),
      ...target,
    };
  if (type === "range") return readRange(value, path, target, reading);
  if (type === "jsonpath") return readJsonPath(value, path, target, reading);
  return reading.report(
    [...path, "type"],
    `a tolerance is regex, jsonpath or range, not "${String(type)}"`,
  );
}

function readRange(
  value: JsonObject,
  path: readonly string[],
  target: { readonly target?: string },
  reading: Reading,
): Tolerance | undefined {
  const [from, to, ...more] = reading.list(value["range"], [...path, "range"]);
  if (typeof from !== "number" || typeof to !== "number" || more.length > 0)
    return reading.report([...path, "range"], "a range is two numbers, both inclusive");
  return { kind: "range", from, to, ...target };
}

function readJsonPath(
  value: JsonObject,
  path: readonly string[],
  target: { readonly target?: string },
  reading: Reading,
): Tolerance | undefined {
  const steps = stepsOf(reading.text(value["path"], [...path, "path"]));
  if (steps === undefined)
    return reading.report(
      [...path, "path"],
      "only plain paths are read: $.a.b[0]['c'], without wildcards and filters",
    );
  const { expect, count } = value;
  if (count !== undefined && typeof count !== "number")
    return reading.report([...path, "count"], "count is a number");
  const wanted = expect === undefined ? undefined : isJsonArray(expect) ? expect : [expect];
  return {
    ...{ kind: "jsonpath", path: steps, ...target },
    ...(wanted === undefined ? {} : { expect: wanted }),
    ...(count === undefined ? {} : { count }),
  };
}

/** The steps of a singular query (RFC 9535, section 2.3.5.1 in its plain forms). */
function stepsOf(text: string): readonly (string | number)[] | undefined {
  if (!text.startsWith("$")) return undefined;
  const step = /\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\['([^'\\]*)'\]/y;
  const steps: (string | number)[] = [];
  for (let at = 1; at < text.length; at = step.lastIndex) {
    step.lastIndex = at;
    const found = step.exec(text);
    if (found === null) return undefined;
    steps.push(found[2] === undefined ? (found[1] ?? found[3] ?? "") : Number(found[2]));
  }
  return steps;
}
