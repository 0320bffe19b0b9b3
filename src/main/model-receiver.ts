/**
 * Where telemetry and webhooks arrive: `POST /v1/traces`, `/v1/metrics`, `/v1/logs` (OTLP/HTTP) and `POST /hooks/<source>`. A webhook
 * is stored before it is answered. Telemetry waits a few seconds for the rest of its traces; what waits is lost with the process.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import {
  batchesOf,
  type LastSamples,
  type LastSenders,
  type SourceFile,
  sources,
  usualTelling,
} from "../adapters/sources/index.ts";
import type { Secret } from "../cli/index.ts";
import type { ModelLog } from "../control/index.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  jsonResponse,
  problemResponse,
  type Route,
} from "../gateway/index.ts";
import { sha256 } from "../kernel/index.ts";
import type { Clock, Log } from "../ports.ts";
import { RecentSpans } from "./recent-spans.ts";

const bodyBytesMax = 16 * 1024 * 1024;
const waitingBytesMax = 64 * 1024 * 1024;
const foldEveryMs = 15_000;
const telemetryPaths = /^\/v1\/(traces|metrics|logs)$/;

export class ModelReceiver {
  readonly routes: readonly Route[];
  readonly #model: ModelLog;
  readonly #token: Secret;
  readonly #clock: Clock;
  readonly #log: Log;
  #waiting: SourceFile[] = [];
  #waitingBytes = 0;
  /** Traces that came before the last fold, which are due with the next, and those that were told by it. */
  #due: readonly SourceFile[] = [];
  #told: readonly SourceFile[] = [];
  readonly #counted = new RecentSpans();
  /** Counters whose exporter starts again, or this process, are read from their second sample on. */
  #lastSamples: LastSamples = new Map();
  #lastSenders: LastSenders = new Map();

  constructor(
    token: Secret,
    { model, clock, log }: { readonly model: ModelLog; readonly clock: Clock; readonly log: Log },
  ) {
    this.#token = token;
    this.#model = model;
    this.#clock = clock;
    this.#log = log;
    const face: FrontFace = (request) => this.#answer(request);
    this.routes = ["/v1", "/hooks"].map((prefix) => ({ prefix, face }));
  }

  /** Folds what has come, every few seconds, until `signal` aborts; then once more. Never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(foldEveryMs, signal);
      await this.fold();
    }
    await this.fold();
  }

  /**
   * Stores what waits. Each service exports its own spans of a trace in its own time, who calls mostly last: traces are counted
   * one fold later than they came, with those that came before and since to explain them. What cannot be stored waits on.
   */
  async fold(): Promise<void> {
    const came = this.#waiting;
    const fresh = came.filter(isTraces);
    const due = [...this.#due, ...came.filter((file) => !isTraces(file))];
    if (came.length === 0 && due.length === 0) return;
    const context = [...this.#told, ...fresh].map((file) => ({
      ...file,
      isContext: true as const,
    }));
    const files = due.length === 0 ? [] : [...due, ...context];
    // What cannot be stored is told again, from the samples of before.
    const lastSamples = new Map(this.#lastSamples);
    const lastSenders = new Map(this.#lastSenders);
    const isCounted = (key: string): boolean => this.#counted.has(key);
    const telling = { ...usualTelling, lastSamples, lastSenders, isCounted };
    for (const { id, names, events, spans } of batchesOf(files, undefined, telling).batches) {
      const source = `${names.join("+")} received`;
      const taken = await this.#model.write({ id, source, events, isPassing: true });
      if (taken.ok) {
        this.#counted.add(spans?.keys ?? []);
        continue;
      }
      this.#log.write("error", "telemetry_not_stored", {
        error: taken.error,
        requests: due.length,
      });
      return;
    }
    this.#counted.turn();
    this.#lastSamples = lastSamples;
    this.#lastSenders = lastSenders;
    // What came while this was stored waits for the next.
    this.#waiting = this.#waiting.slice(came.length);
    this.#told = due.filter(isTraces);
    this.#due = fresh;
    this.#waitingBytes = [...this.#waiting, ...this.#due].reduce(
      (sum, { bytes }) => sum + bytes.length,
      0,
    );
  }

  async #answer(request: FrontRequest): Promise<FrontResponse> {
    if (request.method !== "POST")
      return problemResponse(405, "Method not allowed", "Send a POST.", { allow: "POST" });
    if (!proves(request, this.#token))
      return problemResponse(
        401,
        "Token required",
        "Send the token of `model.token`, or sign the body with it.",
        { "www-authenticate": "Bearer" },
      );
    const body = await plainBody(request);
    if (body === undefined)
      return problemResponse(400, "Unreadable body", `No gzip, or over ${bodyBytesMax} bytes.`);
    const kind = telemetryPaths.exec(request.path)?.[1];
    return kind === undefined
      ? await this.#hook(request, body)
      : this.#telemetry(request, kind, body);
  }

  #telemetry(request: FrontRequest, kind: string, body: Uint8Array): FrontResponse {
    const type = headerOf(request, "content-type") ?? "";
    const isJson = type.startsWith("application/json");
    if (!(isJson || type.startsWith("application/x-protobuf")))
      return problemResponse(
        415,
        "Unknown form",
        "OTLP is application/json or application/x-protobuf.",
      );
    const path = `received.${kind}.${isJson ? "json" : "pb"}`;
    const file = { path, bytes: body, modifiedAtMs: this.#clock.wallMs() };
    const [fault] = batchesOf([file]).refused;
    if (fault !== undefined)
      return problemResponse(400, "Not OTLP", `${fault.path} ${fault.message}`);
    // Both are answers after which exporters try again (opentelemetry.io/docs/specs/otlp, failures).
    if (!this.#keep(file))
      return problemResponse(503, "Full", "Too much telemetry waits to be stored.", {
        "retry-after": "15",
      });
    if (isJson) return jsonResponse(200, {});
    return { status: 200, headers: { "content-type": type }, body: new Uint8Array() };
  }

  #keep(file: SourceFile): boolean {
    if (this.#waitingBytes + file.bytes.length > waitingBytesMax) return false;
    this.#waitingBytes += file.bytes.length;
    this.#waiting.push(file);
    return true;
  }

  async #hook({ path }: FrontRequest, bytes: Uint8Array): Promise<FrontResponse> {
    const name = path.split("/")[2] ?? "";
    const source = sources.find((each) => each.name === name);
    const names = sources.map((each) => each.name).join(", ");
    if (source === undefined)
      return problemResponse(404, "No such source", `Send to /hooks/<source>: ${names}.`);
    const file = { path: `${name}.json`, bytes, modifiedAtMs: this.#clock.wallMs() };
    const { batches, refused, skipped } = batchesOf([file]);
    const [fault] = refused;
    if (fault !== undefined)
      return problemResponse(
        422,
        "Refused",
        `${fault.path === "" ? "" : `${fault.path}: `}${fault.message}`,
      );
    // Senders also send what says nothing of production; it is no fault of theirs.
    if (skipped.length > 0) return jsonResponse(202, { taken: 0 });
    if (batches.some((batch) => batch.names.some((each) => each !== name)))
      return problemResponse(422, "Another source", `This is no document of ${name}.`);
    let taken = 0;
    for (const { id, events } of batches) {
      const wrote = await this.#model.write({ id, source: `${name} received`, events });
      if (!wrote.ok) return problemResponse(503, "Not stored", wrote.error, { "retry-after": "5" });
      if (wrote.value === "taken") taken += events.length;
    }
    return jsonResponse(202, { taken });
  }
}

function isTraces({ path }: SourceFile): boolean {
  return path.includes(".traces.");
}

/** The token as a bearer, or a signature with it over the body: of GitHub, or one of PagerDuty's. */
function proves(request: FrontRequest, token: Secret): boolean {
  const isSame = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));
  const given = headerOf(request, "authorization");
  if (given !== undefined) return isSame(given, `Bearer ${token.reveal()}`);
  const signature = createHmac("sha256", token.reveal()).update(request.body).digest("hex");
  const github = headerOf(request, "x-hub-signature-256");
  if (github !== undefined) return isSame(github, `sha256=${signature}`);
  const pagerDuty = headerOf(request, "x-pagerduty-signature")?.split(",").slice(0, 8) ?? [];
  return pagerDuty.some((each) => isSame(each.trim(), `v1=${signature}`));
}

async function plainBody(request: FrontRequest): Promise<Uint8Array | undefined> {
  if (request.body.length > bodyBytesMax) return undefined;
  if (headerOf(request, "content-encoding") !== "gzip") return request.body;
  try {
    return await promisify(gunzip)(request.body, { maxOutputLength: bodyBytesMax });
  } catch {
    return undefined;
  }
}
