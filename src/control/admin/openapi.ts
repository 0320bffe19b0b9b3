/** The OpenAPI 3.1 document, made from the routes that are served. `schemas/admin.openapi.json` is this, written down. */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { AdminRoute } from "./route.ts";
import { componentSchemas } from "./schemas.ts";

/** What every operation may answer. */
const everywhere: Readonly<Record<string, string>> = {
  "400": "The request is not what the schema says.",
  "401": "No token, or one that proves nothing.",
  "403": "The token proves somebody who is no approver.",
  "429": "More requests than are answered in a minute; Retry-After says when to come back.",
  "503":
    "The store, or the issuer of the token, cannot be reached; nothing has changed, unless the detail says otherwise.",
};
const withBody = { "413": "The body is too large.", "415": "The body is no application/json." };
const whenConditional = { "412": "It has changed since the version in If-Match." };

export function openApiOf(routes: readonly AdminRoute[]): JsonObject {
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes) {
    const others = paths[route.path] ?? {};
    paths[route.path] = { ...others, [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Holdfast admin API",
      version: "1",
      description:
        "Where approvers answer, the kill switch, and questions to the runtime model. Served by the control process; no state changes by GET.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The control process (approvals.url)." }],
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { ...componentSchemas },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description:
            "The token of an approver, or an access token (JWT) of a configured issuer whose audience is approvals.url.",
        },
      },
    },
  };
}

function operationOf(route: AdminRoute): JsonObject {
  const { operation, summary, description, body } = route;
  return {
    operationId: operation,
    summary,
    ...(description !== undefined && { description }),
    parameters: parametersOf(route),
    ...(body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: body } } },
    }),
    responses: responsesOf(route),
  };
}

function parametersOf({ path, query = {}, conditional }: AdminRoute): readonly JsonObject[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: "query", schema }));
  const ifMatch = {
    ...{ name: "If-Match", in: "header", schema: { type: "string" } },
    description: "The ETag that was seen; refused with 412 when the approval has changed since.",
  };
  return [...inPath, ...inQuery, ...(conditional === true ? [ifMatch] : [])];
}

function responsesOf({ success, refusals, body, conditional }: AdminRoute): JsonObject {
  const { status, description, schema, headers = {} } = success;
  const named = Object.entries(headers).map(([name, what]) => [
    name,
    { description: what, schema: { type: "string" } },
  ]);
  const problems = {
    ...everywhere,
    ...(body !== undefined && withBody),
    ...(conditional === true && whenConditional),
    ...refusals,
  };
  return {
    [String(status)]: {
      description,
      ...(named.length > 0 && { headers: Object.fromEntries(named) as JsonObject }),
      ...(schema !== undefined && { content: { "application/json": { schema: ref(schema) } } }),
    },
    ...Object.fromEntries(
      Object.entries(problems).map(([code, what]) => [
        code,
        {
          description: what,
          content: { "application/problem+json": { schema: ref("Problem") } },
        },
      ]),
    ),
  };
}

function ref(component: string): JsonObject {
  return { $ref: `#/components/schemas/${component}` };
}
