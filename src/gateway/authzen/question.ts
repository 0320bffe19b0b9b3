/** AuthZEN 1.0 questions as values (Authorization API 1.0, sections 5 to 7). Unknown fields are ignored. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";

export interface Question {
  readonly subject: { readonly type: string; readonly id: string; readonly properties: JsonObject };
  readonly action: { readonly name: string; readonly properties: JsonObject };
  readonly resource: {
    readonly type: string;
    readonly id: string;
    readonly properties: JsonObject;
  };
  readonly context: JsonObject;
}

export type Semantic = "execute_all" | "deny_on_first_deny" | "permit_on_first_permit";

/** `single` is also an evaluations request without evaluations (7.1.1). */
export type Questions =
  | { readonly kind: "single"; readonly question: Question }
  | { readonly kind: "many"; readonly items: readonly Item[]; readonly semantic: Semantic };

/** One of many: a question, or what is wrong with it; a fault inside does not fail the whole (7.2.1). */
export type Item = Result<Question, string>;

/** One question. The error names the field. */
export function readQuestion(body: JsonValue): Result<Question, string> {
  if (!isJsonObject(body)) return err("the body must be a JSON object");
  const subject = readEntity(body, "subject");
  if (!subject.ok) return subject;
  const resource = readEntity(body, "resource");
  if (!resource.ok) return resource;
  const action = readAction(body);
  if (!action.ok) return action;
  const context = optionalObject(body, "context", "");
  if (!context.ok) return context;
  return ok({
    subject: subject.value,
    action: action.value,
    resource: resource.value,
    context: context.value,
  });
}

/** Many questions; each takes from the top level what it does not say itself (7.1.1). */
export function readQuestions(body: JsonValue, countMax: number): Result<Questions, string> {
  if (!isJsonObject(body)) return err("the body must be a JSON object");
  const items = body["evaluations"];
  if (items !== undefined && !isJsonArray(items)) return err("`evaluations` must be an array");
  const semantic = readSemantic(body["options"]);
  if (!semantic.ok) return semantic;
  if (items === undefined || items.length === 0) {
    const single = readQuestion(body);
    return single.ok ? ok({ kind: "single", question: single.value }) : single;
  }
  if (items.length > countMax)
    return err(`more than ${countMax} \`evaluations\` (limits.evaluations_max)`);
  const wrong = shared.find((key) => body[key] !== undefined && !isJsonObject(body[key]));
  if (wrong !== undefined) return err(`\`${wrong}\` must be an object`);
  return ok({
    kind: "many",
    items: items.map((item) =>
      isJsonObject(item) ? readQuestion(withDefaults(item, body)) : err("must be an object"),
    ),
    semantic: semantic.value,
  });
}

/** What an item takes from the top level. */
const shared = ["subject", "action", "resource", "context"] as const;

function withDefaults(item: JsonObject, defaults: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = {};
  for (const key of shared) {
    const value = Object.hasOwn(item, key) ? item[key] : defaults[key];
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

const semantics: readonly string[] = [
  "execute_all",
  "deny_on_first_deny",
  "permit_on_first_permit",
];

function readSemantic(options: JsonValue | undefined): Result<Semantic, string> {
  if (options === undefined) return ok("execute_all");
  if (!isJsonObject(options)) return err("`options` must be an object");
  const semantic = options["evaluations_semantic"] ?? "execute_all";
  if (typeof semantic === "string" && semantics.includes(semantic)) return ok(semantic as Semantic);
  return err(`\`options.evaluations_semantic\` must be one of ${semantics.join(", ")}`);
}

/** A subject or resource that says who or what it is. */
export function readEntity(
  body: JsonObject,
  field: "subject" | "resource",
): Result<Question["subject"], string> {
  const object = objectAt(body, field);
  if (!object.ok) return object;
  const id = textAt(object.value, field, "id");
  if (!id.ok) return id;
  const type = textAt(object.value, field, "type");
  if (!type.ok) return type;
  const properties = optionalObject(object.value, "properties", `${field}.`);
  if (!properties.ok) return properties;
  return ok({ type: type.value, id: id.value, properties: properties.value });
}

export function readAction(body: JsonObject): Result<Question["action"], string> {
  const object = objectAt(body, "action");
  if (!object.ok) return object;
  const name = textAt(object.value, "action", "name");
  if (!name.ok) return name;
  const properties = optionalObject(object.value, "properties", "action.");
  return properties.ok ? ok({ name: name.value, properties: properties.value }) : properties;
}

export function objectAt(body: JsonObject, field: string): Result<JsonObject, string> {
  const object = body[field];
  return isJsonObject(object) ? ok(object) : err(`\`${field}\` must be an object`);
}

export function textAt(object: JsonObject, field: string, key: string): Result<string, string> {
  const text = object[key];
  if (typeof text === "string" && text !== "") return ok(text);
  return err(`\`${field}.${key}\` must be a string that is not empty`);
}

export function optionalObject(
  of: JsonObject,
  key: string,
  prefix: string,
): Result<JsonObject, string> {
  const value = of[key];
  if (value === undefined) return ok({});
  return isJsonObject(value) ? ok(value) : err(`\`${prefix}${key}\` must be an object`);
}
