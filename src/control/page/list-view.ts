/** What waits for an answer, and what was granted and may still be taken back. */
import { type Approval, isAsked, isRequester, missing } from "../../approvals/index.ts";
import type { KnownApprover } from "../approvals/index.ts";
import { tagsView } from "./approval-view.ts";
import { type Html, html, shown } from "./html.ts";

export interface Listed {
  readonly pending: readonly Approval[];
  readonly granted: readonly Approval[];
  /** There are more than are shown. */
  readonly isMore: boolean;
}

export function listTitle({ pending, isMore }: Listed): string {
  return pending.length === 0 ? "Nothing waits" : `${pending.length}${isMore ? "+" : ""} waiting`;
}

export function listView(listed: Listed, approver: KnownApprover, nowMs: number): Html {
  const { pending, granted, isMore } = listed;
  const mine = pending.filter((each) => waitsFor(each, approver));
  const others = pending.filter((each) => !mine.includes(each));
  return html`<h1>${listTitle(listed)}</h1>
<p>${pending.length === 0 ? "No agent waits for an answer. " : ""}<a href="/approvals">Look again</a></p>
${section("For you", mine, nowMs)}
${section("For others", others, nowMs)}
${isMore ? html`<p class="notice">More wait than are shown; answer these first. The admin API lists all.</p>` : undefined}
${section("Granted, not used yet", granted, nowMs)}`;
}

function waitsFor(approval: Approval, approver: KnownApprover): boolean {
  return (
    isAsked(approval, approver.groups) &&
    !isRequester(approval, approver) &&
    !approval.votes.some((vote) => vote.approver === approver.id)
  );
}

function section(title: string, approvals: readonly Approval[], nowMs: number): Html {
  if (approvals.length === 0) return html``;
  return html`<h2>${title}</h2><ul class="list">${approvals.map((each) => itemView(each, nowMs))}</ul>`;
}

function itemView(approval: Approval, nowMs: number): Html {
  const { id, agent, tool, principal, state } = approval;
  const left =
    state === "pending"
      ? html`<span class="quiet">${missing(approval)} more to say yes</span>`
      : html``;
  return html`<li class="card"><a href="/approvals/${id}">${shown(agent)}: ${shown(tool)}</a>${principal === null ? undefined : html` <span class="quiet">for ${shown(principal)}</span>`}${tagsView(approval, nowMs)}${left}</li>`;
}
