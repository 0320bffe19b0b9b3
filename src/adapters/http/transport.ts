/** `HttpTransport` on undici: one send, no redirect, no retry, and only to addresses the rule allows. */
import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { err, type Result } from "../../kernel/index.ts";
import type { HttpRequest, HttpResponse, HttpTransport, TransportError } from "../../ports.ts";
import { type AddressRule, addressAllowed } from "./addresses.ts";
import { asError, BlockedAddress } from "./errors.ts";
import { Exchange } from "./exchange.ts";

export interface TransportOptions {
  readonly addresses: AddressRule;
  readonly connectTimeoutMs?: number;
  /** Connections to one origin at one time. Streams hold theirs. */
  readonly connectionsMax?: number;
  /** PEM of the authorities that are trusted instead of those of the world. */
  readonly ca?: string;
}

export interface ClosableTransport extends HttpTransport {
  close(): Promise<void>;
}

export function undiciTransport(options: TransportOptions): ClosableTransport {
  const agent = new Agent({
    connections: options.connectionsMax ?? 4_096,
    pipelining: 1,
    connect: {
      timeout: options.connectTimeoutMs ?? 5_000,
      lookup: checkedLookup(options.addresses),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
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
  const exchange = new Exchange(request.signal);
  try {
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method as Dispatcher.HttpMethod,
        headers: request.headers,
        body: request.body ?? null,
        headersTimeout: request.headTimeoutMs,
        bodyTimeout: request.idleTimeoutMs,
      },
      exchange,
    );
  } catch (thrown) {
    return err(asError(thrown));
  }
  return await exchange.response;
}
