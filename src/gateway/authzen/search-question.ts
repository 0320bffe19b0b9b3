/** The questions of section 8 as values. What is searched for has no id, or one that is ignored. */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import {
  objectAt,
  optionalObject,
  type Question,
  readAction,
  readEntity,
  textAt,
} from "./question.ts";

export type SearchKind = "subject" | "resource" | "action";

/** What was asked for: where to go on, and how many results at most. */
export interface Page {
  readonly token?: string;
  readonly limit?: number;
}

export interface SearchQuestion {
  readonly kind: SearchKind;
  /** The question without what is searched for; its place holds an empty id or name, and no properties. */
  readonly open: Question;
  readonly page: Page;
}

/** One search. The error names the field. */
export function readSearch(kind: SearchKind, body: JsonValue): Result<SearchQuestion, string> {
  if (!isJsonObject(body)) return err("the body must be a JSON object");
  const subject = kind === "subject" ? searchedFor(body, "subject") : readEntity(body, "subject");
  if (!subject.ok) return subject;
  const resource =
    kind === "resource" ? searchedFor(body, "resource") : readEntity(body, "resource");
  if (!resource.ok) return resource;
  const action = kind === "action" ? ok({ name: "", properties: {} }) : readAction(body);
  if (!action.ok) return action;
  const context = optionalObject(body, "context", "");
  if (!context.ok) return context;
  const page = readPage(body);
  if (!page.ok) return page;
  const open = {
    subject: subject.value,
    action: action.value,
    resource: resource.value,
    context: context.value,
  };
  return ok({ kind, open, page: page.value });
}

/** The question about one candidate: exactly what an evaluation of it would ask. */
export function questionAbout({ kind, open }: SearchQuestion, candidate: string): Question {
  if (kind === "action") return { ...open, action: { ...open.action, name: candidate } };
  return { ...open, [kind]: { ...open[kind], id: candidate } };
}

/** Identifiers only, for the record. */
export function identifiersOf({ kind, open }: SearchQuestion): JsonObject {
  const { subject, action, resource } = open;
  const name = ({ type, id }: Question["subject"], open: boolean): JsonObject =>
    open ? { type } : { type, id };
  return {
    subject: name(subject, kind === "subject"),
    resource: name(resource, kind === "resource"),
    ...(kind === "action" ? {} : { action: { name: action.name } }),
  };
}

/** Of what is searched for only the type counts: results must be permitted as they are given out. */
function searchedFor(
  body: JsonObject,
  field: "subject" | "resource",
): Result<Question["subject"], string> {
  const object = objectAt(body, field);
  if (!object.ok) return object;
  const type = textAt(object.value, field, "type");
  return type.ok ? ok({ type: type.value, id: "", properties: {} }) : type;
}

/** `token` is what `next_token` was; an empty one, which ended the results, begins anew. */
function readPage(body: JsonObject): Result<Page, string> {
  const page = optionalObject(body, "page", "");
  if (!page.ok) return page;
  const { token, limit } = page.value;
  if (token !== undefined && typeof token !== "string") return err("`page.token` must be a string");
  if (limit !== undefined && !(typeof limit === "number" && Number.isInteger(limit) && limit >= 0))
    return err("`page.limit` must be a whole number from 0 up");
  return ok({
    ...(token === undefined || token === "" ? {} : { token }),
    ...(limit === undefined ? {} : { limit: limit as number }),
  });
}
