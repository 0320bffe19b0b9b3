/** Alertmanager webhooks, version 4 (prometheus.io/docs/alerting/latest/configuration/#webhook_config). */
import { err, type JsonValue, ok, type Result } from "../../kernel/index.ts";
import { signalOf, targetOf } from "./alert-target.ts";
import { at, listAt, objectAt, textAt, timeAt } from "./members.ts";
import {
  named,
  type Source,
  type SourceDocument,
  type SourceFault,
  Teller,
  type Told,
  textOf,
} from "./source.ts";

export const alertmanager: Source = {
  name: "alertmanager",
  version: 1,
  reads: ({ value }) =>
    at(value, "alerts") !== undefined &&
    (at(value, "groupKey") !== undefined || at(value, "receiver") !== undefined),
  tell: (documents): Result<Told, SourceFault> => {
    const teller = new Teller("alertmanager");
    for (const document of documents)
      for (const [index, alert] of listAt(document.value, "alerts").entries()) {
        const fault = tellAlert(teller, document, alert);
        if (fault !== undefined) {
          const path = `alerts[${index}].startsAt`;
          return err({ reference: document.reference, path, message: fault });
        }
      }
    return ok(teller.told);
  },
};

function tellAlert(
  teller: Teller,
  { reference, receivedAt }: SourceDocument,
  alert: JsonValue,
): string | undefined {
  const labels = objectAt(alert, "labels");
  const startsAt = timeAt(alert, "startsAt");
  if (startsAt === undefined) return "an alert has a time in RFC 3339 from which it fires";
  const name = textAt(labels, "alertname") ?? "alert";
  const summary =
    textAt(alert, "annotations", "summary") ?? textAt(alert, "annotations", "message");
  // What still fires is told with the end of year 1.
  const endsAt = textAt(alert, "status") === "resolved" ? timeAt(alert, "endsAt") : undefined;
  const operation = textAt(labels, "operation") ?? textAt(labels, "handler");
  teller.tell(
    `${reference} ${textOf(textAt(alert, "fingerprint") ?? name)}`,
    Math.max(endsAt ?? startsAt, receivedAt),
    {
      ...{ type: "alert", at: startsAt, node: targetOf(labels) ?? named("observer", name) },
      signal: signalOf(`${name} ${summary ?? ""}`),
      ...(operation !== undefined && { operation: textOf(operation) }),
      title: textOf(summary === undefined ? name : `${name}: ${summary}`),
      ...(endsAt !== undefined && endsAt > 0 && { resolvedAt: endsAt }),
    },
  );
  return undefined;
}
