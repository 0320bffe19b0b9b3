/**
 * The OPA bundle protocol (OPA docs, "Bundles", "Decision Logs", "Status"): a stock OPA downloads the bundle that the
 * gateway decides with, and reports to us. Values only; a server turns sockets into them.
 */
import { isJsonArray, isJsonObject, parseJsonStrict, sha256Hex } from "../../kernel/index.ts";
import type { BundlePublisher } from "./publisher.ts";

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly ifNoneMatch: string | undefined;
  /** Already decompressed. */
  readonly body: Uint8Array;
}

export interface ControlResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What OPA instances have told so far. */
export interface Reports {
  readonly decisionsReceived: number;
  readonly statusesReceived: number;
  /** Labels and bundles of the newest status of each OPA, as JSON, by its `labels.id`. */
  readonly instances: ReadonlyMap<string, string>;
}

const instancesMax = 1_000;
const instanceCharactersMax = 65_536;

/** Metrics in OPA's reports hold integers beyond 2^53, such as an unlimited memory limit of 2^63 - 1. */
const reportLimits = { bytesMax: 16 * 1024 * 1024, unsafeNumbers: "nearest" } as const;

export class BundleProtocol {
  readonly #publisher: BundlePublisher;
  #decisions = 0;
  #statuses = 0;
  readonly #instances = new Map<string, string>();

  constructor(publisher: BundlePublisher) {
    this.#publisher = publisher;
  }

  get reports(): Reports {
    return {
      decisionsReceived: this.#decisions,
      statusesReceived: this.#statuses,
      instances: this.#instances,
    };
  }

  /** Undefined for a path that is not part of the protocol. */
  answer(request: ControlRequest): ControlResponse | undefined {
    const { method, path } = request;
    if (path === "/bundles/holdfast" || path === "/bundles/holdfast.tar.gz")
      return method === "GET" ? this.#bundle(request.ifNoneMatch) : empty(405);
    if (path === "/status" || path.startsWith("/status/"))
      return method === "POST" ? this.#status(request.body) : empty(405);
    if (path === "/logs" || path.startsWith("/logs/"))
      return method === "POST" ? this.#logs(request.body) : empty(405);
    return undefined;
  }

  #bundle(ifNoneMatch: string | undefined): ControlResponse {
    const archive = this.#publisher.archive;
    if (archive === undefined) return empty(404);
    const etag = `"${sha256Hex(archive)}"`;
    if (ifNoneMatch?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag))
      return { ...empty(304), headers: { etag } };
    const headers = { "content-type": "application/gzip", etag, "cache-control": "no-cache" };
    return { status: 200, headers, body: archive };
  }

  #status(body: Uint8Array): ControlResponse {
    const parsed = parseJsonStrict(body, reportLimits);
    if (!parsed.ok || !isJsonObject(parsed.value)) return empty(400);
    const { labels, bundles } = parsed.value;
    const id = isJsonObject(labels) ? labels["id"] : undefined;
    this.#statuses += 1;
    if (typeof id !== "string") return empty(200);
    const text = JSON.stringify({ labels, bundles });
    if (text.length > instanceCharactersMax) return empty(200);
    if (this.#instances.has(id) || this.#instances.size < instancesMax)
      this.#instances.set(id, text);
    return empty(200);
  }

  #logs(body: Uint8Array): ControlResponse {
    const parsed = parseJsonStrict(body, reportLimits);
    if (!parsed.ok || !isJsonArray(parsed.value)) return empty(400);
    this.#decisions += parsed.value.length;
    return empty(200);
  }
}

function empty(status: number): ControlResponse {
  return { status, headers: {}, body: new Uint8Array() };
}
