/** Labels and what selects by them: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
import type { JsonObject } from "../../../kernel/index.ts";
import type { KubernetesObject } from "./cluster.ts";
import { objectAt, objectsAt, textAt, textsAt } from "./json-path.ts";

export const labelsOf = (node: KubernetesObject): JsonObject => objectAt(node.metadata, "labels");

export function satisfies(selector: JsonObject, labels: JsonObject): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

export function affinityAllows(template: JsonObject, node: KubernetesObject): boolean {
  const terms = objectsAt(
    objectAt(
      template,
      "affinity",
      "nodeAffinity",
      "requiredDuringSchedulingIgnoredDuringExecution",
    ),
    "nodeSelectorTerms",
  );
  return (
    terms.length === 0 ||
    terms.some((term) => expressionsHold(objectsAt(term, "matchExpressions"), labelsOf(node)))
  );
}

/** Of node selectors and of label selectors alike; `Gt` and `Lt` compare integers. */
function expressionsHold(expressions: readonly JsonObject[], labels: JsonObject): boolean {
  return expressions.every((expression) => {
    const actual = labels[textAt(expression, "key")];
    const values = textsAt(expression, "values");
    const has = actual !== undefined;
    switch (textAt(expression, "operator")) {
      case "In":
        return has && values.includes(String(actual));
      case "NotIn":
        return !has || !values.includes(String(actual));
      case "Exists":
        return has;
      case "DoesNotExist":
        return !has;
      case "Gt":
        return has && Number(actual) > Number(values[0]);
      case "Lt":
        return has && Number(actual) < Number(values[0]);
      default:
        return true;
    }
  });
}

export function selects(selector: JsonObject, labels: JsonObject): boolean {
  return (
    satisfies(objectAt(selector, "matchLabels"), labels) &&
    expressionsHold(objectsAt(selector, "matchExpressions"), labels)
  );
}
