/**
 * Stages 3 to 6 as values: what the tool is, what policy says of it, what must be done along. Nothing is recorded,
 * reserved or sent, so a search can put the question that a call would put, without being one.
 */

import type { Approval } from "../approvals/index.ts";
import type { DecisionEntry } from "../audit/index.ts";
import type { JsonObject } from "../kernel/index.ts";
import {
  type Engine,
  type ModelFacts,
  modelNotAsked,
  RegoAnswers,
  type RegoQuestion,
  type TargetTemplate,
  type Verdict,
} from "../policy/index.ts";
import type { RegoRuntime } from "../ports.ts";
import { type AnswerFacts, decisionOf, refusalOf } from "./answer.ts";
import type { Decision, ToolRequest } from "./call.ts";
import { decide, decideAsked, policyRequest } from "./decide.ts";
import type { Directory } from "./directory.ts";
import { aboutHold, type Hold, heldVerdict, holdCode, holdReason } from "./hold.ts";
import type { KillWatch } from "./kill-watch.ts";
import { type Obliged, oblige } from "./oblige.ts";
import { type ResolvedTool, resolveAsked, resolveTool } from "./resolve.ts";

/** A request, and what it is judged by: one engine, one moment. */
export interface Asked {
  readonly callId: string;
  readonly request: ToolRequest;
  readonly engine: Engine | undefined;
  readonly policyVersion: string;
  readonly tool: ResolvedTool;
  readonly wallStartMs: number;
  /** What the runtime model said of the node that the call concerns, at that moment. */
  readonly model: ModelFacts;
}

export interface Judgement {
  readonly obliged: Obliged;
  readonly approvalId: string | null;
  /** The grant that lets it through. */
  readonly override?: { readonly jti: string; readonly approvedBy: readonly string[] };
  readonly decision: Decision;
  /** It was held back. */
  readonly escrow?: DecisionEntry["escrow"];
}

export interface Surroundings {
  readonly site: string;
  readonly kill: Pick<KillWatch, "hold">;
  readonly directory: Directory;
  /** Without, conditions that users' own Rego answers cannot be evaluated. */
  readonly rego?: RegoRuntime;
  /** Without, conditions see that nothing is known. */
  readonly model?: ModelSource;
}

/** Whoever knows facts of the runtime model; answers from memory, at once. */
export interface ModelSource {
  facts(target: TargetTemplate | undefined, args: JsonObject, wallMs: number): ModelFacts;
}

export function asking(
  request: ToolRequest,
  engine: Engine | undefined,
  callId: string,
  wallStartMs: number,
  source?: ModelSource,
): Asked {
  const tool =
    request.question === undefined
      ? resolveTool(engine, request.tool, request.definition, request.effectHint)
      : resolveAsked(engine, request.question.action);
  const target = engine?.tool(tool.id)?.target;
  const model = source?.facts(target, request.args, wallStartMs) ?? modelNotAsked;
  return {
    ...{ callId, request, engine, wallStartMs, tool, model },
    policyVersion: engine?.revision ?? "none",
  };
}

/**
 * Asks users' own Rego, where the policy has any that looks at this call; undefined, with nothing waited for, where it
 * has none.
 */
export function regoAnswers(asked: Asked, around: Surroundings): Promise<RegoAnswers> | undefined {
  const { engine } = asked;
  if (engine?.asksRego !== true) return undefined;
  const questions = engine.regoQuestions(questionOf(asked, around));
  return questions.length === 0 ? undefined : allAnswers(questions, around.rego);
}

async function allAnswers(
  questions: readonly RegoQuestion[],
  rego: RegoRuntime | undefined,
): Promise<RegoAnswers> {
  const answers = new RegoAnswers();
  const ask = async (question: RegoQuestion): Promise<void> => {
    const answer = await rego?.ask(question);
    if (answer !== undefined)
      answers.add(question, answer.ok ? answer.value : { why: answer.error });
  };
  await Promise.all(questions.map(ask));
  return answers;
}

function questionOf({ request, tool, ...asked }: Asked, { site, directory }: Surroundings) {
  const facts = { site, wallMs: asked.wallStartMs, directory };
  // What somebody who asks says about the model is not what the model says.
  return { ...(request.question ?? policyRequest(request, tool, facts)), model: asked.model };
}

/**
 * Policy is asked unless a person has stopped the call. In a dry run it is asked too, but a `decisionOnly` answer is one
 * that somebody else acts on, and is a deny. `answers` are those of `regoAnswers`.
 */
export function judge(
  asked: Asked,
  around: Surroundings,
  decisionOnly: boolean,
  answers?: RegoAnswers,
): Judgement {
  const { request, tool, engine } = asked;
  const hold = around.kill.hold(request, tool);
  if (hold !== undefined && (decisionOnly || hold.kind !== "dry_run")) return held(asked, hold);
  const question = questionOf(asked, around);
  const verdict =
    request.question === undefined
      ? decide(engine, question, answers)
      : decideAsked(engine, question, tool, answers);
  const obliged = oblige(verdict, request.args, request.released?.met);
  const needsApproval = obliged.verdict.outcome === "approval_needed";
  const approvalId = needsApproval ? `apr-${asked.callId}` : null;
  const approval = approvalId === null ? null : { id: approvalId, expiresMs: null, approvedBy: [] };
  return {
    obliged,
    approvalId,
    decision:
      engine === undefined ? refusalOf("no_policy", asked) : answering(asked, obliged, approval),
  };
}

function answering(asked: Asked, obliged: Obliged, approval: AnswerFacts["approval"]): Decision {
  const { verdict, sanitizedDigest, args } = obliged;
  const sanitized =
    sanitizedDigest === null ? {} : { sanitized: { digest: sanitizedDigest, redacted: args } };
  return decisionOf({ ...asked, verdict, approval, ...sanitized });
}

/** People are asked, and have not answered yet. */
export function awaiting(asked: Asked, { obliged }: Judgement, approval: Approval): Judgement {
  const { id, expires_ms: expiresMs } = approval;
  const decision = answering(asked, obliged, { id, expiresMs, approvedBy: [] });
  return { obliged, approvalId: id, decision };
}

/** People have said yes. What the verdict obliges to is done all the same. */
export function approved(asked: Asked, judged: Judgement, approval: Approval): Judgement {
  const { id, expires_ms: expiresMs, votes, grant } = approval;
  const yes = votes.filter(({ verdict }) => verdict === "approve");
  const approvedBy = yes.map(({ approver }) => approver);
  const why = yes.map(({ approver, reason }) => `${approver}: ${reason}`).join("; ");
  const verdict: Verdict = {
    ...judged.obliged.verdict,
    outcome: judged.obliged.sanitizedDigest === null ? "allow" : "sanitize",
    reason: `${id} was approved by ${why} (${judged.obliged.verdict.reason})`,
  };
  const obliged = { ...judged.obliged, verdict };
  return {
    obliged,
    approvalId: id,
    override: { jti: grant?.jti ?? "", approvedBy },
    decision: answering(asked, obliged, { id, expiresMs, approvedBy }),
  };
}

/** A call that was stopped whatever policy says. */
export function held(asked: Asked, hold: Hold): Judgement {
  const about = aboutHold(hold);
  const decision = refusalOf(holdCode(hold), asked, holdReason(hold), about);
  const obliged = { verdict: heldVerdict(hold), args: asked.request.args, sanitizedDigest: null };
  return { obliged, approvalId: about.approval_id ?? null, decision };
}
