/** One approval, for the person who decides: what, with which arguments, why people are asked, and who else answered. */
import {
  type Approval,
  isAsked,
  isRequester,
  missing,
  type Requirement,
  showsAll,
  type Vote,
} from "../../approvals/index.ts";
import type { KnownApprover } from "../approvals/index.ts";
import { argumentsView } from "./arguments-view.ts";
import { type Html, html, shown } from "./html.ts";
import { formTokenField } from "./layout.ts";
import { agoText, instantText, spanText } from "./times.ts";

export interface Looking {
  readonly approver: KnownApprover;
  readonly formToken: string;
  readonly nowMs: number;
  /** What was typed before, when the answer could not be taken. */
  readonly reason?: string;
  readonly args?: string;
  /** What happened to the answer, when the page comes instead of it. */
  readonly notice?: string;
}

/** `use` is the word for any action: a tool may be anything. */
export function approvalTitle({ agent, tool }: Approval): string {
  return `${agent} wants to use ${tool}`;
}

export function approvalView(approval: Approval, looking: Looking): Html {
  const { agent, tool, principal, reason, after_unknown: before, args_redacted: args } = approval;
  return html`${looking.notice === undefined ? undefined : html`<p class="notice bad" role="alert">${looking.notice}</p>`}
<h1>${shown(agent)} wants to use <code>${shown(tool)}</code></h1>
<p>${principal === null ? "For nobody: it acts for itself." : html`For <strong>${shown(principal)}</strong>`}</p>
${tagsView(approval, looking.nowMs)}
<p>${shown(reason)}</p>
${before === null ? undefined : unknownBefore(before)}
<h2>Arguments</h2>
${argumentsView(args)}
${answersView(approval, looking.nowMs)}
${formView(approval, looking)}
<h2>Facts</h2>
${factsView(approval, looking.nowMs)}`;
}

export function tagsView(approval: Approval, nowMs: number): Html {
  const { risk, effect, state } = approval;
  return html`<ul class="tags"><li>${state}</li><li class="${risk}">${risk} risk</li><li>${effect}</li><li>${endText(approval, nowMs)}</li></ul>`;
}

function endText({ state, expires_ms, grant, closed_ms }: Approval, nowMs: number): string {
  if (closed_ms !== null) return `since ${agoText(closed_ms, nowMs)}`;
  if (state === "granted" && grant !== null)
    return `to be used within ${spanText(grant.expires_ms - nowMs)}`;
  if (state !== "pending") return "under way";
  if (expires_ms === null) return "does not expire";
  return `expires in ${spanText(expires_ms - nowMs)}`;
}

function unknownBefore(id: string): Html {
  return html`<p class="notice">The same action was approved before (<a href="/approvals/${id}">${id}</a>), and nobody knows whether it took effect. Look at the upstream first: approving may do it twice.</p>`;
}

function answersView(approval: Approval, nowMs: number): Html {
  const { state, requirements, votes, closed_because: because, superseded_by: other } = approval;
  const left = missing(approval);
  const wanted =
    state === "pending" ? html`<p>${left} more to say yes.</p>` : html`<p>This is ${state}.</p>`;
  return html`<h2>Who must agree</h2>
<ul>${requirements.map((each) => html`<li>${requirementText(each)}</li>`)}</ul>
${wanted}${other === undefined ? undefined : html`<p>Other arguments were proposed instead: <a href="/approvals/${other.id}">${other.id}</a></p>`}${because === null ? undefined : html`<p>${shown(because)}</p>`}
<ul class="list">${votes.map((vote) => voteView(vote, nowMs))}</ul>`;
}

function requirementText({ groups, count }: Requirement): Html {
  const people = count === 1 ? "1 approver" : `${count} different approvers`;
  return groups.length === 0 ? html`${people}` : html`${people} of ${shown(groups.join(", "))}`;
}

function voteView({ approver, verdict, reason, channel, at_ms }: Vote, nowMs: number): Html {
  const word = verdict === "approve" ? "approved" : "declined";
  return html`<li class="card"><strong>${approver} ${word}</strong> <span class="quiet">${agoText(at_ms, nowMs)}, by ${channel}</span><br><span class="value">${shown(reason)}</span></li>`;
}

