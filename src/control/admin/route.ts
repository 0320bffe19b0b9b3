/** One operation of the admin API: the same value is served, described in OpenAPI, and tested against the running server. */
import type { JsonObject } from "../../kernel/index.ts";
import type { KnownApprover } from "../approvals/index.ts";
import type { Problem, WebResponse } from "../web.ts";

export interface AdminCall {
  readonly approver: KnownApprover;
  /** The parts of the path in braces, decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** Valid by the route's schema, defaults filled in. */
  readonly query: JsonObject;
  /** Valid by the route's schema; `{}` for a route without one. */
  readonly body: JsonObject;
  /** The version in `If-Match`. */
  readonly version: number | undefined;
}

export interface AdminRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** With parameters in braces: `/v1/approvals/{id}`. */
  readonly path: string;
  readonly operation: string;
  readonly summary: string;
  readonly description?: string;
  /** Schemas of query parameters; all are optional. */
  readonly query?: Readonly<Record<string, JsonObject>>;
  readonly body?: JsonObject;
  /** Takes `If-Match` with an entity tag of the approval, and refuses when it has changed. */
  readonly conditional?: boolean;
  readonly success: {
    readonly status: 200 | 201 | 204;
    readonly description: string;
    /** A component of the document. */
    readonly schema?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  /** Refusals of this operation's own, besides those of every operation. */
  readonly refusals: Readonly<Record<string, string>>;
  readonly answer: (call: AdminCall) => Promise<WebResponse | Problem>;
}
