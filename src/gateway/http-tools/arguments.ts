/** A request as the arguments that are judged, `{ path, query, body }`, and the judged arguments as a request. */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import { type ReadBody, writeBody } from "./body.ts";
import type { HttpRefusal } from "./refusal.ts";
import { fillTemplate, type HttpRoute, type ParameterType } from "./routes.ts";
import { type Parameters, readPath, scalarText, writeParameters, writePath } from "./target.ts";

/** Gives each parameter the type its schema declares. A text that is not exactly one value of that type is refused. */
export function readArguments(
  route: HttpRoute,
  path: Readonly<Record<string, string>>,
  query: Parameters,
  body: ReadBody,
): Result<JsonObject, HttpRefusal> {
  const typedPath = typed(path, route.pathTypes ?? {}, "path");
  if (!typedPath.ok) return typedPath;
  const typedQuery = typed(query, route.queryTypes ?? {}, "query");
  if (!typedQuery.ok) return typedQuery;
  const value = body.value === undefined ? {} : { body: body.value };
  // In the order of canonical JSON, which these are digested and recorded as.
  return ok({ ...value, path: typedPath.value, query: typedQuery.value });
}

function typed(
  values: Parameters,
  types: Readonly<Record<string, ParameterType | readonly [ParameterType]>>,
  where: "path" | "query",
): Result<JsonObject, HttpRefusal> {
  const result: Record<string, JsonValue> = Object.create(null);
  for (const [name, text] of Object.entries(values)) {
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    const value = readTyped(text, type);
    if (value === undefined) {
      return err({
        status: 400,
        code: "bad_request",
        detail: `The ${where} parameter ${JSON.stringify(name)} must be ${typeof type === "object" ? `${type[0]} values` : `one ${type}`}.`,
        next: "Write the value in its plain form.",
      });
    }
    result[name] = value;
  }
  return ok(result);
}

/** A list where the type is a list, or where nothing is declared and the name was repeated. */
function readTyped(
  text: string | readonly string[],
  type: ParameterType | readonly [ParameterType] | undefined,
): JsonValue | undefined {
  if (type === undefined) return text;
  if (typeof type === "string")
    return typeof text === "string" ? readScalar(text, type) : undefined;
  const values = [text].flat().map((one) => readScalar(one, type[0]));
  return values.some((one) => one === undefined) ? undefined : (values as readonly JsonValue[]);
}

/** Only the one text that a value is written as is read as that value, so judged and sent cannot differ. */
function readScalar(text: string, type: ParameterType): JsonValue | undefined {
  if (type === "string") return text;
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  const value = Number(text);
  if (String(value) !== text || !Number.isFinite(value)) return undefined;
  const integer = Number.isInteger(value);
  if (integer && !Number.isSafeInteger(value)) return undefined;
  return type === "integer" && !integer ? undefined : value;
}

export interface Target {
  /** Path and query, written from the judged values. */
  readonly target: string;
  readonly body?: Uint8Array;
}

/** Writes the request that was judged. The error says why it can no longer be written; then nothing is sent. */
export function writeRequest(
  route: HttpRoute,
  read: ReadBody,
  args: JsonObject,
): Result<Target, string> {
  const path = isJsonObject(args["path"]) ? args["path"] : {};
  const query = isJsonObject(args["query"]) ? args["query"] : {};
  const segments = fillTemplate(route.template, (name) =>
    Object.hasOwn(path, name) ? scalarText(path[name]) : undefined,
  );
  if (segments === undefined) return err("a path parameter is missing after obligations");
  const written = writePath(segments);
  const again = readPath(written);
  if (!again.ok) return err(`the judged path holds ${again.error}`);
  const parameters = writeParameters(query);
  if (!parameters.ok) return parameters;
  const body = writeBody(read, args["body"]);
  if (!body.ok) return body;
  const target = parameters.value === "" ? written : `${written}?${parameters.value}`;
  return ok(body.value === undefined ? { target } : { target, body: body.value });
}