function formView(approval: Approval, looking: Looking): Html {
  const { state } = approval;
  const { approver } = looking;
  if (state === "granted" && isAsked(approval, approver.groups))
    return revokeForm(approval, looking);
  if (state !== "pending") return html``;
  const why = whyNot(approval, approver);
  if (why !== undefined) return html`<p class="notice">${why}</p>`;
  return html`<h2>Your answer</h2>
<form method="post" action="/approvals/${approval.id}">
${hiddenFields(approval, looking)}
<label for="reason">Why (recorded, and shown to the agent)</label>
<textarea id="reason" name="reason" required maxlength="2000">${looking.reason ?? ""}</textarea>
<div class="answers"><button class="no" name="verdict" value="decline">Decline</button><button class="yes" name="verdict" value="approve">Approve</button></div>
</form>
${showsAll(approval) ? proposeForm(approval, looking) : undefined}`;
}

/** Rarely wanted, so folded away until it is. */
function proposeForm(approval: Approval, looking: Looking): Html {
  const args = looking.args ?? JSON.stringify(approval.args_redacted, null, 2);
  return html`<details${looking.args === undefined ? undefined : html` open`}><summary>Only with other arguments</summary>
<form method="post" action="/approvals/${approval.id}/edit">
${hiddenFields(approval, looking)}
<p>This is declined; the agent is told your arguments, and may call with exactly those. You have said yes to them then.</p>
<label for="args">Arguments, as JSON</label>
<textarea id="args" name="args" required spellcheck="false" rows="10">${args}</textarea>
<label for="edit-reason">Why not as they were (recorded, and shown to the agent)</label>
<textarea id="edit-reason" name="reason" required maxlength="2000">${looking.reason ?? ""}</textarea>
<div class="answers"><button>Decline, and propose these</button></div>
</form></details>`;
}

/** Why this person has no say here; undefined for somebody who has. */
function whyNot(approval: Approval, approver: KnownApprover): string | undefined {
  if (isRequester(approval, approver))
    return "This is your own request, or was made for you: somebody else must answer it.";
  if (!isAsked(approval, approver.groups))
    return `You are in none of the groups that may answer this; yours: ${approver.groups.join(", ") || "none"}.`;
  return approval.votes.some((vote) => vote.approver === approver.id)
    ? "You have answered. Others must still agree."
    : undefined;
}

function revokeForm(approval: Approval, looking: Looking): Html {
  return html`<h2>Take it back</h2>
<form method="post" action="/approvals/${approval.id}/revoke">
${hiddenFields(approval, looking)}
<label for="reason">Why (recorded)</label>
<textarea id="reason" name="reason" required maxlength="2000">${looking.reason ?? ""}</textarea>
<div class="answers"><button class="no">Revoke</button></div>
</form>`;
}

function hiddenFields({ version, args_digest: digest }: Approval, { formToken }: Looking): Html {
  return html`${formTokenField(formToken)}<input type="hidden" name="version" value="${version}"><input type="hidden" name="args_digest" value="${digest}">`;
}

function factsView(approval: Approval, nowMs: number): Html {
  const { asks, asked_ms, expires_ms: ends, cost_estimate_micro_usd: cost, delegation } = approval;
  const facts: readonly (readonly [string, string | null])[] = [
    ["Agent", approval.agent],
    ["Model", approval.model],
    ["Acts for", approval.principal],
    ["Through", delegation.length === 0 ? null : delegation.join(" → ")],
    ["Tool", approval.tool],
    ["Definition of the tool", approval.definition_digest],
    ["Estimated cost", cost === 0 ? null : `${(cost / 1e6).toFixed(6).replace(/0{1,4}$/, "")} USD`],
    ["Rules", approval.determining_rules.join(", ")],
    ["Policy version", approval.policy_version],
    ["Asked", `${agoText(asked_ms, nowMs)} (${instantText(asked_ms)})`],
    ["Expires", ends === null ? "never" : instantText(ends)],
    ["Asked again", asks === 1 ? null : `${asks} times in all`],
    ["Tenant", approval.tenant],
    ["Gateway", approval.instance],
    ["Digest of the arguments", approval.args_digest],
    ["Approval", approval.id],
  ];
  return html`<dl class="card">${facts.flatMap(([name, value]) =>
    value === null || value === "" ? [] : [html`<dt>${name}</dt><dd>${shown(value)}</dd>`],
  )}</dl>`;
}
