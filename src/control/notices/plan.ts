/**
 * What is to be told now: a pure function of the open approvals, the drills that were held, what was told already, the
 * rules and the time. Run again after any interruption it comes to the same.
 */
import { type Approval, type Approver, isClosed } from "../../approvals/index.ts";
import type { Notice } from "../../ports.ts";
import { drillSteps } from "./drill-steps.ts";
import { floodSteps } from "./flood-steps.ts";
import { floodReason, splitFloods } from "./floods.ts";
import type { DrillSchedule } from "./held-drills.ts";
import { firstMessage, type Message, namesApprovals } from "./message.ts";
import { digestNotice, fingerprint, questionNotice, type Shown } from "./notice-of.ts";
import {
  eligibleFor,
  isSilent,
  routeOf,
  type TellingRules,
  turnFor,
  type Wanted,
  wantedFor,
} from "./routes.ts";

export interface Situation {
  /** By id, as they are at this moment: every open one, and those that messages name. */
  readonly approvals: ReadonlyMap<string, Approval>;
  readonly messages: readonly Message[];
  readonly drills: readonly DrillSchedule[];
  readonly rules: TellingRules;
  readonly approvers: readonly Approver[];
  readonly pageUrl: string;
  readonly nowMs: number;
  /** This life of this process. */
  readonly run: string;
}

export type Step =
  | {
      readonly do: "deliver" | "update" | "remind";
      readonly message: Message;
      readonly notice: Notice;
    }
  /** Everything about it is over, and people were told. */
  | { readonly do: "forget"; readonly message: Message }
  | { readonly do: "decline"; readonly approval: string; readonly because: string };

/** Of questions answered together: more in one message are read by nobody. */
const digestMax = 10;
/** Failures after which a channel counts as dead for a question. */
const deadFailures = 3;

export function plan(situation: Situation): readonly Step[] {
  const { approvals, rules } = situation;
  const pending = [...approvals.values()]
    .filter(({ state }) => state === "pending")
    .sort((a, b) => a.asked_ms - b.asked_ms || (a.id < b.id ? -1 : 1));
  const { calm, floods } = splitFloods(pending, rules.floods);
  const firsts = newMessages(calm, situation);
  const declines = rules.floods.decline
    ? floods.flatMap((flood) =>
        flood.approvals.map(
          ({ id }): Step => ({ do: "decline", approval: id, because: floodReason(flood) }),
        ),
      )
    : [];
  return [
    ...declines,
    ...floodSteps(floods, situation),
    ...drillSteps(situation),
    ...[...situation.messages, ...firsts]
      .filter(namesApprovals)
      .flatMap((message) => stepFor(message, situation)),
  ];
}

/** Questions that are to be told by a channel that has not been told of them. */
function newMessages(calm: readonly Approval[], situation: Situation): readonly Message[] {
  const { messages, rules, nowMs } = situation;
  // A flood names questions that it is told instead of; when it ebbs, each is told by itself.
  const told = new Set(
    messages
      .filter(namesApprovals)
      .flatMap((each) => each.approvals.map((id) => pair(each.channel, id))),
  );
  const wanted = calm
    .flatMap((approval) => wantedFor(approval, rules, nowMs, isDead(approval, situation)))
    .filter(({ channel, approval }) => !told.has(pair(channel, approval.id)));
  const gathered = new Map<string, Wanted[]>();
  const alone: Message[] = [];
  for (const want of wanted) {
    const group = digestGroup(want, rules);
    if (group === undefined) alone.push(questionMessage(want, nowMs));
    else gathered.set(group, [...(gathered.get(group) ?? []), want]);
  }
  return [...alone, ...[...gathered.values()].flatMap((each) => digests(each, situation))];
}

const pair = (channel: string, id: string): string => JSON.stringify([channel, id]);

function questionMessage({ channel, approval, isEscalation }: Wanted, nowMs: number): Message {
  const { id } = approval;
  const about = { id, channel, kind: "question" as const, approvals: [id], flood: null };
  return firstMessage({ ...about, is_escalation: isEscalation }, nowMs);
}

