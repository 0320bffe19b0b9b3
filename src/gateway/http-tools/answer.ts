/**
 * What an HTTP client is told. A forwarded call is the upstream's answer with the decision in `Holdfast-*` headers; a
 * refusal is a problem document (RFC 9457). `approval_needed` is 403 and not 202: a client that reads any 2xx as done
 * must not believe that the action happened. Only a write that is queued is 202, with `executed: false` in its body.
 */
import { attemptsText } from "../attempts.ts";
import type { Decision, Forwarded, Governed } from "../call.ts";
import { type FrontResponse, jsonResponse } from "../http-front.ts";
import { codedProblem, type RefusedAs, refusedByMachinery } from "../refused-as.ts";
import type { HttpRefusal } from "./refusal.ts";

/** The upstream's answer, or why there is none. */
export type UpstreamAnswer =
  | { readonly kind: "response"; readonly response: FrontResponse }
  | { readonly kind: "failed"; readonly status: number; readonly detail: string };

export interface ReceiptPlacing {
  readonly headerBytesMax: number;
  /** Where a receipt that fits no header is served; absent when nowhere. */
  readonly url?: (callId: string) => string;
}

/** A refusal before anything was judged: nothing was recorded and nothing was sent. */
export function refusalResponse(refusal: HttpRefusal): FrontResponse {
  const { status, code, detail, next, headers = {} } = refusal;
  return codedProblem(status, code, titles[code], { detail, next }, headers);
}

const titles: Readonly<Record<HttpRefusal["code"], string>> = {
  bad_request: "Bad request",
  unauthenticated: "Identity required",
  unknown_server: "Unknown upstream",
  unknown_tool: "Unknown tool",
  method_not_allowed: "Method not allowed",
  too_large: "Too large",
};

/** The answer to a governed call. */
export function governedResponse(
  governed: Governed<UpstreamAnswer>,
  receipts: ReceiptPlacing,
): FrontResponse {
  const { decision, forwarded, receipt } = governed;
  const headers = { ...decisionHeaders(decision), ...receiptHeaders(decision, receipt, receipts) };
  if (forwarded === undefined) return refusedResponse(decision, receipt, headers);
  const { answer, outcome } = forwarded;
  const { attempts } = forwarded;
  const again = attempts === undefined ? {} : { "holdfast-attempts": String(attempts.length) };
  if (answer.kind === "response") {
    const own = { ...headers, ...again };
    return { ...answer.response, headers: mergeLink(answer.response.headers, own) };
  }
  const next = [
    attemptsText(forwarded) ?? [],
    outcome === "not_sent"
      ? "Nothing was sent; try again later."
      : "The action may have happened; look before trying again, or repeat it with the same Idempotency-Key.",
  ].flat();
  const members = {
    detail: answer.detail,
    outcome,
    call_id: decision.call_id,
    ...attemptMembers(attempts),
    next: next.join(" "),
  };
  return codedProblem(
    answer.status,
    `upstream_${outcome}`,
    "The upstream did not answer",
    members,
    { ...headers, ...again },
  );
}

function attemptMembers(attempts: Forwarded<unknown>["attempts"]): object {
  if (attempts === undefined) return {};
  return {
    attempts: attempts.map(({ isDryRun, outcome, detail = null }) => ({
      form: isDryRun ? "dry_run" : "as_judged",
      outcome,
      detail,
    })),
  };
}

function refusedResponse(
  decision: Decision,
  receipt: string | undefined,
  headers: Readonly<Record<string, string>>,
): FrontResponse {
  const { status, title, retryAfter } = refusedAs(decision);
  const { next, reason, ...rest } = decision;
  const members = {
    detail: reason,
    reason,
    ...rest,
    next,
    ...(receipt === undefined ? {} : { receipt }),
  };
  // Accepted for processing that has not happened and may never (RFC 9110 15.3.3); nowhere to ask, so no Location.
  if (decision.refusal === "escrowed") {
    const body = { title, executed: false, ...members };
    return jsonResponse(status, body, { ...headers, "holdfast-decision": "escrowed" });
  }
  const known = decision.retry_after_ms;
  const seconds = known === undefined ? retryAfter : String(Math.ceil(known / 1_000));
  const retry = seconds === undefined ? {} : { "retry-after": seconds };
  return codedProblem(status, decision.refusal ?? decision.decision, title, members, {
    ...headers,
    ...retry,
  });
}

function refusedAs({ decision, refusal, limit }: Decision): RefusedAs {
  if (refusal !== undefined) return withRoom(refusedByMachinery(refusal), limit?.room_in_seconds);
  if (decision === "approval_needed") return { status: 403, title: "Approval needed" };
  return { status: 403, title: "Denied" };
}

/** RFC 6585, 4: a 429 may say when to come again. A budget that is used up is no reason to come again by oneself. */
function withRoom(refused: RefusedAs, seconds: number | undefined): RefusedAs {
  if (refused.status !== 429 || seconds === undefined) return refused;
  return { ...refused, retryAfter: String(seconds) };
}

/** The decision in headers, on every answer to a governed call. */
function decisionHeaders(decision: Decision): Record<string, string> {
  const sanitized = decision.sanitized_payload?.digest;
  return {
    "holdfast-decision": decision.decision,
    "holdfast-call": decision.call_id,
    "holdfast-policy-version": decision.policy_version,
    ...(sanitized === undefined ? {} : { "holdfast-sanitized-payload-digest": sanitized }),
  };
}

function receiptHeaders(
  decision: Decision,
  receipt: string | undefined,
  placing: ReceiptPlacing,
): Record<string, string> {
  if (receipt === undefined) return {};
  const coded = Buffer.from(receipt).toString("base64url");
  if (coded.length <= placing.headerBytesMax) return { "holdfast-receipt": coded };
  if (placing.url === undefined) return {};
  return { link: `<${placing.url(decision.call_id)}>; rel="urn:holdfast:rel:receipt"` };
}

function mergeLink(
  upstream: FrontResponse["headers"],
  ours: Readonly<Record<string, string>>,
): FrontResponse["headers"] {
  const theirs = upstream["link"];
  if (theirs === undefined || ours["link"] === undefined) return { ...upstream, ...ours };
  return { ...upstream, ...ours, link: [...[theirs].flat(), ours["link"]] };
}
