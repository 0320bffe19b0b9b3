/**
 * Reads an OpenAPI 3.0 or 3.1 document as a route list: names of tools, and a JSON Schema of each tool's arguments.
 * Only what those need is read; `servers` is ignored, because the configured base address is the truth.
 */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  type Result,
} from "../../kernel/index.ts";
import { SchemaReader } from "./openapi-schema.ts";
import { type HttpRoute, type ParameterType, type RouteTable, routeTable } from "./routes.ts";

const methods = ["get", "head", "options", "post", "put", "patch", "delete"] as const;

/** The errors say where in the document (JSON Pointer) and what to change. */
export function readOpenApi(document: JsonObject): Result<RouteTable, readonly string[]> {
  const version = document["openapi"];
  if (typeof version !== "string" || !/^3\.[01]\./.test(version)) {
    return err([`/openapi: ${JSON.stringify(version ?? null)} is not 3.0.x or 3.1.x`]);
  }
  const reader = new SchemaReader(document);
  const paths = document["paths"];
  if (!isJsonObject(paths)) return err(["/paths: an object of paths is needed"]);
  const routes = Object.entries(paths).flatMap(([template, raw]) =>
    readPathItem(reader, template, raw),
  );
  return reader.problems.length > 0 ? err(reader.problems) : routeTable(routes);
}

function readPathItem(
  reader: SchemaReader,
  template: string,
  raw: JsonValue,
): readonly HttpRoute[] {
  const where = `/paths/${template.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const item = reader.object(raw, where) ?? {};
  return methods.flatMap((method) => {
    if (item[method] === undefined) return [];
    const operation = reader.object(item[method], `${where}/${method}`);
    return operation === undefined
      ? []
      : [readRoute(reader, template, method, item, operation, where)];
  });
}

type QueryType = ParameterType | readonly [ParameterType];

function readRoute(
  reader: SchemaReader,
  template: string,
  method: string,
  item: JsonObject,
  operation: JsonObject,
  where: string,
): HttpRoute {
  const parameters = mergedParameters(reader, item, operation, `${where}/${method}`);
  const path = parameterObject(reader, parameters, "path");
  const query = parameterObject(reader, parameters, "query");
  const body = readRequestBody(reader, operation["requestBody"], `${where}/${method}/requestBody`);
  const description = operation["description"] ?? operation["summary"];
  return {
    method: method.toUpperCase(),
    template,
    ...(typeof description === "string" ? { description } : {}),
    pathTypes: path.types as Readonly<Record<string, ParameterType>>,
    queryTypes: query.types,
    argsSchema: {
      type: "object",
      additionalProperties: false,
      required: ["path", "query", ...(body?.required === true ? ["body"] : [])],
      properties: {
        path: path.schema,
        query: query.schema,
        ...(body === undefined ? {} : { body: body.schema }),
      },
    },
  };
}

/** An operation's parameter replaces the path item's of the same name and place. */
function mergedParameters(
  reader: SchemaReader,
  item: JsonObject,
  operation: JsonObject,
  where: string,
): readonly JsonObject[] {
  const merged = new Map<string, JsonObject>();
  for (const list of [item["parameters"], operation["parameters"]]) {
    for (const raw of isJsonArray(list) ? list : []) {
      const parameter = reader.object(raw, `${where}/parameters`);
      if (parameter !== undefined) merged.set(`${parameter["in"]}:${parameter["name"]}`, parameter);
    }
  }
  return [...merged.values()];
}

function parameterObject(
  reader: SchemaReader,
  parameters: readonly JsonObject[],
  place: "path" | "query",
): { readonly schema: JsonObject; readonly types: Readonly<Record<string, QueryType>> } {
  const properties: Record<string, JsonValue> = Object.create(null);
  const types: Record<string, QueryType> = Object.create(null);
  const required: string[] = [];
  for (const parameter of parameters.filter((one) => one["in"] === place)) {
    const name = String(parameter["name"]);
    const declared = reader.schema(parameter["schema"] ?? {}, `parameter ${name}`);
    const type = wireType(declared, parameter, place);
    if (type !== undefined) types[name] = type;
    properties[name] = type === undefined ? untyped : declared;
    if (parameter["required"] === true || place === "path") required.push(name);
  }
  // Query parameters that the document does not name are passed on as text, so the schema leaves room for them.
  const schema = { type: "object", properties, required, additionalProperties: place === "query" };
  return { schema, types };
}

/** A parameter that is not read as one scalar or a list of them arrives as text, or as a list when repeated. */
const untyped: JsonObject = {
  anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
};

function wireType(
  schema: JsonObject,
  parameter: JsonObject,
  place: "path" | "query",
): QueryType | undefined {
  const scalar = scalarType(schema);
  if (scalar !== undefined) return scalar;
  const items = schema["items"];
  const repeated = parameter["explode"] !== false && (parameter["style"] ?? "form") === "form";
  if (place === "path" || schema["type"] !== "array" || !repeated || !isJsonObject(items)) {
    return undefined;
  }
  const of = scalarType(items);
  return of === undefined ? undefined : [of];
}

function scalarType(schema: JsonObject): ParameterType | undefined {
  const type = schema["type"];
  return type === "string" || type === "integer" || type === "number" || type === "boolean"
    ? type
    : undefined;
}

interface RequestBody {
  readonly schema: JsonObject;
  readonly required: boolean;
}

const opaqueBody: JsonObject = {
  type: "object",
  properties: {
    digest: { type: "string" },
    bytes: { type: "integer" },
    media_type: { type: "string" },
  },
  required: ["digest", "bytes", "media_type"],
  additionalProperties: false,
};

function readRequestBody(
  reader: SchemaReader,
  raw: JsonValue | undefined,
  where: string,
): RequestBody | undefined {
  if (raw === undefined) return undefined;
  const body = reader.object(raw, where);
  if (body === undefined) return undefined;
  const content = isJsonObject(body["content"]) ? body["content"] : {};
  const schemas: JsonObject[] = [];
  for (const [mediaType, media] of Object.entries(content)) {
    const schema = isJsonObject(media) ? media["schema"] : undefined;
    schemas.push(bodySchema(reader, mediaType, schema, `${where}/content/${mediaType}`));
  }
  const [only] = schemas;
  const schema = schemas.length === 1 && only !== undefined ? only : anyOf(schemas);
  return { schema, required: body["required"] === true };
}

function anyOf(schemas: JsonArray): JsonObject {
  return schemas.length === 0 ? {} : { anyOf: schemas };
}

function bodySchema(
  reader: SchemaReader,
  mediaType: string,
  schema: JsonValue | undefined,
  where: string,
): JsonObject {
  const type = mediaType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type === "application/json" || type.endsWith("+json"))
    return reader.schema(schema ?? {}, where);
  // Every value of a form arrives as text.
  if (type === "application/x-www-form-urlencoded")
    return { type: "object", additionalProperties: untyped };
  return opaqueBody;
}
