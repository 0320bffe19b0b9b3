/** JSON Schema 2020-12, checked by Ajv. */
import { Ajv } from "ajv";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { JsonObject } from "../../kernel/index.ts";

export interface SchemaProblem {
  /** From the root inward: keys, and indexes as text. */
  readonly path: readonly string[];
  /** The schema's keyword that failed: `required`, `additionalProperties`, `type`, … */
  readonly keyword: string;
  readonly message: string;
  /** The key that should not be there. */
  readonly unknownKey?: string;
  /** The words or keys that would have been valid there. */
  readonly allowed?: readonly string[];
}

/** Checks a value and fills in the defaults of the schema, in place. No problems means valid. */
export type SchemaCheck = (value: unknown) => readonly SchemaProblem[];

/** Throws when the schema itself is not valid. */
export function compileSchema(schema: JsonObject): SchemaCheck {
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, verbose: true, strict: true });
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : worthSaying(validate.errors ?? []).map(asProblem));
}

/** A schema of draft 7 that others publish: only its verdict counts, not its style, and formats are left to its patterns. */
export function compilePublishedSchema(schema: JsonObject): SchemaCheck {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(asProblem));
}

/** What failed inside an alternative says less than that no alternative fits; the wrong type says all there is to say. */
function worthSaying(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const alternatives = errors.filter(({ keyword }) => keyword === "anyOf" || keyword === "oneOf");
  const outer = errors.filter(
    (error) =>
      error.keyword !== "propertyNames" &&
      error.keyword !== "if" &&
      !alternatives.some(({ schemaPath }) => error.schemaPath.startsWith(`${schemaPath}/`)),
  );
  const wrongTypes = outer.filter(({ keyword }) => keyword === "type");
  const worth = outer.filter(
    (error) =>
      error.keyword === "type" ||
      !wrongTypes.some(({ instancePath }) => error.instancePath === instancePath),
  );
  // Leaving something out may never turn an invalid value into a valid one.
  return worth.length > 0 ? worth : errors;
}

function asProblem(error: ErrorObject): SchemaProblem {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const { keyword, params, parentSchema } = error;
  const common = { path, keyword };
  if (keyword === "additionalProperties") {
    const unknownKey = String(params["additionalProperty"]);
    const allowed = Object.keys((parentSchema?.["properties"] as object | undefined) ?? {});
    return {
      ...common,
      unknownKey,
      allowed,
      message: `unknown field ${JSON.stringify(unknownKey)}`,
    };
  }
  if (keyword === "required") {
    return {
      ...common,
      message: `the field ${JSON.stringify(params["missingProperty"])} is missing`,
    };
  }
  if (keyword === "enum") {
    const allowed = (params["allowedValues"] as readonly unknown[]).map(String);
    return { ...common, allowed, message: `expected one of ${allowed.join(", ")}` };
  }
  if (error.propertyName !== undefined) {
    const unknownKey = error.propertyName;
    return {
      ...common,
      unknownKey,
      message: `${JSON.stringify(unknownKey)} ${expectation(error)}`,
    };
  }
  return { ...common, message: expectation(error) };
}

/** The schema's own words for what belongs here, else Ajv's. */
function expectation({ parentSchema, keyword, message = "is not valid" }: ErrorObject): string {
  const said = parentSchema?.["description"];
  const ownWords = [
    "pattern",
    "anyOf",
    "oneOf",
    "format",
    "const",
    "minProperties",
    "maxProperties",
  ];
  return ownWords.includes(keyword) && typeof said === "string" ? `must be: ${said}` : message;
}
