/** The Kubernetes API, as far as a readiness gate needs it, over the HTTP port: no client library. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import { type HttpResponse, type HttpTransport, TransportFailure } from "../../ports.ts";

export interface KubernetesServer {
  /** `https://10.96.0.1` */
  readonly url: string;
  /** Read anew for every request: tokens of service accounts change. */
  readonly token?: () => string;
}

/**
 * `gone`: the place to watch from is too old (410). `conflict`: the object is another than was read (409). `missing`: 404. `busy`: 429, wait.
 * `unreachable`: nothing is known; it may have been done.
 */
export interface KubernetesError {
  readonly kind: "gone" | "conflict" | "missing" | "busy" | "refused" | "unreachable";
  readonly detail: string;
  readonly retryAfterMs?: number;
}

export interface PodList {
  readonly pods: readonly JsonObject[];
  /** Where a watch goes on. */
  readonly resourceVersion: string;
}

const answerTimeoutMs = 5_000;
const answerBytesMax = 64 * 1024 * 1024;
/** A page of a list; `continue` brings the next. */
const pageSize = 500;

export class KubernetesApi {
  readonly #http: HttpTransport;
  readonly #server: KubernetesServer;

  constructor(http: HttpTransport, server: KubernetesServer) {
    this.#http = http;
    this.#server = server;
  }

  /** Every pod that carries the label, of one moment. */
  async pods(namespace: string, selector: string): Promise<Result<PodList, KubernetesError>> {
    const pods: JsonObject[] = [];
    let more = "";
    for (;;) {
      const query = new URLSearchParams({
        ...{ labelSelector: selector, limit: String(pageSize) },
        ...(more === "" ? {} : { continue: more }),
      });
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?${query}`;
      const listed = await this.#ask("GET", path);
      if (!listed.ok) return listed;
      const { items, metadata } = listed.value;
      if (!isJsonArray(items) || !isJsonObject(metadata))
        return err({ kind: "unreachable", detail: `${path}: the answer is no list` });
      pods.push(...items.filter(isJsonObject));
      more = String(metadata["continue"] ?? "");
      if (more === "")
        return ok({ pods, resourceVersion: String(metadata["resourceVersion"] ?? "") });
    }
  }

  /** Changes one pod's conditions; those of other types stay as they are. `uid`: only the pod that was read. */
  async setConditions(
    namespace: string,
    name: string,
    uid: string,
    conditions: readonly JsonObject[],
  ): Promise<Result<void, KubernetesError>> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/status`;
    const body = { metadata: { uid }, status: { conditions: [...conditions] } };
    const patched = await this.#ask("PATCH", path, body);
    return patched.ok ? ok(undefined) : patched;
  }

  /**
   * Resolves with why it ended, which it does in the ordinary course of things too; `changed` is called for every change of
   * a pod until then.
   */
  async watch(
    namespace: string,
    selector: string,
    from: string,
    changed: () => void,
    signal: AbortSignal,
  ): Promise<KubernetesError | "ended"> {
    const query = new URLSearchParams({
      ...{ labelSelector: selector, watch: "true", resourceVersion: from },
      ...{ allowWatchBookmarks: "false", timeoutSeconds: "300" },
    });
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?${query}`;
    const sent = await this.#send("GET", path, undefined, 0, signal);
    if (!sent.ok) return sent.error;
    if (sent.value.status !== 200) return errorOf(sent.value, path);
    try {
      for await (const line of linesOf(sent.value)) {
        const event = parseJsonStrict(line, { unsafeNumbers: "nearest" });
        if (!event.ok || !isJsonObject(event.value)) break;
        // A watch that cannot go on says so in an event of its own, with a status inside.
        if (event.value["type"] === "ERROR") return statusError(event.value["object"], path);
        changed();
      }
    } catch (thrown) {
      if (!(thrown instanceof TransportFailure)) throw thrown;
    }
    return "ended";
  }

  async #ask(
    method: string,
    path: string,
    body?: JsonObject,
  ): Promise<Result<JsonObject, KubernetesError>> {
    const sent = await this.#send(method, path, body, answerTimeoutMs);
    if (!sent.ok) return sent;
    const { status } = sent.value;
    const read = await bytesOf(sent.value);
    if (!read.ok) return err({ kind: "unreachable", detail: `${path}: ${read.error}` });
    if (status >= 300) return err(errorOf(sent.value, path, read.value));
    const parsed = parseJsonStrict(read.value, {
      ...{ bytesMax: answerBytesMax, unsafeNumbers: "nearest" },
    });
    return parsed.ok && isJsonObject(parsed.value)
      ? ok(parsed.value)
      : err({ kind: "unreachable", detail: `${path}: the answer is no JSON object` });
  }

  async #send(
    method: string,
    path: string,
    body: JsonObject | undefined,
    idleTimeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Result<HttpResponse, KubernetesError>> {
    const { url, token } = this.#server;
    const sent = await this.#http.send({
      ...{ method, url: url + path, headTimeoutMs: answerTimeoutMs, idleTimeoutMs },
      headers: {
        accept: "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token()}` }),
        ...(body === undefined ? {} : { "content-type": "application/strategic-merge-patch+json" }),
      },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
      ...(signal === undefined ? {} : { signal }),
    });
    return sent.ok ? sent : err({ kind: "unreachable", detail: `${path}: ${sent.error.detail}` });
  }
}

const kinds: Readonly<Record<number, KubernetesError["kind"]>> = {
  404: "missing",
  409: "conflict",
  410: "gone",
  429: "busy",
};

function errorOf(
  { status, headers }: HttpResponse,
  path: string,
  body: Uint8Array = new Uint8Array(),
): KubernetesError {
  const retryAfterMs = Number(headers["retry-after"]) * 1_000;
  return {
    kind: kinds[status] ?? (status >= 500 ? "unreachable" : "refused"),
    detail: `${path}: ${messageOf(body) ?? `status ${status}`}`,
    ...(retryAfterMs > 0 ? { retryAfterMs } : {}),
  };
}

function statusError(object: unknown, path: string): KubernetesError {
  const told = isJsonObject(object as JsonObject) ? (object as JsonObject) : {};
  const kind = kinds[Number(told["code"])] ?? "unreachable";
  return { kind, detail: `${path}: ${String(told["message"] ?? "the watch ended with an error")}` };
}

function messageOf(body: Uint8Array): string | undefined {
  const parsed = parseJsonStrict(body, { unsafeNumbers: "nearest" });
  const message = parsed.ok && isJsonObject(parsed.value) ? parsed.value["message"] : undefined;
  return typeof message === "string" ? message : undefined;
}

/** Each line, without its newline; what follows the last newline is none. */
async function* linesOf({ body }: HttpResponse): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of body) {
    rest = Buffer.concat([rest, piece]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
  }
}

async function bytesOf({ body }: HttpResponse): Promise<Result<Uint8Array, string>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > answerBytesMax) return err("the answer is too large");
      pieces.push(piece);
    }
    return ok(Buffer.concat(pieces));
  } catch (thrown) {
    if (!(thrown instanceof TransportFailure)) throw thrown;
    return err(thrown.error.detail);
  }
}
