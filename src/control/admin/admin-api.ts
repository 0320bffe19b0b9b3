/**
 * The admin API: finds the operation, proves the approver, checks the request by the route's own schemas, answers.
 * Whatever is not known to be right is refused before an operation sees it.
 */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { Log } from "../../ports.ts";
import type { ApprovalDesk, KnownApprover } from "../approvals/index.ts";
import {
  headerIn,
  jsonAnswer,
  type Problem,
  problemAnswer,
  type WebRequest,
  type WebResponse,
} from "../web.ts";
import { approvalRoutes, whoAmI } from "./approval-routes.ts";
import { type KillParts, killRoutes } from "./kill-routes.ts";
import { type ModelQuestion, modelRoutes } from "./model-routes.ts";
import { openApiOf } from "./openapi.ts";
import { RequestRates } from "./request-rates.ts";
import type { AdminCall, AdminRoute } from "./route.ts";

/** Checks a value and fills in defaults, in place. The sentences say what is wrong; none means valid. */
export type CompiledCheck = (value: unknown) => readonly string[];

export type ApproverProof =
  | { readonly ok: true; readonly approver: KnownApprover }
  | { readonly ok: false; readonly status: 401 | 403 | 503; readonly detail: string };

interface RouteParts extends KillParts {
  readonly desk: ApprovalDesk;
  readonly questions: readonly ModelQuestion[];
}

export interface AdminApiParts extends RouteParts {
  readonly log: Log;
  /** Whose token this is. */
  readonly prove: (token: string) => Promise<ApproverProof>;
  readonly compile: (schema: JsonObject) => CompiledCheck;
  readonly requestsPerMinute: number;
}

interface ServedRoute {
  readonly route: AdminRoute;
  readonly parts: readonly string[];
  readonly checkQuery: CompiledCheck;
  readonly checkBody: CompiledCheck;
}

const bodyBytesMax = 64 * 1024;
/** RFC 6750 §2.1. */
const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export class AdminApi {
  /** What `/openapi.json` says. */
  readonly document: JsonObject;
  readonly #parts: AdminApiParts;
  readonly #served: readonly ServedRoute[];
  readonly #rates: RequestRates;

  constructor(parts: AdminApiParts) {
    this.#parts = parts;
    this.#rates = new RequestRates(parts.clock, parts.requestsPerMinute);
    const routes = adminRoutes(parts);
    this.document = openApiOf(routes);
    this.#served = routes.map((route) => ({
      route,
      parts: route.path.split("/"),
      checkQuery: parts.compile(closedObject(route.query ?? {})),
      checkBody: parts.compile(route.body ?? closedObject({})),
    }));
  }

  /** The answer to anything below `/v1`, and `/openapi.json`. */
  async answer(request: WebRequest): Promise<WebResponse> {
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (request.path === "/openapi.json" && method === "GET") return jsonAnswer(200, this.document);
    const here = this.#served.filter(
      ({ parts }) => parametersIn(parts, request.path) !== undefined,
    );
    if (here.length === 0) return problemAnswer(nothingAt(request.path));
    // `/v1/approvals/votes` is meant before `/v1/approvals/{id}`.
    const served = here
      .filter(({ route }) => route.method === method)
      .sort((a, b) => a.route.path.split("{").length - b.route.path.split("{").length)[0];
    if (served === undefined) {
      const allow = here.map(({ route }) => route.method).join(", ");
      return problemAnswer(wrongMethod(request.method, allow), { allow });
    }
    return await this.#serve(served, request);
  }

  async #serve(served: ServedRoute, request: WebRequest): Promise<WebResponse> {
    const proven = await this.#approverOf(request);
    const who = proven.ok ? `approver ${proven.approver.id}` : "nobody";
    const retryAfterMs = this.#rates.take(who);
    if (retryAfterMs !== undefined)
      return problemAnswer(tooMany, { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) });
    if (!proven.ok) return refusedProof(proven, request);
    const read = readCall(served, request);
    if (!read.ok) return problemAnswer(read.error);
    const answered = await served.route.answer({ ...read.value, approver: proven.approver });
    const { operation, method } = served.route;
    if (method !== "GET")
      this.#parts.log.write("info", "admin_request", {
        ...{ operation, approver: proven.approver.id, status: answered.status },
        ...{ of: read.value.path["id"] },
      });
    return "body" in answered ? answered : problemAnswer(answered);
  }

  async #approverOf(request: WebRequest): Promise<ApproverProof> {
    const token = bearer.exec(headerIn(request, "authorization") ?? "")?.[1];
    if (token !== undefined) return await this.#parts.prove(token);
    const detail = "Send the token of an approver as `Authorization: Bearer <token>`.";
    return { ok: false, status: 401, detail };
  }
}

/** Every operation there is. */
function adminRoutes(parts: RouteParts): readonly AdminRoute[] {
  return [
    whoAmI(parts.mayStop),
    ...approvalRoutes(parts.desk),
    ...killRoutes(parts),
    ...modelRoutes(parts.questions),
  ];
}

