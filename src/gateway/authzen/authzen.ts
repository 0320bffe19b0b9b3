/**
 * OpenID AuthZEN Authorization API 1.0: decisions without forwarding, for enforcement points of others. Each evaluation
 * is recorded like a call, each search once. Section numbers in this folder are those of the specification.
 */
import { err, type JsonValue, ok, parseJsonStrict, type Result } from "../../kernel/index.ts";
import type { Identifier } from "../call.ts";
import type { EnforcementPoint } from "../enforcement-point.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  problemResponse,
} from "../http-front.ts";
import { limitName } from "../limit-name.ts";
import { type EvaluationParts, evaluation, evaluations } from "./evaluation.ts";
import { evaluationPath, evaluationsPath, metadata, metadataPath, searchPath } from "./metadata.ts";
import { type Refused, refused } from "./refused.ts";
import { type SearchParts, search } from "./search.ts";
import type { SearchKind } from "./search-question.ts";
import { type Asker, askerOf } from "./subject.ts";

export interface AuthZen extends EvaluationParts, SearchParts {
  readonly identifier: Identifier;
  /** Scheme, host and port under which clients reach this gateway; `policy_decision_point` of the metadata. */
  readonly publicUrl: string;
  readonly enforcementPoints: readonly EnforcementPoint[];
  readonly bodyBytesMax: number;
  readonly depthMax: number;
}

/** Answers one question; the body is what `JSON` says it is, the asker is proven. */
type Endpoint = (
  parts: AuthZen,
  asker: Asker,
  body: JsonValue,
  request: FrontRequest,
) => Promise<FrontResponse>;

const searchFor =
  (kind: SearchKind): Endpoint =>
  (parts, asker, body, request) =>
    search(parts, kind, asker, body, { ...traceOf(request), signal: request.signal });

const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  [evaluationPath, (parts, asker, body, request) => evaluation(parts, asker, body, ids(request))],
  [evaluationsPath, (parts, asker, body, request) => evaluations(parts, asker, body, ids(request))],
  [`${searchPath}/subject`, searchFor("subject")],
  [`${searchPath}/resource`, searchFor("resource")],
  [`${searchPath}/action`, searchFor("action")],
]);

/** Every path this face answers; to be routed to it. */
export function authZenPaths(publicUrl: string): readonly string[] {
  return ["/access/v1", metadataPath(publicUrl)];
}

/** The face to put at `authZenPaths`. Whatever it answers carries the `X-Request-ID` it was asked with (10.1). */
export function authZen(parts: AuthZen): FrontFace {
  const wellKnown = metadataPath(parts.publicUrl);
  return async (request) => {
    const answer =
      request.path === wellKnown
        ? metadataAnswer(parts, request)
        : await endpointAnswer(parts, request);
    const id = headerOf(request, "x-request-id");
    if (id === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, "x-request-id": id } };
  };
}

function metadataAnswer(parts: AuthZen, { method }: FrontRequest): FrontResponse {
  return method === "GET" ? metadata(parts.publicUrl) : wrongMethod("GET");
}

async function endpointAnswer(parts: AuthZen, request: FrontRequest): Promise<FrontResponse> {
  const endpoint = endpoints.get(request.path);
  if (endpoint === undefined) {
    const served = [...endpoints.keys()].join(", ");
    return problemResponse(404, "Not found", `AuthZEN serves ${served}.`);
  }
  if (request.method !== "POST") return wrongMethod("POST");
  const who = await parts.identifier.identify(request.headers, request);
  if (!who.ok) {
    return problemResponse(who.status, "Identity required", who.reason, {
      "www-authenticate": who.challenge,
    });
  }
  const body = readBody(request, parts);
  if (!body.ok) return refused(body.error);
  const asker = askerOf(who.identity, parts.enforcementPoints);
  return await endpoint(parts, asker, body.value, request);
}

function readBody(request: FrontRequest, limits: AuthZen): Result<JsonValue, Refused> {
  const type = headerOf(request, "content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return err({ status: 400, detail: "Send `Content-Type: application/json`." });
  }
  const { bodyBytesMax: bytesMax, depthMax } = limits;
  const parsed = parseJsonStrict(request.body, { bytesMax, depthMax });
  if (parsed.ok) return ok(parsed.value);
  return err({
    status: parsed.error.kind === "too_large" ? 413 : 400,
    detail: parsed.error.detail + limitName(parsed.error.kind),
  });
}

function traceOf(request: FrontRequest): { readonly traceparent?: string } {
  const traceparent = headerOf(request, "traceparent");
  return traceparent === undefined ? {} : { traceparent };
}

function ids(request: FrontRequest): {
  readonly traceparent?: string;
  readonly requestId?: string;
} {
  const requestId = headerOf(request, "x-request-id");
  return { ...traceOf(request), ...(requestId === undefined ? {} : { requestId }) };
}

function wrongMethod(allow: string): FrontResponse {
  return problemResponse(405, "Method not allowed", `Use ${allow}.`, { allow });
}
