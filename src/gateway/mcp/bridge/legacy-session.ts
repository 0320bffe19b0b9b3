/** The gateway's own session with a server of the older era, for callers that have none. */
import {
  err,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
  sliceJson,
} from "../../../kernel/index.ts";
import type { HttpRequest, HttpResponse, HttpTransport, TransportError } from "../../../ports.ts";
import { legacyVersions } from "../wire/eras.ts";
import { jsonValueOf } from "../wire/inbound.ts";
import { Mailbox } from "../wire/mailbox.ts";
import { clientName } from "../wire/own-request.ts";
import { sseEvents } from "../wire/sse.ts";
import { contentTypeOf, jsonBytes, wholeBody } from "../wire/upstream.ts";

/** What the server says while one request is open. */
export type Call = Mailbox<Uint8Array>;

const encoder = new TextEncoder();
const openTimeoutMs = 30_000;

export class LegacySession {
  /** The result of `initialize`. */
  readonly initialized: JsonObject;
  readonly #transport: HttpTransport;
  readonly #template: HttpRequest;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #calls = new Set<Call>();
  readonly #listeners = new Set<(message: Uint8Array) => void>();
  #streamOpen = false;
  #lost = false;
  #logLevel: string | undefined;
  #ids = 0;

  private constructor(
    transport: HttpTransport,
    template: HttpRequest,
    initialized: JsonObject,
    headers: Readonly<Record<string, string>>,
  ) {
    this.#transport = transport;
    this.#template = template;
    this.initialized = initialized;
    this.#headers = headers;
  }

  /** Opens a session with the caller's capabilities. `template` gives the address and the gateway's credentials. */
  static async open(
    transport: HttpTransport,
    template: HttpRequest,
    capabilities: JsonObject,
    answerBytesMax: number,
  ): Promise<Result<LegacySession, TransportError>> {
    const version = legacyVersions[0] ?? "";
    const params = { protocolVersion: version, capabilities, clientInfo: clientName };
    const bare = withoutMirrored(template);
    const sent = await transport.send({
      ...bare,
      headTimeoutMs: openTimeoutMs,
      body: jsonBytes({ jsonrpc: "2.0", id: "open", method: "initialize", params }),
    });
    if (!sent.ok) return sent;
    const answer = await firstResponse(sent.value, answerBytesMax);
    const result = jsonValueOf(answer && sliceJson(answer, ["result"]));
    if (!isJsonObject(result))
      return err({ kind: "not_sent", reason: "refused", detail: "the server did not initialize" });
    const id = [sent.value.headers["mcp-session-id"] ?? []].flat()[0];
    const agreed = result["protocolVersion"];
    const session = new LegacySession(transport, bare, result, {
      ...(id === undefined ? {} : { "mcp-session-id": id }),
      "mcp-protocol-version": typeof agreed === "string" ? agreed : version,
    });
    await session.tell({ jsonrpc: "2.0", method: "notifications/initialized" });
    if (Object.keys(capabilities).length > 0) session.openStream(answerBytesMax);
    return ok(session);
  }

  /** The server does not know this session any more. */
  get lost(): boolean {
    return this.#lost;
  }

  /** An id no other request of this session has. */
  nextId(): string {
    this.#ids += 1;
    return `h${this.#ids}`;
  }

