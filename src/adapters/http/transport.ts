/** `HttpTransport` on undici: one send, no redirect, no retry, and only to addresses the rule allows. */
import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type TransportError,
  TransportFailure,
} from "../../ports.ts";
import { type AddressRule, addressAllowed } from "./addresses.ts";

export interface TransportOptions {
  readonly addresses: AddressRule;
  readonly connectTimeoutMs?: number;
  /** Connections to one origin at one time. Streams hold theirs. */
  readonly connectionsMax?: number;
}

export interface ClosableTransport extends HttpTransport {
  close(): Promise<void>;
}

class BlockedAddress extends Error {
  override readonly name = "BlockedAddress";
}

export function undiciTransport(options: TransportOptions): ClosableTransport {
  const agent = new Agent({
    connections: options.connectionsMax ?? 256,
    pipelining: 1,
    connect: {
      timeout: options.connectTimeoutMs ?? 5_000,
      lookup: checkedLookup(options.addresses),
    },
  });
  return {
    send: (request) => send(agent, request, options.addresses),
    close: () => agent.destroy(),
  };
}

/** Resolves as usual and refuses a name that has any forbidden address, so what was checked is what is connected to. */
function checkedLookup(rule: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const bad = addresses.find(({ address }) => !addressAllowed(address, rule));
      if (bad !== undefined)
        return callback(new BlockedAddress(`${hostname} resolves to ${bad.address}`), []);
      const [first] = addresses;
      if (options.all === true || first === undefined) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

async function send(
  agent: Agent,
  request: HttpRequest,
  rule: AddressRule,
): Promise<Result<HttpResponse, TransportError>> {
  const url = new URL(request.url);
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(literal) !== 0 && !addressAllowed(literal, rule))
    return err({
      kind: "not_sent",
      reason: "blocked_address",
      detail: `${literal} is not allowed`,
    });
  if (request.signal?.aborted === true)
    return err({ kind: "not_sent", reason: "aborted", detail: "the caller is gone" });
  try {
    const response = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method as Dispatcher.HttpMethod,
      headers: request.headers,
      body: request.body ?? null,
      headersTimeout: request.headTimeoutMs,
      bodyTimeout: request.idleTimeoutMs,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    return ok({
      status: response.statusCode,
      headers: present(response.headers),
      body: pieces(response.body),
    });
  } catch (thrown) {
    return err(asError(thrown));
  }
}

async function* pieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (thrown) {
    throw new TransportFailure({ ...asError(thrown), kind: "unknown" });
  }
}

function present(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | readonly string[]> {
  const kept: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) kept[name] = value;
  return kept;
}

/** Errors of connecting: no byte of the request left. Everything else may have reached the upstream. */
const beforeSending: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function asError(thrown: unknown): TransportError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = "code" in error ? String(error.code) : error.name;
  const detail = error.message === "" ? code : `${code}: ${error.message}`;
  if (error instanceof BlockedAddress)
    return { kind: "not_sent", reason: "blocked_address", detail: error.message };
  if (beforeSending.has(code))
    return { kind: "not_sent", reason: code.includes("TIMEOUT") ? "timeout" : "refused", detail };
  if (code.includes("TIMEOUT")) return { kind: "unknown", reason: "timeout", detail };
  if (error.name === "AbortError" || code === "UND_ERR_ABORTED")
    return { kind: "unknown", reason: "aborted", detail };
  return { kind: "unknown", reason: "broken", detail };
}
