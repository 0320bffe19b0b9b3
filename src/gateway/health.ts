/** What an answer, or that none came, says of its upstream's health. */
import type { TransportError } from "../ports.ts";
import type { Forwarded, Health } from "./call.ts";

type Headers = Readonly<Record<string, string | readonly string[]>>;

/**
 * Told by gateways in front of an upstream, or by one that is overloaded (RFC 9110 15.6.3 to 15.6.5): no tool of it would
 * fare better. Any other 5xx is the failure of one tool: the upstream is there, and said so.
 */
const ofUpstream: ReadonlySet<number> = new Set([502, 503, 504]);

/** Of an HTTP answer. `headers` are lower case. */
export function healthOfStatus(status: number, headers: Headers): Health {
  const waitMs = status === 429 || status === 503 ? retryAfterMs(headers) : undefined;
  if (status < 500 && waitMs === undefined) return { kind: "answered" };
  const kind = ofUpstream.has(status) ? "failed" : "tool_failed";
  const cause = `it answered ${status}`;
  return waitMs === undefined ? { kind, cause } : { kind, cause, waitMs };
}

/** Where no answer came. What the caller or the gateway itself has brought about says nothing of the upstream. */
export function healthOfFailure({ reason, detail }: TransportError): Health {
  switch (reason) {
    case "aborted":
    case "blocked_address":
    case "too_large":
    case "withheld":
      return { kind: "unsaid" };
    case "refused":
    case "timeout":
    case "broken":
      return { kind: "failed", cause: `${reason}: ${detail}`.slice(0, causeCharactersMax) };
  }
}

/** A cause is kept, shown and stored; an upstream must not be able to make it long. */
const causeCharactersMax = 300;

export function healthOf({ health, outcome, detail }: Forwarded<unknown>): Health {
  if (health !== undefined) return health;
  return outcome === "ok" || outcome === "tool_error"
    ? { kind: "answered" }
    : { kind: "failed", cause: (detail ?? outcome).slice(0, causeCharactersMax) };
}

/** Seconds, or a date, which is reckoned from the answer's own `Date` (RFC 9110 10.2.3). */
function retryAfterMs(headers: Headers): number | undefined {
  const text = [headers["retry-after"] ?? ""].flat()[0] ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const sent = httpDate([headers["date"] ?? ""].flat()[0] ?? "");
  const until = httpDate(text);
  return sent === undefined || until === undefined ? undefined : Math.max(0, until - sent);
}

/** Milliseconds since 1970 of an IMF-fixdate, the one form that is sent today (RFC 9110 5.6.7). */
function httpDate(text: string): number | undefined {
  const isDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text);
  const ms = isDate ? Date.parse(text) : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}
