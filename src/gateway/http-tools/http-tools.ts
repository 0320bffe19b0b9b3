/**
 * HTTP tools: `/http/{upstream}/…` as a reverse proxy whose every request is a governed call. The face only translates:
 * request to arguments, decision to answer; the URL and body that are sent are written from the judged arguments.
 */

import type { Identity } from "../../identity/index.ts";
import {
  digestOf,
  err,
  type JsonObject,
  ok,
  type Result,
  type ToolId,
  toolId,
} from "../../kernel/index.ts";
import type { Effect } from "../../policy/index.ts";
import type { HttpTransport } from "../../ports.ts";
import type { Governed, Identifier, Spine, ToolDefinition, ToolRequest } from "../call.ts";
import { type FrontFace, type FrontRequest, headerOf, overrideHeader } from "../http-front.ts";
import { nearArgument } from "../near-names.ts";
import {
  governedResponse,
  type ReceiptPlacing,
  refusalResponse,
  type UpstreamAnswer,
} from "./answer.ts";
import { readArguments } from "./arguments.ts";
import { readBody } from "./body.ts";
import { idempotencyKeyPattern } from "./headers.ts";
import { laterCall } from "./later.ts";
import { type HttpRefusal, type HttpToolLimits, httpToolLimits } from "./refusal.ts";
import type { HttpRoute, RouteTable } from "./routes.ts";
import { type ResolvedCall, sendJudged } from "./send.ts";
import { type Parameters, readParameters, readPath, writePath } from "./target.ts";

export interface HttpUpstream {
  readonly name: string;
  /** Absolute, with or without a path; the paths of tools are below it. */
  readonly baseUrl: string;
  /** Absent: every path is a tool of its own, named by its literal text. */
  readonly routes?: RouteTable;
  /** Added to every request, lower case: credentials and the like, which agents never see. */
  readonly headers: Readonly<Record<string, string>>;
  /** Request headers sent on beyond the standard ones, lower case. Policy sees them as `context.http.headers`. */
  readonly forwardHeaders: readonly string[];
  /** A body that is neither JSON nor a form: judged by its digest, or refused. */
  readonly opaqueBodies: "digest" | "refuse";
}

export interface HttpTools {
  readonly upstreams: ReadonlyMap<string, HttpUpstream>;
  readonly spine: Spine;
  readonly identifier: Identifier;
  readonly transport: HttpTransport;
  readonly limits?: Partial<HttpToolLimits>;
  /** Where a receipt that fits no header is served. */
  readonly receiptUrl?: (callId: string) => string;
  /** How long a client may have its call wait for people (`Prefer: wait`); default: not at all. */
  readonly approvalWaitMsMax?: number;
}

const methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] as const;
const reads: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** The effect of a method where nothing else says (RFC 9110 9.2.1, safe methods). */
export function effectOfMethod(method: string): Effect {
  return reads.includes(method) ? "read" : "write";
}

/** The id of a route's tool: `github:POST /repos/{owner}/{repo}/issues`. */
export function toolOfRoute(upstream: string, route: HttpRoute): ToolId {
  return toolId(upstream, `${route.method} ${route.template}`);
}

/** The pinned definition of a route. */
export function definitionOf(route: HttpRoute): ToolDefinition {
  const inputSchema = route.argsSchema;
  const pinned: JsonObject = {
    name: `${route.method} ${route.template}`,
    description: route.description ?? "",
    ...(inputSchema === undefined ? {} : { inputSchema }),
  };
  return { digest: digestOf(pinned), ...(inputSchema === undefined ? {} : { inputSchema }) };
}

