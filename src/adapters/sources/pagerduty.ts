/** PagerDuty webhooks, version 3 (developer.pagerduty.com/docs/webhooks-overview): incidents, from triggered to resolved. */
import { signalOf } from "./alert-target.ts";
import { at, textAt, timeAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  type Teller,
  tellEach,
  textOf,
} from "./source.ts";

export const pagerDuty: Source = {
  name: "pagerduty",
  version: 1,
  reads: ({ value }) =>
    (textAt(value, "event", "event_type") ?? "").includes(".") &&
    at(value, "event", "data") !== undefined,
  tell: tellEach("pagerduty", tellIncident),
};

function tellIncident(
  teller: Teller,
  { value, reference }: SourceDocument,
): Pick<SourceFault, "path" | "message"> | undefined {
  const type = textAt(value, "event", "event_type") ?? "";
  const occurredAt = timeAt(value, "event", "occurred_at");
  if (occurredAt === undefined)
    return { path: "event.occurred_at", message: "an event has a time in RFC 3339" };
  const data = at(value, "event", "data");
  if (textAt(data, "type") !== "incident" || !type.startsWith("incident.")) {
    teller.note(reference, `${nameOf(type)} says nothing of production; left out`);
    return undefined;
  }
  const id = textAt(data, "id");
  if (id === undefined) return { path: "event.data.id", message: "an incident has an id" };
  const openedAt = timeAt(data, "created_at") ?? occurredAt;
  const service = textAt(data, "service", "summary") ?? textAt(data, "service", "id") ?? "";
  const title = textAt(data, "title") ?? `incident ${id}`;
  teller.tell(`${reference} ${nameOf(id)} ${nameOf(type)}`, occurredAt, {
    ...{ type: "alert", at: openedAt, node: named("service", service), signal: signalOf(title) },
    title: textOf(title),
    ...(type === "incident.resolved" && { resolvedAt: occurredAt }),
  });
  return undefined;
}