/** Questions of one group are answered by the same people; undefined: this one is told alone. */
function digestGroup(
  { channel, approval, isEscalation }: Wanted,
  rules: TellingRules,
): string | undefined {
  const { batch, risk, tenant, requirements } = approval;
  const isTogether = batch && risk === "low" && !isEscalation;
  if (!isTogether || (rules.channels.get(channel)?.digestMs ?? null) === null) return undefined;
  return JSON.stringify([channel, tenant, requirements]);
}

function digests(wanted: readonly Wanted[], { rules, nowMs }: Situation): readonly Message[] {
  const [oldest] = wanted;
  if (oldest === undefined) return [];
  const waitMs = rules.channels.get(oldest.channel)?.digestMs ?? 0;
  const isTime = nowMs - oldest.approval.asked_ms >= waitMs;
  if (!isTime && wanted.length < digestMax) return [];
  if (wanted.length === 1) return [questionMessage(oldest, nowMs)];
  const ids = wanted.slice(0, digestMax).map(({ approval }) => approval.id);
  const { channel } = oldest;
  const about = {
    id: `digest-${oldest.approval.id}`,
    channel,
    kind: "digest" as const,
    flood: null,
  };
  return [firstMessage({ ...about, approvals: ids, is_escalation: false }, nowMs)];
}

/** Every channel of the first route has tried in vain. */
function isDead(approval: Approval, { messages, rules }: Situation): boolean {
  const channels = routeOf(approval, rules)?.channels ?? [];
  return (
    channels.length > 0 &&
    channels.every((channel) =>
      messages.some(
        (each) =>
          each.channel === channel &&
          each.approvals.includes(approval.id) &&
          each.place === null &&
          each.failures >= deadFailures,
      ),
    )
  );
}

function stepFor(message: Message, situation: Situation): readonly Step[] {
  const { approvals, nowMs } = situation;
  const about = message.approvals.flatMap((id) => approvals.get(id) ?? []);
  const isOpen = about.some(({ state }) => state === "pending");
  const isOver = about.every(isClosed);
  const notice = noticeOf(message, about, situation);
  if (message.place === null && !isOpen) return [{ do: "forget", message }];
  if (notice === undefined) return [{ do: "forget", message }];
  if (nowMs < message.not_before_ms) return [];
  if (message.place === null) return [{ do: "deliver", message, notice }];
  if (fingerprint(notice) !== message.shown) return [{ do: "update", message, notice }];
  if (isUnanswered(about) && !message.announced) return [{ do: "remind", message, notice }];
  if (isOver) return [{ do: "forget", message }];
  return isOpen && isReminderDue(message, about, situation)
    ? [{ do: "remind", message, notice }]
    : [];
}

/** It ran out and nobody had granted it: that is said aloud, never only by a changed message. */
function isUnanswered(about: readonly Approval[]): boolean {
  return (
    about.length > 0 && about.every(({ state, grant }) => state === "expired" && grant === null)
  );
}

function isReminderDue(
  { channel, noise_ms, reminders }: Message,
  about: readonly Approval[],
  { rules, nowMs }: Situation,
): boolean {
  const pending = about.filter(({ state }) => state === "pending");
  const route = pending[0] && routeOf(pending[0], rules);
  if (route === undefined || route.remindEveryMs === null || reminders >= route.remindersMax)
    return false;
  return (
    nowMs - noise_ms >= route.remindEveryMs &&
    pending.some(({ risk }) => !isSilent(channel, risk, rules, nowMs))
  );
}

function noticeOf(
  message: Message,
  about: readonly Approval[],
  { rules, approvers, pageUrl, nowMs }: Situation,
): Notice | undefined {
  const [first] = about;
  if (first === undefined) return undefined;
  const lists = about.map((each) => eligibleFor(each, approvers));
  const eligible = (lists[0] ?? []).filter((id) => lists.every((list) => list.includes(id)));
  const shown: Shown = { pageUrl, turn: turnFor(first, rules, approvers, nowMs), eligible };
  return message.kind === "digest"
    ? digestNotice(message.id, about, shown)
    : questionNotice(first, shown);
}