/** The face to put at `/http`. */
export function httpTools(parts: HttpTools): FrontFace {
  const limits: HttpToolLimits = { ...httpToolLimits, ...parts.limits };
  const receipts: ReceiptPlacing = {
    headerBytesMax: limits.receiptHeaderBytesMax,
    ...(parts.receiptUrl === undefined ? {} : { url: parts.receiptUrl }),
  };
  const definitions = new WeakMap<HttpRoute, ToolDefinition>();
  return async (request) => {
    const who = await parts.identifier.identify(request.headers, request);
    if (!who.ok) return refusalResponse(unidentified(who));
    const resolved = resolve(parts, limits, request, who.identity);
    if (!resolved.ok) return refusalResponse(resolved.error);
    const { call, asked } = resolved.value;
    let definition = definitions.get(call.route);
    if (definition === undefined && call.upstream.routes !== undefined) {
      definition = definitionOf(call.route);
      definitions.set(call.route, definition);
    }
    const whole = definition === undefined ? asked : { ...asked, definition };
    const govern = (): Promise<Governed<UpstreamAnswer>> =>
      parts.spine.govern(whole, (judged) =>
        sendJudged(call, judged, request, parts.transport, limits),
      );
    return governedResponse(await patiently(govern, parts, request), receipts);
  };
}

/**
 * A client that says how long it will wait (`Prefer: wait`, RFC 7240) for people to approve is answered when they have, and
 * then with what its call came to.
 */
async function patiently(
  govern: () => Promise<Governed<UpstreamAnswer>>,
  { spine, approvalWaitMsMax = 0 }: HttpTools,
  request: FrontRequest,
): Promise<Governed<UpstreamAnswer>> {
  const governed = await govern();
  const { pending_state: pending, approval_id: id } = governed.decision;
  const waitMs = Math.min(waitOf(headerOf(request, "prefer") ?? "") * 1_000, approvalWaitMsMax);
  if (pending === undefined || id === undefined || waitMs === 0) return governed;
  const isAnswered = await spine.answered(id, waitMs, request.signal);
  return isAnswered && !request.signal.aborted ? await govern() : governed;
}

/** Seconds; 0 when nothing is said of it. */
function waitOf(prefer: string): number {
  const found = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,5})"?(?:$|[,;\s])/i.exec(prefer);
  return Number(found?.[1] ?? 0);
}

interface Resolved {
  readonly call: ResolvedCall;
  readonly asked: ToolRequest;
}

function resolve(
  parts: HttpTools,
  limits: HttpToolLimits,
  request: FrontRequest,
  identity: Identity,
): Result<Resolved, HttpRefusal> {
  const target = readTarget(request, limits);
  if (!target.ok) return target;
  const { server, segments, query } = target.value;
  const upstream = parts.upstreams.get(server);
  if (upstream === undefined) {
    return refuse(
      404,
      "unknown_server",
      `There is no HTTP upstream ${JSON.stringify(server)}.`,
      "Check the first part of the path after /http/.",
    );
  }
  const found = findRoute(upstream, request.method, segments);
  if (!found.ok) return found;
  const { route, path } = found.value;
  const body = readBody(request, limits, upstream.opaqueBodies);
  if (!body.ok) return body;
  const args = readArguments(route, path, query, body.value);
  if (!args.ok) return args;
  const near = nearArgument(args.value, route.argsSchema);
  if (near !== undefined)
    return refuse(400, "bad_request", `${near} is not declared.`, "Mind the case of its name.");
  const clientKey = headerOf(request, "idempotency-key");
  if (
    request.headers["idempotency-key"] !== undefined &&
    !idempotencyKeyPattern.test(clientKey ?? "")
  ) {
    return refuse(
      400,
      "bad_request",
      "The Idempotency-Key is not one value of 1 to 255 visible characters.",
      "Send one, or none.",
    );
  }
  const effect = route.effect ?? effectOfMethod(request.method);
  const tool = toolOfRoute(upstream.name, route);
  const traceparent = headerOf(request, "traceparent");
  const tracestate = request.headers["tracestate"]?.join(",");
  const requestId = headerOf(request, "x-request-id");
  const override = headerOf(request, overrideHeader);
  return ok({
    call: { upstream, route, effect, tool, identity, body: body.value, clientKey },
    asked: {
      face: "http",
      method: request.method,
      identity,
      tool,
      resource: { type: "http", id: writePath(segments), properties: { server: upstream.name } },
      effectHint: effect,
      later: (callId) =>
        laterCall({ upstream, tool, identity, clientKey }, request, body.value, callId),
      args: args.value,
      context: { http: httpContext(request, upstream, body.value.kind) },
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { traceBeside: { tracestate } }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(override === undefined ? {} : { override }),
    },
  });
}

