/**
 * CDEvents (cdevents.dev): what a delivery pipeline did, with the links by which one event led to another. In its own JSON,
 * or as the `data` of a CloudEvent.
 */
import type { JsonObject, JsonValue } from "../../kernel/index.ts";
import type { ChangeKind, NodeId } from "../../model/index.ts";
import { at, listAt, objectAt, textAt, timeAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceFault,
  type Teller,
  tellEach,
  textOf,
} from "./source.ts";

const typePrefix = "dev.cdevents.";

/** Predicates that change production; every other event is a step that may lead to one. */
const changes: Readonly<Record<string, ChangeKind>> = {
  "service.deployed": "deploy",
  "service.upgraded": "deploy",
  "service.rolledback": "deploy",
  "service.removed": "deploy",
  "change.merged": "commit",
  "environment.created": "infrastructure",
  "environment.modified": "infrastructure",
  "environment.deleted": "infrastructure",
};

export const cdevents: Source = {
  name: "cdevents",
  version: 1,
  reads: ({ value }) => contextOf(value) !== undefined,
  tell: tellEach("cdevents", (teller, { value, reference }) => {
    const event = contextOf(value);
    return event === undefined ? undefined : tellEvent(teller, reference, event);
  }),
};

/** The event itself, however it is wrapped. */
function contextOf(value: JsonValue): JsonObject | undefined {
  for (const event of [value, at(value, "data")])
    if ((textAt(event, "context", "type") ?? "").startsWith(typePrefix)) return objectAt(event);
  return undefined;
}

function tellEvent(
  teller: Teller,
  reference: string,
  event: JsonObject,
): Pick<SourceFault, "path" | "message"> | undefined {
  const context = objectAt(event, "context");
  const id = textAt(context, "id");
  const when = timeAt(context, "timestamp");
  if (id === undefined) return { path: "context.id", message: "a CDEvent has an id" };
  if (when === undefined)
    return { path: "context.timestamp", message: "a CDEvent has a time in RFC 3339" };
  const [subject = "", predicate = ""] = (textAt(context, "type") ?? "")
    .slice(typePrefix.length)
    .split(".");
  const what = `${subject}.${predicate}`;
  const node = eventNode(id);
  const causes = causesOf(context);
  for (const cause of causes)
    teller.tell(`${reference} ${nameOf(id)}`, when, {
      ...{ type: "edge", at: when, from: node, to: cause, kind: "changed_by", basis: "declared" },
    });
  const content = objectAt(event, "subject", "content");
  const name = textAt(event, "subject", "id") ?? id;
  const title = textOf(`${what} ${name}`);
  if (subject === "incident")
    return tellIncident(teller, `${reference} ${nameOf(id)}`, when, { event, predicate, title });
  const kind = changes[what];
  if (kind === undefined)
    teller.tell(`${reference} ${nameOf(id)}`, when, {
      ...{ type: "node", at: when, node, aspect: "event" },
      value: {
        type: nameOf(what),
        subject: nameOf(name),
        outcome: nameOf(textAt(content, "outcome") ?? ""),
      },
    });
  else
    teller.tell(`${reference} ${nameOf(id)}`, when, {
      ...{ type: "change", at: when, change: node, kind, title },
      targets: targetsOf(subject, event),
      ...(textAt(content, "artifactId") !== undefined && {
        after: nameOf(textAt(content, "artifactId") ?? ""),
      }),
      causedBy: causes,
    });
  return undefined;
}

/** Links name events by the id of their context, whatever kind of event it is; so do these nodes. */
function eventNode(contextId: string): NodeId {
  return named("deploy", `cdevent/${contextId}`);
}

/** What came before: a path leads from it to this event, a relation points at it. */
function causesOf(context: JsonObject): readonly NodeId[] {
  const ids = listAt(context, "links").flatMap((link) => {
    const type = textAt(link, "linkType");
    const { from: before, target } = objectAt(link);
    if (type === "PATH" || type === "END") return textAt(before, "contextId") ?? [];
    return type === "RELATION" ? (textAt(target, "contextId") ?? []) : [];
  });
  return [...new Set(ids)].map(eventNode);
}

function targetsOf(subject: string, event: JsonObject): readonly NodeId[] {
  const id = textAt(event, "subject", "id") ?? "";
  const content = objectAt(event, "subject", "content");
  if (subject === "environment") return [named("zone", id)];
  if (subject === "change") {
    const repository = textAt(content, "repository", "id") ?? textAt(content, "repository", "name");
    return repository === undefined ? [] : [named("service", repository.split("/").at(-1) ?? "")];
  }
  return [named("service", id.split("/").at(-1) ?? id)];
}

function tellIncident(
  teller: Teller,
  reference: string,
  when: number,
  { event, predicate, title }: { event: JsonObject; predicate: string; title: string },
): undefined {
  const content = objectAt(event, "subject", "content");
  const service = textAt(content, "service", "id") ?? textAt(event, "subject", "id") ?? "";
  const id = textAt(event, "subject", "id") ?? "";
  const node = named("service", service.split("/").at(-1) ?? service);
  // `detected` and `reported` open it; when it was resolved is told by another event of the same subject.
  if (predicate === "resolved")
    teller.tell(reference, when, {
      ...{ type: "condition", at: when, node, name: "IncidentResolved", status: "false" },
      message: title,
    });
  else
    teller.tell(reference, when, {
      ...{ type: "alert", at: when, node, signal: "other" },
      title: textOf(textAt(content, "description") ?? `incident ${id}`),
    });
  return undefined;
}
