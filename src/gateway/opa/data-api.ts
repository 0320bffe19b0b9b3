/**
 * OPA's Data API (OPA docs, "REST API", "Data API"), for enforcement points that speak it already. The input is that of
 * a stock OPA with our bundle, and so is the result; but who asks is identified, and each decision is recorded.
 */
import type { Identity } from "../../identity/index.ts";
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonValue,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";
import type { Verdict } from "../../policy/index.ts";
import type { Governed, Identifier, RefusalCode, Spine, ToolRequest } from "../call.ts";
import { type EnforcementPoint, enforcementPointOf } from "../enforcement-point.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  jsonResponse,
} from "../http-front.ts";
import { limitName } from "../limit-name.ts";
import { type Question, readInput } from "./question.ts";

export interface OpaApi {
  readonly spine: Spine;
  readonly identifier: Identifier;
  /** Who may ask: they assert the subject and everything else of the question. */
  readonly enforcementPoints: readonly EnforcementPoint[];
  readonly bodyBytesMax: number;
  readonly depthMax: number;
}

export const dataPath = "/v1/data";

/** Error codes of OPA's API. */
type Code =
  | "invalid_parameter"
  | "unauthorized"
  | "resource_not_found"
  | "internal_error"
  | "undefined_document";

interface Refused {
  readonly status: number;
  readonly code: Code;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The face to put at `/v1`. */
export function opaApi(parts: OpaApi): FrontFace {
  return async (request) => {
    const answered = await answerTo(parts, request);
    return answered.ok ? answered.value : errorResponse(answered.error);
  };
}

function errorResponse({ status, code, message, headers = {} }: Refused): FrontResponse {
  return jsonResponse(status, { code, message }, headers);
}

async function answerTo(
  parts: OpaApi,
  request: FrontRequest,
): Promise<Result<FrontResponse, Refused>> {
  const document = documentAt(request.path);
  if (!document.ok) return document;
  if (request.method !== "POST" && request.method !== "GET")
    return err({
      ...{ status: 405, code: "invalid_parameter", message: "use GET or POST" },
      headers: { allow: "GET, POST" },
    });
  const who = await parts.identifier.identify(request.headers, request);
  if (!who.ok)
    return err({
      ...{ status: who.status, code: "unauthorized", message: who.reason },
      headers: { "www-authenticate": who.challenge },
    });
  const question = questionOf(request, parts);
  if (!question.ok) return question;
  const asked = toolRequest(parts, who.identity, question.value);
  if (!asked.ok) return asked;
  const governed = await parts.spine.evaluate(asked.value);
  return answer(request, document.value, governed);
}

interface Document {
  readonly entrypoint: "verdict" | "allow";
  /** Below the entrypoint. */
  readonly path: readonly string[];
}

function documentAt(path: string): Result<Document, Refused> {
  const message = `served are ${dataPath}/holdfast/verdict and ${dataPath}/holdfast/allow, not ${path}`;
  let segments: string[];
  try {
    segments = path.slice(1).split("/").map(decodeURIComponent);
  } catch {
    return err({ status: 400, code: "invalid_parameter", message: "the path is badly encoded" });
  }
  const [v1, data, root, entrypoint, ...below] = segments;
  if (v1 !== "v1" || data !== "data")
    return err({ status: 404, code: "resource_not_found", message });
  if (root !== "holdfast" || (entrypoint !== "verdict" && entrypoint !== "allow"))
    return err({ status: 404, code: "undefined_document", message });
  return ok({ entrypoint, path: below });
}

/** POST carries `{"input": …}`, GET the input alone as the parameter `input`. */
function questionOf(request: FrontRequest, limits: OpaApi): Result<Question, Refused> {
  const wrong = (message: string): Result<never, Refused> =>
    err({ status: 400, code: "invalid_parameter", message });
  const type = String(request.headers["content-type"] ?? "").toLowerCase();
  const encoding = String(request.headers["content-encoding"] ?? "identity");
  if (type.includes("yaml")) return wrong("YAML is not read here: send JSON");
  if (encoding !== "identity") return wrong(`Content-Encoding ${encoding} is not read here`);
  const given = request.method === "GET" ? inputParameter(request.query) : request.body;
  if (given === undefined) return wrong("the parameter `input` is missing: give the input as JSON");
  const parsed = parseJsonStrict(given, {
    bytesMax: limits.bodyBytesMax,
    depthMax: limits.depthMax,
  });
  if (!parsed.ok) {
    const { kind, detail } = parsed.error;
    const message = `malformed input document: ${detail}${limitName(kind)}`;
    return err({ status: kind === "too_large" ? 413 : 400, code: "invalid_parameter", message });
  }
  const { value } = parsed;
  if (request.method === "POST" && !isJsonObject(value)) return wrong("the body must be an object");
  const input = request.method === "GET" ? value : isJsonObject(value) ? value["input"] : undefined;
  const question = readInput(input);
  return question.ok ? question : wrong(question.error);
}

function inputParameter(query: string): Uint8Array | undefined {
  const input = new URLSearchParams(query).get("input");
  return input === null ? undefined : new TextEncoder().encode(input);
}

/** The enforcement point proves itself and asserts the rest; the tenant is always its own. */
function toolRequest(
  { enforcementPoints }: OpaApi,
  caller: Identity,
  question: Question,
): Result<ToolRequest, Refused> {
  const refuse = (message: string): Result<never, Refused> =>
    err({ status: 403, code: "unauthorized", message });
  if (enforcementPointOf(caller, enforcementPoints) === undefined)
    return refuse(`${caller.agent} is not configured as an enforcement point`);
  const { subject, action, resource, args } = question;
  if (subject.tenant !== undefined && subject.tenant !== caller.tenant)
    return refuse(`\`input.subject.tenant\` is not the tenant of ${caller.agent}`);
  const identity: Identity = {
    agent: subject.id,
    ...(subject.model === undefined ? {} : { model: subject.model }),
    ...(subject.principal === undefined ? {} : { principal: subject.principal }),
    tenant: caller.tenant,
    delegation: subject.delegation,
    how: "asserted",
    expiresAtMs: caller.expiresAtMs,
    properties: subject.properties,
  };
  const common = { face: "opa", method: "data", tool: action.name, resource, args } as const;
  return ok({ ...common, identity, caller, question });
}

function answer(
  request: FrontRequest,
  { entrypoint, path }: Document,
  { decision, verdict, receipt }: Governed<never>,
): Result<FrontResponse, Refused> {
  const headers = {
    "holdfast-decision": decision.decision,
    "holdfast-policy-version": decision.policy_version,
    ...(receipt === undefined
      ? {}
      : { "holdfast-receipt": Buffer.from(receipt).toString("base64url") }),
  };
  if (decision.refusal !== undefined || verdict === undefined)
    return err({
      ...{ status: statusOf(decision.refusal), code: "internal_error", headers },
      message: `${decision.reason}; ${decision.next}`,
    });
  const whole = entrypoint === "verdict" ? (verdict as unknown as JsonValue) : allows(verdict);
  const result = below(whole, path);
  const said = new URLSearchParams(request.query);
  const body = {
    decision_id: decision.call_id,
    ...(wanted(said, "provenance") ? { provenance: provenance(decision.policy_version) } : {}),
    ...(result === undefined ? {} : { result }),
  };
  const response = jsonResponse(200, body, headers);
  if (!wanted(said, "pretty")) return ok(response);
  return ok({ ...response, body: new TextEncoder().encode(JSON.stringify(body, undefined, 2)) });
}

function statusOf(refusal: RefusalCode | undefined): number {
  return refusal === "too_many_calls" ? 429 : 503;
}

/** `data.holdfast.allow`: a call that must be changed first is no yes. */
function allows({ outcome, obligations }: Verdict): boolean {
  return outcome === "allow" && obligations.every(({ kind }) => kind !== "redact");
}

/** As OPA walks documents: members by name, elements by number; what is not there is undefined. */
function below(value: JsonValue, path: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const step of path) {
    if (isJsonArray(at)) at = /^\d+$/.test(step) ? at[Number(step)] : undefined;
    else at = isJsonObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  }
  return at;
}

/** OPA's rule for parameters that switch something on. */
function wanted(parameters: URLSearchParams, name: string): boolean {
  return ["", "true"].includes(parameters.get(name) ?? "false");
}

/** The member of OPA's answer that says which bundle decided. */
function provenance(revision: string): object {
  return { bundles: { holdfast: { revision } } };
}