/** Facts about the request that are not arguments. `body` keeps a JSON body from posing as a digest. */
function httpContext(request: FrontRequest, upstream: HttpUpstream, body: string): JsonObject {
  const headers: Record<string, string> = Object.create(null);
  for (const name of upstream.forwardHeaders) {
    const values = request.headers[name];
    if (values !== undefined) headers[name] = values.join(", ");
  }
  return { method: request.method, body, headers };
}

interface ReadTarget {
  readonly server: string;
  readonly segments: readonly string[];
  readonly query: Parameters;
}

function readTarget(
  request: FrontRequest,
  limits: HttpToolLimits,
): Result<ReadTarget, HttpRefusal> {
  const length = request.path.length + request.query.length;
  if (length > limits.pathBytesMax) {
    return refuse(
      414,
      "too_large",
      `Path and query have ${length} bytes, over ${limits.pathBytesMax} (limits.path_bytes_max).`,
      "Send a shorter one.",
    );
  }
  if (!methods.some((method) => method === request.method)) {
    return refuse(
      501,
      "method_not_allowed",
      `The method ${request.method} is not served.`,
      `Use one of ${methods.join(", ")}.`,
    );
  }
  const path = readPath(request.path);
  if (!path.ok) {
    return refuse(
      400,
      "bad_request",
      `The path holds ${path.error}.`,
      "Write it in its plain form: no dot segments, no encoded slashes, no double encoding.",
    );
  }
  const [, server = "", ...rest] = path.value;
  const query = readParameters(request.query, limits.parametersMax);
  if (!query.ok)
    return refuse(400, "bad_request", `The query holds ${query.error}.`, "Correct the query.");
  return ok({ server, segments: rest.length === 0 ? [""] : rest, query: query.value });
}

/** The declared route, or without declarations the literal path as a route of its own. */
function findRoute(
  upstream: HttpUpstream,
  method: string,
  segments: readonly string[],
): Result<
  { readonly route: HttpRoute; readonly path: Readonly<Record<string, string>> },
  HttpRefusal
> {
  if (upstream.routes === undefined) return ok(literalRoute(method, segments));
  const match = upstream.routes.match(method, segments);
  switch (match.kind) {
    case "route":
      return ok(match);
    case "wrong_method":
      return err({
        status: 405,
        code: "method_not_allowed",
        detail: `${method} is not a tool of ${writePath(segments)} at ${upstream.name}.`,
        next: `Use one of ${match.allowed.join(", ")}.`,
        headers: { allow: match.allowed.join(", ") },
      });
    case "none":
      return refuse(
        404,
        "unknown_tool",
        `${upstream.name} has no tool for ${writePath(segments)}.`,
        "Use a path that its OpenAPI document or route list declares.",
      );
  }
}

function literalRoute(
  method: string,
  segments: readonly string[],
): { readonly route: HttpRoute; readonly path: Readonly<Record<string, string>> } {
  // The encoded form is the name: it has no braces, so it reads back as the same literal segments.
  return { route: { method, template: writePath(segments) }, path: {} };
}

function unidentified(who: {
  readonly status: 401 | 403;
  readonly reason: string;
  readonly challenge: string;
}): HttpRefusal {
  return {
    status: who.status,
    code: "unauthenticated",
    detail: who.reason,
    next: "Send a token of a configured issuer as `Authorization: Bearer …`.",
    headers: { "www-authenticate": who.challenge },
  };
}

function refuse(
  status: number,
  code: HttpRefusal["code"],
  detail: string,
  next: string,
): Result<never, HttpRefusal> {
  return err({ status, code, detail, next });
}
