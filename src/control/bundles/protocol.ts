/**
 * The OPA bundle protocol (OPA docs, "Bundles", "Decision Logs", "Status"): a stock OPA downloads the bundle that the
 * gateway decides with, and reports to us. Values only; a server turns sockets into them.
 */
import { sha256Hex } from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";
import type { BundlePublisher } from "./publisher.ts";
import { OpaReports } from "./reports.ts";

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly ifNoneMatch: string | undefined;
  /** `Prefer` (RFC 7240): with `wait` the answer says that requests are held. */
  readonly prefer?: string | undefined;
  /** Already decompressed. */
  readonly body: Uint8Array;
}

export interface ControlResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const bundlePaths: readonly string[] = ["/bundles/holdfast", "/bundles/holdfast.tar.gz"];

/** Says to OPA that requests are held (OPA docs, "Bundles", HTTP long polling). */
const longPollingType = "application/vnd.openpolicyagent.bundles";
const waitSecondsMax = 60;

export class BundleProtocol {
  readonly #publisher: BundlePublisher;
  readonly #clock: Clock;
  readonly reports: OpaReports;

  constructor(publisher: BundlePublisher, clock: Clock) {
    this.#publisher = publisher;
    this.#clock = clock;
    this.reports = new OpaReports(clock);
  }

  /**
   * OPA's long polling: holds a request for a bundle that its sender has already, until there is another one, the time
   * it is ready to wait is over, or `signal` aborts.
   */
  async hold(request: ControlRequest, signal: AbortSignal): Promise<void> {
    const { archive } = this.#publisher;
    const seconds = Math.min(waitSeconds(request.prefer), waitSecondsMax);
    if (!isBundle(request) || seconds === 0 || archive === undefined) return;
    if (!matches(request.ifNoneMatch, etagOf(archive))) return;
    const over = new AbortController();
    const end = (): void => over.abort();
    const forget = this.#publisher.onChange(end);
    signal.addEventListener("abort", end);
    if (!signal.aborted) await this.#clock.sleep(seconds * 1_000, over.signal);
    signal.removeEventListener("abort", end);
    forget();
  }

  /** Undefined for a path that is not part of the protocol. */
  answer(request: ControlRequest): ControlResponse | undefined {
    const { method, path } = request;
    if (bundlePaths.includes(path)) return method === "GET" ? this.#bundle(request) : empty(405);
    if (path === "/status" || path.startsWith("/status/"))
      return method === "POST" ? accepted(this.reports.status(request.body)) : empty(405);
    if (path === "/logs" || path.startsWith("/logs/"))
      return method === "POST" ? accepted(this.reports.logs(request.body)) : empty(405);
    return undefined;
  }

  #bundle({ ifNoneMatch, prefer }: ControlRequest): ControlResponse {
    const archive = this.#publisher.archive;
    if (archive === undefined) return empty(404);
    const etag = etagOf(archive);
    const type = waitSeconds(prefer) > 0 ? longPollingType : "application/gzip";
    const headers = { "content-type": type, etag, "cache-control": "no-cache" };
    if (matches(ifNoneMatch, etag)) return { ...empty(304), headers };
    return { status: 200, headers, body: archive };
  }
}

function isBundle({ method, path }: ControlRequest): boolean {
  return method === "GET" && bundlePaths.includes(path);
}

function etagOf(archive: Uint8Array): string {
  return `"${sha256Hex(archive)}"`;
}

function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.split(",") ?? [];
  return tags.some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

/** RFC 7240 §4.3; OPA separates its preferences by semicolons. */
function waitSeconds(prefer: string | undefined): number {
  return Number(/(?:^|[;,\s])wait=(\d{1,6})(?:$|[;,\s])/.exec(prefer ?? "")?.[1] ?? 0);
}

function accepted(understood: boolean): ControlResponse {
  return empty(understood ? 200 : 400);
}

function empty(status: number): ControlResponse {
  return { status, headers: {}, body: new Uint8Array() };
}
