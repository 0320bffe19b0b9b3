/** OpenAPI documents as routes with schemas of their arguments. */
import { expect, test } from "vitest";
import { readOpenApiFile } from "../../../../src/adapters/openapi/index.ts";
import {
  type HttpRoute,
  readOpenApi,
  toolOfRoute,
} from "../../../../src/gateway/http-tools/index.ts";
import type { JsonObject, JsonValue } from "../../../../src/kernel/index.ts";

function document(paths: JsonValue, components: JsonObject = {}): JsonObject {
  return { openapi: "3.0.3", info: { title: "x", version: "1" }, paths, components };
}

function routesOf(value: JsonObject): readonly HttpRoute[] {
  const table = readOpenApi(value);
  if (!table.ok) throw new Error(table.error.join("\n"));
  return table.value.routes;
}

const problemsOf = (value: JsonObject): readonly string[] => {
  const table = readOpenApi(value);
  return table.ok ? [] : table.error;
};

test("the payments example: tools, types and the schema of the body", async () => {
  const file = await readOpenApiFile("examples/payments/openapi.yaml");
  if (!file.ok) throw new Error(file.error);
  const table = readOpenApi(file.value);
  if (!table.ok) throw new Error(table.error.join("\n"));
  const schemas = new Map(
    table.value.routes.map((route) => [toolOfRoute("payments", route), route.argsSchema]),
  );
  expect([...schemas.keys()]).toEqual([
    "payments:GET /payments",
    "payments:POST /payments",
    "payments:GET /payments/{id}",
  ]);
  expect(schemas.get("payments:POST /payments")).toMatchObject({
    required: ["path", "query", "body"],
    properties: { body: { type: "object", properties: { amount: { type: "number" } } } },
  });
  expect(table.value.routes[0]?.queryTypes).toEqual({ limit: "integer" });
  expect(table.value.routes[2]?.pathTypes).toEqual({ id: "string" });
});

test("references, shared parameters, the 3.0 dialect, and names that look like keywords", () => {
  const [route] = routesOf(
    document(
      {
        "/a/{id}": {
          parameters: [
            { $ref: "#/components/parameters/Id" },
            { name: "tags", in: "query", schema: { type: "array", items: { type: "integer" } } },
            {
              name: "csv",
              in: "query",
              explode: false,
              schema: { type: "array", items: { type: "string" } },
            },
          ],
          put: {
            parameters: [{ name: "tags", in: "query", schema: { type: "string" } }],
            requestBody: { $ref: "#/components/requestBodies/B" },
          },
        },
      },
      {
        parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "integer" } } },
        requestBodies: {
          B: { content: { "application/json": { schema: { $ref: "#/components/schemas/S~1x" } } } },
        },
        schemas: {
          "S/x": {
            type: "object",
            properties: {
              example: { type: "string", nullable: true, example: "dropped" },
              required: { type: "number", minimum: 0, exclusiveMinimum: true },
              again: { $ref: "#/components/schemas/S~1x" },
            },
          },
        },
      },
    ),
  );
  expect(route).toMatchObject({
    method: "PUT",
    template: "/a/{id}",
    pathTypes: { id: "integer" },
    queryTypes: { tags: "string" },
    argsSchema: {
      required: ["path", "query"],
      properties: {
        path: { required: ["id"], additionalProperties: false },
        query: { properties: { csv: { anyOf: [{ type: "string" }, { type: "array" }] } } },
        body: {
          type: "object",
          properties: {
            example: { type: ["string", "null"] },
            required: { type: "number", exclusiveMinimum: 0 },
            again: {},
          },
        },
      },
    },
  });
  expect(JSON.stringify(route)).not.toMatch(/dropped|\$ref/);
});

test("what cannot be used is named with its place", () => {
  expect(problemsOf({ swagger: "2.0" })[0]).toMatch(/^\/openapi: null/);
  expect(problemsOf({ openapi: "3.2.0", paths: {} })[0]).toMatch(/3\.2\.0/);
  expect(problemsOf({ openapi: "3.1.0" })[0]).toMatch(/^\/paths/);
  expect(problemsOf(document({ "/a": { get: { $ref: "#/nowhere" } } }))[0]).toBe(
    "/paths/~1a/get: #/nowhere is not a place in this document",
  );
  expect(problemsOf(document({ "/a": { $ref: "other.yaml" } }))[0]).toMatch(/other\.yaml/);
  expect(problemsOf(document({ "/{a}{b}": { get: {} } }))[0]).toMatch(/must hold one/);
  expect(problemsOf(document({ "/a": { $ref: "#/paths/~1a" } }))[0]).toMatch(/not a place/);
});
