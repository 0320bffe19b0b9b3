/**
 * HTTP as values. A face is a function of `FrontRequest`; the server in `adapters/http` turns sockets into this shape
 * and back, and enforces the limits of size, count and time before a face sees anything.
 */

import type { Identity } from "../identity/index.ts";

/** Lower-case names; every value of a repeated header, in order. */
export type FrontHeaders = Readonly<Record<string, readonly string[]>>;

export interface FrontRequest {
  readonly method: string;
  /** As sent, still percent-encoded, beginning with `/`, without the query. */
  readonly path: string;
  /** As sent, without the `?`; empty when there is none. */
  readonly query: string;
  readonly headers: FrontHeaders;
  readonly body: Uint8Array;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** Who was proven to ask, on a request that a face makes in the place of its client. No server ever sets it. */
  readonly identity?: Identity;
}

export interface FrontResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** A stream is sent piece by piece as it comes; the server stops iterating when the client is gone. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

export type FrontFace = (request: FrontRequest) => Promise<FrontResponse>;

/** Carries a one-time override token. Never forwarded. */
export const overrideHeader = "holdfast-override";

const encoder = new TextEncoder();

/** The one value of a header; undefined when absent or repeated (a repeated header has no one meaning). */
export function headerOf(request: FrontRequest, name: string): string | undefined {
  const values = request.headers[name];
  return values?.length === 1 ? values[0] : undefined;
}

/** A JSON answer. `body` is serialised with `JSON.stringify`. */
export function jsonResponse(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): FrontResponse {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: encoder.encode(JSON.stringify(body)),
  };
}

/** An answer without a body. */
export function emptyResponse(
  status: number,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): FrontResponse {
  return { status, headers, body: new Uint8Array() };
}

/** RFC 9457 problem details. `detail` says what to do next. */
export function problemResponse(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): FrontResponse {
  return jsonResponse(
    status,
    { type: "about:blank", title, status, detail },
    { ...headers, "content-type": "application/problem+json" },
  );
}
