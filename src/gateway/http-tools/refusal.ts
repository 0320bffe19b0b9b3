/** Refusals of the HTTP face before anything was judged, and its limits. */

export interface HttpRefusal {
  readonly status: number;
  readonly code:
    | "bad_request"
    | "unauthenticated"
    | "unknown_server"
    | "unknown_tool"
    | "method_not_allowed"
    | "too_large";
  /** What was wrong, and where. */
  readonly detail: string;
  /** What to do now. */
  readonly next: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpToolLimits {
  readonly bodyBytesMax: number;
  /** Arrays and objects that may enclose one another in a JSON body. */
  readonly depthMax: number;
  readonly pathBytesMax: number;
  /** Values in a query or in a form. */
  readonly parametersMax: number;
  /** An answer up to this size is held until it is whole, so that its digest is in the record; a larger one streams. */
  readonly holdBytesMax: number;
  /** A receipt longer than this is not put into a header. */
  readonly receiptHeaderBytesMax: number;
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export const httpToolLimits: HttpToolLimits = {
  bodyBytesMax: 4 * 1024 * 1024,
  depthMax: 64,
  pathBytesMax: 8192,
  parametersMax: 256,
  holdBytesMax: 1024 * 1024,
  receiptHeaderBytesMax: 8192,
  headTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
};
