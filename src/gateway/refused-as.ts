/** What an HTTP client is told when the machinery refuses, and not policy. */
import { unreachable } from "../kernel/index.ts";
import type { RefusalCode } from "./call.ts";
import { type FrontResponse, jsonResponse } from "./http-front.ts";

/** With a code behind it, the `type` of a problem document (RFC 9457). */
const problemType = "urn:holdfast:problem:";

export interface RefusedAs {
  readonly status: number;
  readonly title: string;
  /** Seconds. */
  readonly retryAfter?: string;
}

export function refusedByMachinery(code: RefusalCode): RefusedAs {
  switch (code) {
    case "no_policy":
      return { status: 503, title: "No policy is loaded", retryAfter: "5" };
    case "record_failed":
      return { status: 503, title: "The decision could not be recorded" };
    case "outcome_unrecorded":
      return {
        status: 500,
        title: "The action happened or may have happened; its outcome is not recorded",
      };
    case "too_many_calls":
      return { status: 429, title: "Too many calls at once", retryAfter: "1" };
    case "unknown_server":
      return { status: 404, title: "Unknown upstream" };
    case "stopping":
      return { status: 503, title: "The gateway is stopping", retryAfter: "1" };
    case "paused":
      return { status: 403, title: "Paused by the kill switch" };
    case "dry_run":
      return { status: 403, title: "Dry run: nothing was forwarded" };
    case "over_rate":
      return { status: 429, title: "A limit on the rate of calls is full" };
    case "over_budget":
      return { status: 403, title: "A budget is used up" };
    case "limits_unknown":
      return { status: 503, title: "The limits could not be counted", retryAfter: "5" };
    case "declined":
      return { status: 403, title: "Declined by people" };
    case "approval_expired":
      return { status: 403, title: "Nobody approved it in time" };
    case "approval_in_use":
      return { status: 409, title: "Another call is using the approval" };
    case "approvals_unknown":
      return { status: 503, title: "Approvals could not be read", retryAfter: "5" };
    case "approval_too_large":
      return { status: 413, title: "More than people can be shown" };
    case "too_many_approvals":
      return { status: 429, title: "People were asked too often", retryAfter: "60" };
    case "override_forged":
    case "override_other_agent":
    case "override_other_tool":
    case "override_other_arguments":
    case "override_replayed":
    case "override_expired":
    case "override_revoked":
    case "override_superseded":
    case "override_unknown":
      return { status: 403, title: "The override token is refused" };
    case "breaker_open":
      return { status: 503, title: "The upstream is failing" };
    case "upstream_busy":
      return { status: 503, title: "The upstream has no room", retryAfter: "1" };
    case "escrowed":
      return { status: 202, title: "Queued in escrow, not executed" };
    case "read_only":
      return { status: 403, title: "Read-only: this write cannot be queued" };
    case "escrow_full":
      return { status: 503, title: "Read-only, and the queue is full" };
    case "escrow_unknown":
      return { status: 503, title: "It is not known whether the write is queued", retryAfter: "5" };
    case "kill_state_unknown":
      return { status: 503, title: "The state of the kill switch is not known", retryAfter: "5" };
    case "no_permit":
      return { status: 503, title: "No permit to operate", retryAfter: "5" };
    case "degraded":
      return { status: 503, title: "The site is degraded", retryAfter: "30" };
    default:
      return unreachable(code);
  }
}

/** A problem document (RFC 9457) whose type tells the code. */
export function codedProblem(
  status: number,
  code: string,
  title: string,
  members: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): FrontResponse {
  const body = { type: problemType + code, title, status, ...members };
  return jsonResponse(status, body, { "content-type": "application/problem+json", ...headers });
}
