/** Approvals as a notice: everything whoever decides must see, or no place to answer in the message. Pure. */
import { type Approval, missing, type Vote } from "../../approvals/index.ts";
import { sha256Hex } from "../../kernel/index.ts";
import type { BoundAnswer, Notice } from "../../ports.ts";
import { cut, visible, visibleJson } from "./visible.ts";

export interface Shown {
  /** `approvals.url`, without a slash at the end. */
  readonly pageUrl: string;
  readonly turn: readonly string[];
  readonly eligible: readonly string[];
}

export const titleCharactersMax = 150;
const valueCharactersMax = 300;
/** What a message of every channel can hold beside the rest. Larger arguments are looked at on the page. */
const bodyCharactersMax = 2_500;

type Field = Notice["fields"][number];

export function questionNotice(approval: Approval, shown: Shown): Notice {
  const json = visibleJson(approval.args_redacted);
  const fits = json.length <= bodyCharactersMax;
  const isOpen = approval.state === "pending";
  return {
    ...{ id: approval.id, kind: "question", status: statusOf(approval), urgency: approval.risk },
    title: cut(titleOf(approval), titleCharactersMax),
    fields: [
      ...factsOf(approval),
      ...(fits
        ? []
        : [field("Arguments", `${json.length} characters: too many to show here, open the page`)]),
    ],
    body: fits ? json : null,
    answers: isOpen && fits ? [bound(approval)] : [],
    link: `${shown.pageUrl}/approvals/${encodeURIComponent(approval.id)}`,
    turn: isOpen ? shown.turn : [],
    eligible: shown.eligible,
  };
}

/** Questions that may be answered together; each answer is bound to its own arguments all the same. */
export function digestNotice(id: string, approvals: readonly Approval[], shown: Shown): Notice {
  const open = approvals.filter(({ state }) => state === "pending");
  const body = open
    .map(
      ({ id: name, tool, args_redacted }) =>
        `${name} ${visible(tool)}\n${visibleJson(args_redacted)}`,
    )
    .join("\n\n");
  const fits = body.length <= bodyCharactersMax;
  return {
    ...{ id, kind: "digest", status: open.length > 0 ? "open" : "over", urgency: "low" },
    title:
      open.length > 0
        ? `${counted(open.length, "low-risk request")} for one answer`
        : `${counted(approvals.length, "low-risk request")}, all answered`,
    fields: approvals.map((each) => field(each.id, `${titleOf(each)}: ${outcomeOf(each)}`)),
    body: fits && open.length > 0 ? body : null,
    answers: fits ? open.map(bound) : [],
    link: `${shown.pageUrl}/approvals`,
    turn: open.length > 0 ? shown.turn : [],
    eligible: shown.eligible,
  };
}

export interface FloodSeen {
  readonly agent: string | null;
  readonly max: number;
  /** Questions over the limit now. */
  readonly count: number;
  readonly declines: boolean;
}

export function floodNotice(
  id: string,
  { agent, max, count, declines }: FloodSeen,
  shown: Shown,
): Notice {
  const who = agent === null ? "All agents together" : visible(agent);
  return {
    ...{ id, kind: "flood", status: count > 0 ? "open" : "over", urgency: "critical" },
    title: cut(
      count > 0
        ? `Flood: ${who} asked more than ${max} questions nobody has answered`
        : `The flood of ${who} is over`,
      titleCharactersMax,
    ),
    fields: [
      field("Over the limit", String(count)),
      field(
        "What happens to them",
        declines ? "declined at once, with that reason" : "they wait; no messages are sent of them",
      ),
      field("What to do", "look at what the agent is doing; holdfast kill stops it"),
    ],
    ...{ body: null, answers: [], link: `${shown.pageUrl}/approvals`, turn: [], eligible: [] },
  };
}

/** Equal when people would see the same. Whose turn it is changes no message that was sent. */
export function fingerprint({ turn: _, ...seen }: Notice): string {
  return sha256Hex(JSON.stringify(seen)).slice(0, 32);
}

function titleOf({ agent, tool, state }: Approval): string {
  const what = `${visible(agent)} wants ${visible(tool)}`;
  return state === "pending" ? what : `${visible(agent)}: ${visible(tool)} ${stateWords[state]}`;
}

const stateWords: Readonly<Record<Approval["state"], string>> = {
  pending: "asked",
  granted: "approved",
  claimed: "approved, in use",
  used: "approved and done",
  declined: "declined",
  expired: "expired",
  revoked: "taken back",
  unknown: "approved, effect unknown",
};

function statusOf({ state }: Approval): Notice["status"] {
  if (state === "pending") return "open";
  return state === "claimed" ? "granted" : state;
}

function factsOf(approval: Approval): readonly Field[] {
  const { agent, model, principal, delegation, requirements, votes, expires_ms } = approval;
  const facts: (Field | undefined)[] = [
    approval.state === "pending" ? undefined : field("Outcome", outcomeOf(approval)),
    field("Agent", model === null ? agent : `${agent} (${model})`),
    principal === null ? undefined : field("Acts for", principal),
    delegation.length === 0 ? undefined : field("Through", delegation.join(", ")),
    field("Tool", approval.tool),
    field("Risk", `${approval.risk}, ${approval.effect}`),
    approval.cost_estimate_micro_usd === 0
      ? undefined
      : field("Cost", `${approval.cost_estimate_micro_usd / 1_000_000} USD`),
    field("Why people are asked", approval.reason),
    field("Rules", approval.determining_rules.join(", ")),
    field("Who must approve", requirements.map(wordsOf).join("; and ")),
    votes.length === 0 ? undefined : field("Answers", votes.map(voteWords).join("; ")),
    approval.state !== "pending" || votes.length === 0
      ? undefined
      : field("Still missing", String(missing(approval))),
    approval.superseded_by === undefined
      ? undefined
      : field("Other arguments were proposed", approval.superseded_by.id),
    approval.after_unknown === null
      ? undefined
      : field("Careful", `${approval.after_unknown}, the same action, may have taken effect`),
    approval.state !== "pending" || expires_ms === null
      ? undefined
      : field("Answer by", isoSeconds(expires_ms)),
    field("Arguments digest", approval.args_digest),
    field("Approval", approval.id),
  ];
  return facts.filter((fact) => fact !== undefined);
}

function outcomeOf(approval: Approval): string {
  const { state, votes, closed_because } = approval;
  if (state === "pending") return "waits for an answer";
  const why = closed_because ?? votes.map(voteWords).join("; ");
  return why === "" ? stateWords[state] : `${stateWords[state]}: ${why}`;
}

function wordsOf({ groups, count }: Approval["requirements"][number]): string {
  return `${count} of ${groups.length === 0 ? "any approver" : groups.join(" or ")}`;
}

function voteWords({ approver, verdict, reason }: Vote): string {
  return `${approver} ${verdict === "approve" ? "approved" : "declined"}: ${reason}`;
}

function bound({ id, version, args_digest }: Approval): BoundAnswer {
  return { approval: id, version, argsDigest: args_digest };
}

export function field(name: string, value: string): Field {
  return { name, value: cut(visible(value), valueCharactersMax) };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** UTC, to the second: everybody who reads it may be somewhere else. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
