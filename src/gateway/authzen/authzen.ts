/**
 * OpenID AuthZEN Authorization API 1.0: decisions without forwarding, for enforcement points of others. Each evaluation
 * is recorded like a call. `decision` is a boolean; our outcome, reason and rules are in `context`.
 */

import type { Identity } from "../../identity/index.ts";
import {
  digestOf,
  err,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { Governed, Identifier, Spine, ToolRequest } from "../call.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  jsonResponse,
  problemResponse,
} from "../http-front.ts";
import { limitName } from "../limit-name.ts";
import { type Question, readQuestion, readQuestions, type Semantic } from "./question.ts";
import { asToolRequest, type EnforcementPoint, honours, replaceArguments } from "./subject.ts";

export interface AuthZen {
  readonly spine: Spine;
  readonly identifier: Identifier;
  /** Scheme, host and port under which clients reach this gateway; `policy_decision_point` of the metadata. */
  readonly publicUrl: string;
  readonly enforcementPoints: readonly EnforcementPoint[];
  readonly bodyBytesMax?: number;
  readonly depthMax?: number;
  readonly evaluationsMax?: number;
}

export const evaluationPath = "/access/v1/evaluation";
export const evaluationsPath = "/access/v1/evaluations";
export const metadataPath = "/.well-known/authzen-configuration";

interface Evaluation {
  readonly decision: boolean;
  readonly context: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly question: Question;
  readonly request: ToolRequest;
  readonly known: EnforcementPoint | undefined;
}

interface Refused {
  readonly status: number;
  readonly detail: string;
}

/** The face to put at `/access/v1` and at the metadata's path. */
export function authZen(parts: AuthZen): FrontFace {
  return async (request) => {
    const answer = await answerTo(parts, request);
    const id = headerOf(request, "x-request-id");
    if (id === undefined) return answer;
    return { ...answer, headers: { ...answer.headers, "x-request-id": id } };
  };
}

async function answerTo(parts: AuthZen, request: FrontRequest): Promise<FrontResponse> {
  const { path, method } = request;
  if (path === metadataPath) {
    return method === "GET" ? metadata(parts.publicUrl) : wrongMethod("GET");
  }
  if (path !== evaluationPath && path !== evaluationsPath) {
    return problemResponse(
      404,
      "Not found",
      `AuthZEN serves ${evaluationPath} and ${evaluationsPath}.`,
    );
  }
  if (method !== "POST") return wrongMethod("POST");
  const who = await parts.identifier.identify(request.headers);
  if (!who.ok) {
    return problemResponse(who.status, "Identity required", who.reason, {
      "www-authenticate": who.challenge,
    });
  }
  const body = readBody(request, parts);
  if (!body.ok) return refused(body.error);
  return path === evaluationPath
    ? await evaluation(parts, who.identity, body.value)
    : await evaluations(parts, who.identity, body.value);
}

function readBody(request: FrontRequest, limits: AuthZen): Result<JsonValue, Refused> {
  const type = headerOf(request, "content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return err({ status: 400, detail: "Send `Content-Type: application/json`." });
  }
  const parsed = parseJsonStrict(request.body, {
    bytesMax: limits.bodyBytesMax ?? 1024 * 1024,
    ...(limits.depthMax === undefined ? {} : { depthMax: limits.depthMax }),
  });
  if (parsed.ok) return ok(parsed.value);
  return err({
    status: parsed.error.kind === "too_large" ? 413 : 400,
    detail: parsed.error.detail + limitName(parsed.error.kind),
  });
}

async function evaluation(
  parts: AuthZen,
  caller: Identity,
  body: JsonValue,
): Promise<FrontResponse> {
  const question = readQuestion(body);
  if (!question.ok) return refused({ status: 400, detail: question.error });
  const asked = ask(parts, caller, question.value);
  if (!asked.ok) return refused(asked.error);
  return jsonResponse(200, await evaluate(parts.spine, asked.value));
}

