/** HTTP as values, for what people and their programs ask of the control plane. A server turns sockets into them. */

export interface WebRequest {
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  /** As sent, without the `?`. */
  readonly query: string;
  /** Lower-case names; every value of a repeated header. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Uint8Array;
}

type WebHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface WebResponse {
  readonly status: number;
  readonly headers: WebHeaders;
  readonly body: Uint8Array;
}

/** The one value of a header; undefined when absent or repeated. */
export function headerIn(request: WebRequest, name: string): string | undefined {
  const values = request.headers[name];
  return values?.length === 1 ? values[0] : undefined;
}

const encoder = new TextEncoder();

export function jsonAnswer(status: number, body: unknown, headers: WebHeaders = {}): WebResponse {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: encoder.encode(JSON.stringify(body)),
  };
}

/** What went wrong. `code` is stable, for programs; `detail` says what to do next. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
}

/** RFC 9457 problem details, with `code` as an extension member. */
export function problemAnswer(
  { status, code, title, detail }: Problem,
  headers: WebHeaders = {},
): WebResponse {
  const body = { type: "about:blank", title, status, detail, code };
  return jsonAnswer(status, body, { ...headers, "content-type": "application/problem+json" });
}

export function textAnswer(
  status: number,
  contentType: string,
  body: string,
  headers: WebHeaders = {},
): WebResponse {
  return {
    status,
    headers: { "content-type": contentType, "cache-control": "no-store", ...headers },
    body: encoder.encode(body),
  };
}

export function emptyAnswer(status: number, headers: WebHeaders = {}): WebResponse {
  return { status, headers: { "cache-control": "no-store", ...headers }, body: new Uint8Array() };
}