/** The OpenAPI document, for who has no server: the routes are only looked at, and nothing in them is called. */
export function adminDocument(questions: readonly ModelQuestion[]): JsonObject {
  return openApiOf(adminRoutes({ questions } as unknown as RouteParts));
}

function closedObject(properties: Readonly<Record<string, JsonObject>>): JsonObject {
  return { type: "object", properties, additionalProperties: false };
}

/** The parameters in a path of this form; undefined for a path of another. */
function parametersIn(
  parts: readonly string[],
  path: string,
): Readonly<Record<string, string>> | undefined {
  const given = path.split("/");
  if (given.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    const value = given[i] ?? "";
    if (name === undefined ? part !== value : value === "") return undefined;
    if (name !== undefined) found[name] = decoded(value);
  }
  return found;
}

/** What is not percent-encoded UTF-8 names nothing that there is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function readCall(
  { route, parts, checkQuery, checkBody }: ServedRoute,
  request: WebRequest,
): Result<Omit<AdminCall, "approver">, Problem> {
  const query = queryOf(route, request.query);
  if (!query.ok) return err(badRequest("invalid_parameter", query.error));
  const [badQuery] = checkQuery(query.value);
  if (badQuery !== undefined) return err(badRequest("invalid_parameter", badQuery));
  const body = bodyOf(route, request);
  if (!body.ok) return body;
  const [badBody] = checkBody(body.value);
  if (badBody !== undefined) return err(badRequest("invalid_body", badBody));
  const version = versionIn(headerIn(request, "if-match"));
  if (!version.ok) return version;
  const path = parametersIn(parts, request.path) ?? {};
  return ok({ path, query: query.value, body: body.value, version: version.value });
}

function queryOf({ query = {} }: AdminRoute, text: string): Result<JsonObject, string> {
  const found: Record<string, JsonValue> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (Object.hasOwn(found, name)) return err(`${name} is given twice`);
    const isNumber = query[name]?.["type"] === "integer" && /^\d{1,9}$/.test(value);
    found[name] = isNumber ? Number(value) : value;
  }
  return ok(found);
}

function bodyOf({ body }: AdminRoute, request: WebRequest): Result<JsonObject, Problem> {
  if (body === undefined) return ok({});
  if (request.body.length > bodyBytesMax)
    return err({
      ...{ status: 413, code: "too_large", title: "Body too large" },
      detail: `At most ${bodyBytesMax} bytes are read.`,
    });
  const type = headerIn(request, "content-type") ?? "";
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    return err({
      ...{ status: 415, code: "wrong_type", title: "Not JSON" },
      detail: "Send the body as application/json.",
    });
  const parsed = parseJsonStrict(request.body, { depthMax: 16 });
  if (!parsed.ok) return err(badRequest("invalid_body", `the body: ${parsed.error.detail}`));
  return isJsonObject(parsed.value)
    ? ok(parsed.value)
    : err(badRequest("invalid_body", "the body is not a JSON object"));
}

/** A strong entity tag of ours, `"7"`, or `*` for any (RFC 9110 §13.1.1). */
function versionIn(ifMatch: string | undefined): Result<number | undefined, Problem> {
  if (ifMatch === undefined || ifMatch === "*") return ok(undefined);
  const version = /^"(\d{1,15})"$/.exec(ifMatch)?.[1];
  if (version !== undefined) return ok(Number(version));
  const detail = "If-Match takes one entity tag as it came, quotes included.";
  return err(badRequest("invalid_header", detail));
}

const unproven = {
  401: ["not_proven", "Approver not proven"],
  403: ["no_approver", "Not an approver"],
  503: ["issuer_unavailable", "Issuer unavailable"],
} as const;

function refusedProof(
  { status, detail }: ApproverProof & { readonly ok: false },
  request: WebRequest,
): WebResponse {
  const given = request.headers["authorization"] !== undefined;
  const [code, title] = unproven[status];
  const problem = { status, code, title, detail };
  const challenge = given ? 'Bearer error="invalid_token"' : "Bearer";
  return problemAnswer(problem, status === 401 ? { "www-authenticate": challenge } : {});
}

function badRequest(code: string, detail: string): Problem {
  return { status: 400, code, title: "Bad request", detail };
}

function nothingAt(path: string): Problem {
  return {
    ...{ status: 404, code: "no_route", title: "Not found" },
    detail: `Nothing is served at ${path}; /openapi.json says what is.`,
  };
}

function wrongMethod(method: string, allow: string): Problem {
  return {
    ...{ status: 405, code: "wrong_method", title: "Method not allowed" },
    detail: `${method} is not served here, but ${allow}.`,
  };
}

const tooMany: Problem = {
  ...{ status: 429, code: "too_many_requests", title: "Too many requests" },
  detail: "Wait as long as Retry-After says.",
};
