/** What the front refuses by itself, before a face sees anything: each says its limit and the name to change it by. */
import type { IncomingMessage } from "node:http";
import { type FrontRequest, type FrontResponse, problemResponse } from "../../gateway/index.ts";
import type { FrontLimits } from "./limits.ts";

/** A refusal, and the label it is counted under (`holdfast_front_refusals_total`). */
export interface FrontRefusal {
  readonly reason:
    | "unreadable"
    | "headers"
    | "target"
    | "framing"
    | "body"
    | "bodies"
    | "requests"
    | "connections"
    | "slow"
    | "stalled";
  readonly response: FrontResponse;
}

function refusal(
  reason: FrontRefusal["reason"],
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): FrontRefusal {
  return { reason, response: problemResponse(status, title, detail, headers) };
}

const soon = { "retry-after": "1" } as const;

/** Headers that decide who asks, of whom, and where the body ends: two values have no one meaning. */
const singleHeaders = [
  "host",
  "authorization",
  "content-length",
  "content-type",
  "origin",
  "expect",
] as const;

/** What is wrong with the head of a request, or undefined. */
export function headRefusal(
  incoming: IncomingMessage,
  headers: FrontRequest["headers"],
  limits: FrontLimits,
): FrontRefusal | undefined {
  if (incoming.rawHeaders.length / 2 > limits.headersMax)
    return refusal(
      "headers",
      431,
      "Too many headers",
      `At most ${limits.headersMax} header lines are accepted (limits.headers_max).`,
    );
  const repeated = singleHeaders.find((name) => (headers[name]?.length ?? 0) > 1);
  if (repeated !== undefined)
    return refusal("headers", 400, "Repeated header", `Send ${repeated} once.`);
  const target = incoming.url ?? "";
  if (!target.startsWith("/") || /[\0-\x20\x7f#]/.test(target))
    return refusal(
      "target",
      400,
      "Bad request target",
      "Send the path alone, beginning with a slash.",
    );
  const framing = framingRefusal(incoming, headers);
  if (framing !== undefined) return framing;
  return Number(headers["content-length"]?.[0] ?? 0) > limits.bodyBytesMax
    ? bodyTooLarge(limits)
    : undefined;
}

/** Where the body ends must not be a matter of opinion between this server and what stands before it (RFC 9112 §6). */
function framingRefusal(
  { httpVersion }: IncomingMessage,
  headers: FrontRequest["headers"],
): FrontRefusal | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0")
    return refusal("framing", 505, "HTTP version not supported", "Use HTTP/1.1.");
  const codings = headers["transfer-encoding"];
  if (codings === undefined) return undefined;
  if (httpVersion === "1.0")
    return refusal("framing", 400, "Bad framing", "HTTP/1.0 has no Transfer-Encoding.");
  return codings.length === 1 && codings[0]?.trim().toLowerCase() === "chunked"
    ? undefined
    : refusal("framing", 501, "Transfer coding not implemented", "Use chunked alone.");
}

export function bodyTooLarge({ bodyBytesMax }: FrontLimits): FrontRefusal {
  const detail = `At most ${bodyBytesMax} bytes are accepted (limits.body_bytes_max).`;
  return refusal("body", 413, "Body too large", detail);
}

export function noRoomForBody({ bodiesBytesMax }: FrontLimits): FrontRefusal {
  const detail = `The bodies of open requests fill ${bodiesBytesMax} bytes (limits.bodies_bytes_max). Try again shortly.`;
  return refusal("bodies", 503, "Too many requests", detail, soon);
}

export function tooManyRequests({ concurrentRequestsMax }: FrontLimits): FrontRefusal {
  const detail = `${concurrentRequestsMax} requests are being answered already (limits.requests_open_max). Try again shortly.`;
  return refusal("requests", 503, "Too many requests", detail, soon);
}

export function tooManyConnections({ connectionsMax }: FrontLimits): FrontRefusal {
  const detail = `${connectionsMax} connections are open (limits.connections_max); the one that was silent longest is closed.`;
  return refusal("connections", 503, "Too many connections", detail, soon);
}

export function noTunnel(): FrontRefusal {
  return refusal("target", 501, "Not implemented", "This is no proxy: CONNECT is not served.");
}

export function unmetExpectation(): FrontRefusal {
  return refusal("headers", 417, "Expectation failed", "Only `Expect: 100-continue` is met.");
}

/** What node refuses before a request exists, by its code. */
export function unreadable(code: string | undefined, limits: FrontLimits): FrontRefusal {
  if (code === "HPE_HEADER_OVERFLOW")
    return refusal(
      "headers",
      431,
      "Headers too large",
      `At most ${limits.headerBytesMax} bytes (limits.header_bytes_max).`,
    );
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return refusal(
      "slow",
      408,
      "Too slow",
      `The headers have ${limits.headersTimeoutMs} ms, a request ${limits.requestTimeoutMs} ms (limits.request_timeout_ms).`,
    );
  return refusal("unreadable", 400, "Bad request", "Not readable as HTTP/1.1.");
}
