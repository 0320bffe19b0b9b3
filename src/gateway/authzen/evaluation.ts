/**
 * Sections 6 and 7: one question, or many in one request. `decision` is a boolean; our outcome, reason and rules are in
 * `context`, under the names of the drafts where a draft has one.
 */
import {
  digestOf,
  err,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";
import type { Decision, Governed, Spine, ToolRequest } from "../call.ts";
import { type FrontResponse, jsonResponse } from "../http-front.ts";
import { accessRequestOf } from "./access-request.ts";
import { type Question, readQuestion, readQuestions, type Semantic } from "./question.ts";
import { type Refused, refused } from "./refused.ts";
import { type Asker, asToolRequest, honours, replaceArguments } from "./subject.ts";

export interface EvaluationParts {
  readonly spine: Spine;
  readonly clock: Clock;
  readonly evaluationsMax: number;
  /** Questions of one request that are judged at the same time. */
  readonly evaluationsAtOnceMax: number;
}

/** What the request carries besides the question. */
export type Carried = Pick<ToolRequest, "traceparent" | "requestId">;

interface Evaluation {
  readonly decision: boolean;
  readonly context: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly question: Question;
  readonly request: ToolRequest;
  readonly asker: Asker;
}

/** Section 6. */
export async function evaluation(
  parts: EvaluationParts,
  asker: Asker,
  body: JsonValue,
  carried: Carried,
): Promise<FrontResponse> {
  const question = readQuestion(body);
  if (!question.ok) return refused({ status: 400, detail: question.error });
  const asked = ask(asker, question.value, carried);
  return asked.ok ? jsonResponse(200, await evaluate(parts, asked.value)) : refused(asked.error);
}

/** Section 7. */
export async function evaluations(
  parts: EvaluationParts,
  asker: Asker,
  body: JsonValue,
  carried: Carried,
): Promise<FrontResponse> {
  const read = readQuestions(body, parts.evaluationsMax);
  if (!read.ok) return refused({ status: 400, detail: read.error });
  const questions = read.value;
  if (questions.kind === "single") return await evaluation(parts, asker, body, carried);
  const all = questions.items.map((item) =>
    item.ok ? ask(asker, item.value, carried) : err({ status: 400, detail: item.error }),
  );
  return jsonResponse(200, { evaluations: await inOrder(parts, all, questions.semantic) });
}

/** 7.1.2: all of them, or up to and including the first that settles it. */
async function inOrder(
  parts: EvaluationParts,
  all: readonly Result<Asked, Refused>[],
  semantic: Semantic,
): Promise<readonly Evaluation[]> {
  const answerOf = async (one: Result<Asked, Refused>): Promise<Evaluation> =>
    one.ok ? await evaluate(parts, one.value) : failedItem(one.error);
  if (semantic === "execute_all")
    return await someAtOnce(all, answerOf, parts.evaluationsAtOnceMax);
  const last = semantic === "permit_on_first_permit";
  const results: Evaluation[] = [];
  for (const one of all) {
    const result = await answerOf(one);
    results.push(result);
    if (result.decision === last) break;
  }
  return results;
}

/** Each judged question takes the room of a call, so a long list must not ask for more room than one caller has. */
async function someAtOnce<T, R>(
  all: readonly T[],
  answerOf: (one: T) => Promise<R>,
  atOnceMax: number,
): Promise<readonly R[]> {
  const waiting = all.entries();
  const results: R[] = [];
  const work = async (): Promise<void> => {
    for (const [at, one] of waiting) results[at] = await answerOf(one);
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, all.length) }, work));
  return results;
}

/** A question that could not be judged is not permitted, and says why in its own place (7.2.1). */
function failedItem({ status, detail }: Refused): Evaluation {
  return { decision: false, context: { error: { status, message: detail } } };
}

function ask(asker: Asker, question: Question, carried: Carried): Result<Asked, Refused> {
  const request = asToolRequest(question, asker);
  if (!request.ok) return err({ status: 403, detail: `${request.error}.` });
  return ok({ question, request: { ...request.value, ...carried }, asker });
}

async function evaluate(
  { spine, clock }: EvaluationParts,
  { question, request, asker }: Asked,
): Promise<Evaluation> {
  const wallMs = clock.wallMs();
  const governed = await spine.evaluate(request);
  const { permitted, obligations } = permissionOf(governed.decision, question, asker);
  return {
    decision: permitted,
    context: {
      ...contextOf(governed),
      ...accessRequestOf(governed.decision, wallMs),
      ...(obligations.length === 0 ? {} : { obligations }),
    },
  };
}

export interface Permission {
  readonly permitted: boolean;
  /** Obligations profile: what the enforcement point must do along with it. */
  readonly obligations: readonly JsonObject[];
}

/**
 * The boolean of a decision, the same for an evaluation and for a candidate of a search. `sanitize` is permitted only
 * when the enforcement point promised to carry it out.
 */
export function permissionOf(decision: Decision, question: Question, asker: Asker): Permission {
  const refusedOutright = { permitted: false, obligations: [] };
  if (decision.refusal !== undefined) return refusedOutright;
  if (decision.decision === "allow") return { permitted: true, obligations: [] };
  if (decision.decision !== "sanitize") return refusedOutright;
  const { sanitized_payload: sanitized, call_id: call } = decision;
  // The redacted form is handed out only when it is exactly what was judged; otherwise nobody could carry it out.
  if (sanitized === undefined || digestOf(sanitized.redacted) !== sanitized.digest)
    return refusedOutright;
  if (!honours(asker, question, replaceArguments)) return refusedOutright;
  const properties = { arguments: sanitized.redacted, digest: sanitized.digest };
  return {
    permitted: true,
    obligations: [{ id: `${call}/1`, type: replaceArguments, properties }],
  };
}

function contextOf({ decision, receipt }: Governed<never>): Readonly<Record<string, unknown>> {
  const { decision: outcome, sanitized_payload: _, determining_rules: rules, ...rest } = decision;
  return { outcome, rules, ...rest, ...(receipt === undefined ? {} : { receipt }) };
}
