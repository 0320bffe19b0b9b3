/**
 * Decisions that another system sends back: signed as Standard Webhooks, each once, in the name of approvers whom the
 * configuration lets it speak for.
 */
import type { ChatAnswers, GivenAnswer } from "../../control/index.ts";
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  jsonResponse,
  problemResponse,
} from "../../gateway/index.ts";
import { isJsonArray, isJsonObject, type JsonValue, parseJsonStrict } from "../../kernel/index.ts";
import type { BoundAnswer, Log } from "../../ports.ts";
import { signedAtMs } from "./signature.ts";

export interface DecisionsParts {
  readonly channel: string;
  readonly secret: () => string;
  readonly decidesFor: ReadonlySet<string>;
  readonly answers: ChatAnswers;
  readonly log: Log;
}

const bodyBytesMax = 64 * 1024;

export function webhookDecisions(parts: DecisionsParts): FrontFace {
  return async (request) => {
    if (request.method !== "POST")
      return problemResponse(
        405,
        "POST only",
        "Decisions are posted; nothing is answered by a link.",
        { allow: "POST" },
      );
    return (await refusalOf(request, parts)) ?? (await decided(request, parts));
  };
}

async function refusalOf(
  request: FrontRequest,
  { channel, secret, answers, log }: DecisionsParts,
): Promise<FrontResponse | undefined> {
  const header = (name: string): string => headerOf(request, name) ?? "";
  const headers = {
    "webhook-id": header("webhook-id"),
    "webhook-timestamp": header("webhook-timestamp"),
    "webhook-signature": header("webhook-signature"),
  };
  const signedMs = signedAtMs(secret(), headers, request.body);
  if (signedMs === undefined) {
    log.write("warn", "webhook_signature_refused", { channel });
    return problemResponse(
      401,
      "Not signed",
      "This was not signed with the channel's decision_secret.",
    );
  }
  const fresh = await answers.freshness(`webhook ${channel} ${headers["webhook-id"]}`, signedMs);
  if (!fresh.ok)
    return problemResponse(503, "Store away", "Nothing was changed; send it again.", {
      "retry-after": "1",
    });
  if (fresh.value === "first") return undefined;
  log.write("warn", "webhook_decision_refused", { channel, because: fresh.value });
  return fresh.value === "late"
    ? problemResponse(401, "Too old", "It was signed more than five minutes from now.")
    : problemResponse(409, "Repeated", "This webhook-id came before. Each one counts once.");
}

async function decided(
  request: FrontRequest,
  { channel, decidesFor, answers, log }: DecisionsParts,
): Promise<FrontResponse> {
  const parsed = parseJsonStrict(request.body, { bytesMax: bodyBytesMax, depthMax: 8 });
  if (!parsed.ok) return problemResponse(400, "Unreadable", parsed.error.detail);
  const decision = decisionIn(parsed.value);
  if (decision === undefined) return problemResponse(400, "No decision", form);
  const { approver: name, given } = decision;
  const approver = answers.approver("id", name);
  if (!decidesFor.has(name) || !approver.ok)
    return problemResponse(
      403,
      "Not in whose name",
      `${name} is not in decides_for of this channel.`,
    );
  const answered = await answers.answer(approver.value, given);
  if (!answered.ok) {
    const { kind, detail } = answered.error;
    log.write("info", "webhook_answer_refused", { channel, approver: name, kind, detail });
    return kind === "store"
      ? problemResponse(503, "Store away", detail, { "retry-after": "1" })
      : problemResponse(409, "Does not count", detail);
  }
  const approvals = answered.value.map(({ id, state, version }) => ({ id, state, version }));
  log.write("info", "webhook_answered", { channel, approver: name, verdict: given.verdict });
  return jsonResponse(200, { approvals });
}

const form =
  'Send { "approver": "…", "verdict": "approve" or "decline", "reason": "…", "answers": […] }, the answers as they were in the notice.';

function decisionIn(
  value: JsonValue,
): { readonly approver: string; readonly given: GivenAnswer } | undefined {
  if (!isJsonObject(value)) return undefined;
  const { approver, verdict, reason, answers } = value;
  if (typeof approver !== "string" || typeof reason !== "string") return undefined;
  if (verdict !== "approve" && verdict !== "decline") return undefined;
  if (!isJsonArray(answers) || answers.length === 0) return undefined;
  const on: BoundAnswer[] = [];
  for (const each of answers) {
    if (!isJsonObject(each)) return undefined;
    const { approval_id: approval, version, args_digest: argsDigest } = each;
    if (typeof approval !== "string" || typeof argsDigest !== "string") return undefined;
    if (typeof version !== "number") return undefined;
    on.push({ approval, version, argsDigest });
  }
  return { approver, given: { on, verdict, reason, channel: "webhook" } };
}
