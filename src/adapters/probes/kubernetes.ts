/** `kubernetes`: an object is there, in the condition and with the images it must have. */
import { readFile } from "node:fs/promises";
import type { KubernetesVerification } from "../../failover/index.ts";
import {
  digestOf,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../kernel/index.ts";
import { undiciTransport } from "../http/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";
import { valueAt } from "./json-pointer.ts";
import { bearer, exchange, objectIn } from "./request.ts";

export async function kubernetes(asking: Asking<KubernetesVerification>): Promise<Found> {
  const { api_url: url, ca_file: file, object: path, token } = asking.verification;
  const headers = token === undefined ? {} : bearer(await asking.secrets.read(token));
  const own =
    file === undefined
      ? undefined
      : undiciTransport({ addresses: "not_metadata", ca: await readFile(file, "utf8") });
  try {
    const http = own ?? asking.http;
    const sent = await exchange(
      { ...asking, http },
      { url: url.replace(/\/$/, "") + path, headers },
    );
    if (!sent.ok) return inconclusive(sent.error);
    const { status } = sent.value;
    if (status === 404) return fail(`${path} is not there`, { observed: { status } });
    if (status !== 200)
      return inconclusive(`the API answers with status ${status}`, { observed: { status } });
    const object = objectIn(sent.value);
    if (object === undefined) return inconclusive("its answer is no JSON that can be trusted");
    return judged(asking.verification, object);
  } finally {
    await own?.close();
  }
}

function judged(
  { object: path, condition, images = [] }: KubernetesVerification,
  object: JsonObject,
): Found {
  if (typeof object["kind"] !== "string" || object["kind"].endsWith("List"))
    return inconclusive(`${path} is no single object`);
  const at = (pointer: string): JsonValue | undefined => valueAt(object, pointer);
  const generation = at("/metadata/generation");
  const observedGeneration = at("/status/observedGeneration");
  const running = imagesIn(object);
  const seen = {
    observed: {
      ...{ kind: object["kind"], uid: at("/metadata/uid") ?? null },
      resource_version: at("/metadata/resourceVersion") ?? null,
      // What was written by people, not what became of it: the same at two sites.
      config_digest: digestOf({ spec: at("/spec") ?? null, data: at("/data") ?? null }),
      images: [...running],
    },
  };
  if (at("/metadata/deletionTimestamp") !== undefined)
    return fail(`${path} is being deleted`, seen);
  if (observedGeneration !== undefined && observedGeneration !== generation)
    return inconclusive(`the status of ${path} is older than what it describes`, seen);
  const wrong = conditionFault(at("/status/conditions"), condition);
  if (wrong !== undefined) return fail(`${path} ${wrong}`, seen);
  const strange = running.find((image) => !images.some((digest) => image.endsWith(`@${digest}`)));
  if (images.length > 0 && (running.length === 0 || strange !== undefined))
    return fail(`${path} runs ${strange ?? "no image"}, which is none of those it must run`, seen);
  const missing = images.find((digest) => !running.some((image) => image.endsWith(`@${digest}`)));
  if (missing !== undefined) return fail(`${path} does not run ${missing}`, seen);
  return pass(`${path} is as it must be`, seen);
}

function conditionFault(
  conditions: JsonValue | undefined,
  type: string | undefined,
): string | undefined {
  if (type === undefined) return undefined;
  const all = isJsonArray(conditions) ? conditions.filter(isJsonObject) : [];
  const found = all.find((each) => each["type"] === type);
  if (found === undefined) return `has no condition ${type}`;
  if (found["status"] === "True") return undefined;
  return `has the condition ${type} ${String(found["status"])}`;
}

/** Of a pod, the images that run; of what makes pods, those that it asks for. */
function imagesIn(object: JsonObject): readonly string[] {
  const listAt = (pointer: string, name: string): readonly string[] => {
    const list = valueAt(object, pointer);
    const items = isJsonArray(list) ? list.filter(isJsonObject) : [];
    return items.flatMap(({ [name]: image }) => (typeof image === "string" ? [image] : []));
  };
  const running = [
    ...listAt("/status/containerStatuses", "imageID"),
    ...listAt("/status/initContainerStatuses", "imageID"),
  ];
  if (object["kind"] === "Pod" && running.length > 0) return running;
  return ["/spec", "/spec/template/spec"].flatMap((spec) => [
    ...listAt(`${spec}/containers`, "image"),
    ...listAt(`${spec}/initContainers`, "image"),
  ]);
}
