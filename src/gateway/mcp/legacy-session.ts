/** The gateway's own session with a server of the older era, for callers that have none. */
import {
  err,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
  sliceJson,
} from "../../kernel/index.ts";
import type { HttpRequest, HttpResponse, HttpTransport, TransportError } from "../../ports.ts";
import { legacyVersions } from "./eras.ts";
import { jsonValueOf } from "./inbound.ts";
import { clientName } from "./own-request.ts";
import { sseEvents } from "./sse.ts";
import { contentTypeOf, jsonBytes, wholeBody } from "./upstream.ts";

/** One message of the server at a time, and the way to stop reading. */
export type Messages = AsyncGenerator<Uint8Array>;

const encoder = new TextEncoder();
const openTimeoutMs = 30_000;

export class LegacySession {
  /** The result of `initialize`. */
  readonly initialized: JsonObject;
  readonly #transport: HttpTransport;
  readonly #template: HttpRequest;
  readonly #headers: Readonly<Record<string, string>>;
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
    return ok(session);
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

  /** What the server says on its own. */
  async listen(signal: AbortSignal): Promise<Result<HttpResponse, TransportError>> {
    const { body, ...bare } = this.#template;
    const headers = { ...bare.headers, accept: "text/event-stream", ...this.#headers };
    return await this.#transport.send({ ...bare, method: "GET", headers, signal });
  }
}

function withoutMirrored(template: HttpRequest): HttpRequest {
  const kept = Object.entries(template.headers).filter(
    ([name]) => !(name.startsWith("mcp-") || name === "idempotency-key" || name === "traceparent"),
  );
  const { signal, ...rest } = template;
  return { ...rest, headers: Object.fromEntries(kept) };
}

/** The messages of an answer, one at a time. Closing the generator stops reading. */
export async function* messagesOf(response: HttpResponse, answerBytesMax: number): Messages {
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