async function evaluations(
  parts: AuthZen,
  caller: Identity,
  body: JsonValue,
): Promise<FrontResponse> {
  const read = readQuestions(body, parts.evaluationsMax ?? 100);
  if (!read.ok) return refused({ status: 400, detail: read.error });
  const questions = read.value;
  if (questions.kind === "single") {
    const asked = ask(parts, caller, questions.question);
    return asked.ok
      ? jsonResponse(200, await evaluate(parts.spine, asked.value))
      : refused(asked.error);
  }
  const all = questions.items.map((item) =>
    item.ok ? ask(parts, caller, item.value) : err({ status: 400, detail: item.error }),
  );
  return jsonResponse(200, { evaluations: await inOrder(parts.spine, all, questions.semantic) });
}

/** 7.1.2: all of them, or up to and including the first that settles it. */
async function inOrder(
  spine: Spine,
  all: readonly Result<Asked, Refused>[],
  semantic: Semantic,
): Promise<readonly Evaluation[]> {
  const answerOf = async (one: Result<Asked, Refused>): Promise<Evaluation> =>
    one.ok ? await evaluate(spine, one.value) : failedItem(one.error);
  if (semantic === "execute_all") return await Promise.all(all.map(answerOf));
  const last = semantic === "permit_on_first_permit";
  const results: Evaluation[] = [];
  for (const one of all) {
    const result = await answerOf(one);
    results.push(result);
    if (result.decision === last) break;
  }
  return results;
}

/** A question that could not be judged is not permitted, and says why in its own place. */
function failedItem({ status, detail }: Refused): Evaluation {
  return { decision: false, context: { error: { status, message: detail } } };
}

function ask(parts: AuthZen, caller: Identity, question: Question): Result<Asked, Refused> {
  const known = parts.enforcementPoints.find(({ agent }) => agent === caller.agent);
  const request = asToolRequest(question, caller, known);
  if (!request.ok) return err({ status: 403, detail: `${request.error}.` });
  return ok({ question, request: request.value, known });
}

async function evaluate(spine: Spine, { question, request, known }: Asked): Promise<Evaluation> {
  const governed = await spine.evaluate(request);
  const { decision, sanitized_payload: sanitized } = governed.decision;
  // The redacted form is handed out only when it is exactly what was judged; otherwise nobody could carry it out.
  const obligated =
    decision === "sanitize" &&
    sanitized !== undefined &&
    digestOf(sanitized.redacted) === sanitized.digest &&
    honours(known, question, replaceArguments);
  const permitted = decision === "allow" || obligated;
  return {
    decision: permitted && governed.decision.refusal === undefined,
    context: contextOf(governed, obligated),
  };
}

function contextOf(
  { decision, receipt }: Governed<never>,
  obligated: boolean,
): Readonly<Record<string, unknown>> {
  const {
    decision: outcome,
    sanitized_payload: sanitized,
    determining_rules: rules,
    ...rest
  } = decision;
  const obligation = {
    id: `${decision.call_id}/1`,
    type: replaceArguments,
    properties: { arguments: sanitized?.redacted, digest: sanitized?.digest },
  };
  return {
    outcome,
    rules,
    ...rest,
    ...(obligated && sanitized !== undefined ? { obligations: [obligation] } : {}),
    ...(receipt === undefined ? {} : { receipt }),
  };
}

/** Section 9. Search endpoints are not served, so they are not named. */
function metadata(publicUrl: string): FrontResponse {
  const base = publicUrl.replace(/\/$/, "");
  return jsonResponse(200, {
    policy_decision_point: base,
    access_evaluation_endpoint: base + evaluationPath,
    access_evaluations_endpoint: base + evaluationsPath,
  });
}

function refused({ status, detail }: Refused): FrontResponse {
  const titles: Readonly<Record<number, string>> = {
    400: "Bad request",
    403: "Not allowed to ask",
  };
  return problemResponse(status, titles[status] ?? "Too large", detail);
}

function wrongMethod(allow: string): FrontResponse {
  return problemResponse(405, "Method not allowed", `Use ${allow}.`, { allow });
}
