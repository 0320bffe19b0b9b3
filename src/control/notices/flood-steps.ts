/** What people are told of a flood, instead of a message for each question. Pure. */
import type { Flood } from "./floods.ts";
import { firstMessage, type Message } from "./message.ts";
import { fingerprint, floodNotice, type Shown } from "./notice-of.ts";
import type { Situation, Step } from "./plan.ts";
import { routeOf } from "./routes.ts";

/** A flood grows faster than people read. */
const updateMs = 10_000;
/** Nothing new for so long: it is over. */
const floodOverMs = 60_000;
/** Ids kept with the message. */
const namedMax = 10;

/** One message a flood and channel, changed as the flood grows, and once more when it is over. */
export function floodSteps(floods: readonly Flood[], situation: Situation): readonly Step[] {
  const { messages } = situation;
  const before = messages.filter(({ kind }) => kind === "flood");
  const steps: Step[] = [];
  const going = new Set<Message>();
  for (const flood of floods)
    for (const channel of channelsOf(flood, situation)) {
      const old = before.find((each) => each.channel === channel && isOf(each, flood));
      if (old !== undefined) going.add(old);
      steps.push(...floodStep(old, flood, channel, situation));
    }
  for (const old of before.filter((each) => !going.has(each)))
    steps.push(...afterFlood(old, situation));
  return steps;
}

function channelsOf({ approvals }: Flood, { rules }: Situation): readonly string[] {
  const route = approvals[0] && routeOf(approvals[0], rules);
  return route === undefined
    ? []
    : [...new Set([...route.channels, ...(route.escalate?.channels ?? [])])];
}

function isOf({ flood }: Message, { tenant, agent }: Flood): boolean {
  return flood !== null && flood.tenant === tenant && flood.agent === agent;
}

function floodStep(
  old: Message | undefined,
  { tenant, agent, max, approvals }: Flood,
  channel: string,
  { rules, pageUrl, nowMs }: Situation,
): readonly Step[] {
  const [oldest] = approvals;
  if (oldest === undefined) return [];
  const { decline } = rules.floods;
  // What is declined is gone at the next look; so it is counted up.
  const count = approvals.length + (decline ? (old?.flood?.count ?? 0) : 0);
  const flood = { tenant, agent, max, count };
  const ids = approvals.slice(0, namedMax).map(({ id }) => id);
  const about = { id: `flood-${oldest.id}`, channel, kind: "flood" as const, is_escalation: false };
  const message =
    old === undefined
      ? firstMessage({ ...about, approvals: ids, flood }, nowMs)
      : { ...old, flood, approvals: ids };
  const notice = floodNotice(
    message.id,
    { agent, max, count, declines: decline },
    floodShown(pageUrl),
  );
  if (nowMs < message.not_before_ms) return [];
  if (message.place === null) return [{ do: "deliver", message, notice }];
  const isDue = nowMs - message.noise_ms >= updateMs || decline;
  return fingerprint(notice) !== message.shown && isDue ? [{ do: "update", message, notice }] : [];
}

/** A flood that declines is over when nothing new came for a while; the other kind when its questions are answered. */
function afterFlood(old: Message, { pageUrl, rules, nowMs }: Situation): readonly Step[] {
  const { flood, place, noise_ms, not_before_ms, shown, id } = old;
  if (flood === null) return [{ do: "forget", message: old }];
  if (nowMs < not_before_ms) return [];
  const { agent, max, count } = flood;
  const { decline: declines } = rules.floods;
  // Nobody was told yet, and people should know what was declined.
  if (place === null) {
    const notice = floodNotice(id, { agent, max, count, declines }, floodShown(pageUrl));
    return [{ do: "deliver", message: old, notice }];
  }
  if (nowMs - noise_ms < floodOverMs) return [];
  const over = floodNotice(id, { agent, max, count: 0, declines }, floodShown(pageUrl));
  return fingerprint(over) === shown
    ? [{ do: "forget", message: old }]
    : [{ do: "update", message: old, notice: over }];
}

function floodShown(pageUrl: string): Shown {
  return { pageUrl, turn: [], eligible: [] };
}
