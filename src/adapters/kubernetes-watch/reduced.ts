/** What is kept of an object in memory: all but what nobody reads, and of a secret only that there is one. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { Resource } from "./resource.ts";

/** Of what only its name matters. Annotations may hold the whole of it, as it was last applied. */
const namesOnly: ReadonlySet<string> = new Set([
  ...["name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"],
  ...["deletionTimestamp", "labels", "ownerReferences"],
]);
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Lists leave kind and version out of their items, and metadata alone come under a kind of their own. */
export function reduced(object: JsonObject, { kind, root, isNamesOnly }: Resource): JsonObject {
  const apiVersion = root.replace(/^\/apis?\//, "");
  const metadata = isJsonObject(object["metadata"]) ? object["metadata"] : {};
  const named = { apiVersion, kind: isNamesOnly ? kind : (object["kind"] ?? kind) };
  if (isNamesOnly === true) return { ...named, metadata: only(metadata, namesOnly) };
  return { ...object, ...named, metadata: withoutBulk(metadata) };
}

function only(value: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.has(name)));
}

function withoutBulk({ managedFields, annotations, ...metadata }: JsonObject): JsonObject {
  return {
    ...metadata,
    ...(isJsonArray(managedFields) && { managedFields: managedFields.map(withoutFields) }),
    ...(isJsonObject(annotations) && {
      annotations: Object.fromEntries(
        Object.entries(annotations).filter(([name]) => name !== lastApplied),
      ),
    }),
  };
}

/** Who wrote when is read; which fields is not, and it is half of most objects. */
function withoutFields(entry: JsonValue): JsonValue {
  if (!isJsonObject(entry)) return entry;
  const { fieldsV1: _, ...rest } = entry;
  return rest;
}