  async send(
    message: JsonObject,
    extra: Pick<HttpRequest, "headers" | "headTimeoutMs">,
  ): Promise<Result<HttpResponse, TransportError>> {
    return await this.#transport.send({
      ...this.#template,
      headTimeoutMs: extra.headTimeoutMs,
      headers: { ...this.#template.headers, ...extra.headers, ...this.#headers },
      body: jsonBytes(message),
    });
  }

  /** Sends a message that has no answer. A failure shows when the next answer does not come. */
  async tell(message: JsonObject): Promise<void> {
    const sent = await this.send(message, { headers: {}, headTimeoutMs: openTimeoutMs });
    if (sent.ok) for await (const _ of sent.value.body);
  }

  /** The stateless era says with each request how much it wants to be told; the older one says it once. */
  async logLevel(level: string): Promise<void> {
    if (this.#logLevel === level) return;
    this.#logLevel = level;
    await this.tell({
      jsonrpc: "2.0",
      id: this.nextId(),
      method: "logging/setLevel",
      params: { level },
    });
  }

  /** Sends a request; what comes for it, on whichever stream, is in the mailbox. */
  async call(
    message: JsonObject,
    extra: Pick<HttpRequest, "headers" | "headTimeoutMs">,
    answerBytesMax: number,
  ): Promise<Result<Call, TransportError>> {
    const box: Call = new Mailbox();
    this.#calls.add(box);
    const sent = await this.send(message, extra);
    if (sent.ok && sent.value.status === 404 && "mcp-session-id" in this.#headers) {
      this.#lost = true;
      this.#calls.delete(box);
      const detail = "the server has forgotten the session; call again";
      return err({ kind: "not_sent", reason: "refused", detail });
    }
    if (!sent.ok) {
      this.#calls.delete(box);
      return sent;
    }
    const pump = async (): Promise<void> => {
      for await (const said of messagesOf(sent.value, answerBytesMax)) await box.put(said);
    };
    pump()
      .then(
        () => box.end(),
        (thrown: unknown) => box.end(thrown),
      )
      .finally(() => this.#calls.delete(box));
    return ok(box);
  }

  /** Hears the server's own notifications until `signal` aborts. */
  hear(listener: (message: Uint8Array) => void, signal: AbortSignal): void {
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => this.#listeners.delete(listener), { once: true });
  }

  /**
   * Opens the server's own stream, once. A question that comes there is given to the newest open call, which most
   * likely caused it. A server without such a stream answers 405, and nothing is lost.
   */
  openStream(answerBytesMax: number): void {
    if (this.#streamOpen) return;
    this.#streamOpen = true;
    const { body, ...bare } = this.#template;
    const headers = { ...bare.headers, accept: "text/event-stream", ...this.#headers };
    const read = async (): Promise<void> => {
      const stream = await this.#transport.send({ ...bare, method: "GET", headers });
      if (!stream.ok || contentTypeOf(stream.value) !== "text/event-stream") return;
      for await (const said of messagesOf(stream.value, answerBytesMax)) {
        if (sliceJson(said, ["id"]) === undefined) for (const hear of this.#listeners) hear(said);
        else
          [...this.#calls]
            .at(-1)
            ?.put(said)
            .catch(() => undefined);
      }
    };
    read()
      .catch(() => undefined)
      .finally(() => {
        this.#streamOpen = false;
      });
  }
}

/** The template is that of a session. */
const ofOneCall: ReadonlySet<string> = new Set(["idempotency-key", "traceparent", "tracestate"]);

function withoutMirrored(template: HttpRequest): HttpRequest {
  const kept = Object.entries(template.headers).filter(
    ([name]) => !(name.startsWith("mcp-") || ofOneCall.has(name)),
  );
  const { signal, ...rest } = template;
  return { ...rest, headers: Object.fromEntries(kept) };
}

/** The messages of an answer, one at a time. */
export async function* messagesOf(
  response: HttpResponse,
  answerBytesMax: number,
): AsyncGenerator<Uint8Array> {
  if (contentTypeOf(response) !== "text/event-stream") {
    const whole = await wholeBody(response, answerBytesMax);
    if (whole !== undefined && whole.length > 0) yield whole;
    return;
  }
  for await (const { data } of sseEvents(response.body, answerBytesMax))
    if (data !== undefined && data !== "") yield encoder.encode(data);
}

/** The first result or error of an answer. */
export async function firstResponse(
  response: HttpResponse,
  answerBytesMax: number,
): Promise<Uint8Array | undefined> {
  for await (const message of messagesOf(response, answerBytesMax))
    if (sliceJson(message, ["method"]) === undefined) return message;
  return undefined;
}
