/**
 * What people are told of drills that are overdue (AG-403 4.7): once for each time one becomes overdue, and again when it
 * was held. Those that are found overdue together are told together. Pure.
 */
import type { DrillDue } from "../../failover/index.ts";
import { sha256Hex } from "../../kernel/index.ts";
import { drillNotice } from "./drill-notice.ts";
import type { DrillSchedule } from "./held-drills.ts";
import { firstMessage, type Message } from "./message.ts";
import { fingerprint } from "./notice-of.ts";
import type { Situation, Step } from "./plan.ts";
import { isSilent } from "./routes.ts";

type Overdue = NonNullable<Message["drills"]>["overdue"][number];

export function drillSteps(situation: Situation): readonly Step[] {
  const told = situation.messages.filter(({ kind }) => kind === "drills");
  const firsts = situation.drills.flatMap((schedule) => newMessages(schedule, told, situation));
  return [...told, ...firsts].flatMap((message) => stepFor(message, situation));
}

function newMessages(
  { deployment, channels, due }: DrillSchedule,
  told: readonly Message[],
  { rules, nowMs }: Situation,
): readonly Message[] {
  return channels.flatMap((channel) => {
    if (isSilent(channel, "high", rules, nowMs)) return [];
    const known = told.flatMap((each) =>
      each.channel === channel && each.drills?.deployment === deployment ? each.drills.overdue : [],
    );
    const overdue = due
      .filter((each) => each.overdue && !known.some((one) => isOf(one, each)))
      .map(({ scenario, dueMs }): Overdue => ({ scenario, due_ms: dueMs }));
    if (overdue.length === 0) return [];
    const id = `drills-${sha256Hex(JSON.stringify([deployment, overdue])).slice(0, 16)}`;
    const about = { id, channel, kind: "drills" as const, approvals: [], flood: null };
    return [
      firstMessage({ ...about, drills: { deployment, overdue }, is_escalation: false }, nowMs),
    ];
  });
}

/** The same time of being overdue: once held, a drill is due at another moment. */
function isOf({ scenario, due_ms }: Overdue, due: DrillDue): boolean {
  return scenario === due.scenario && due_ms === due.dueMs;
}

function stepFor(message: Message, { drills, pageUrl, nowMs }: Situation): readonly Step[] {
  const { deployment = "", overdue = [] } = message.drills ?? {};
  const schedule = drills.find((each) => each.deployment === deployment);
  const lines = overdue.map((one) => {
    const due = schedule?.due.find(({ scenario }) => scenario === one.scenario);
    return { scenario: one.scenario, due, isOverdue: due?.overdue === true && isOf(one, due) };
  });
  const isOver = !lines.some(({ isOverdue }) => isOverdue);
  const { drillDays = null } = schedule ?? {};
  const notice = drillNotice(message.id, { deployment, drillDays, lines }, pageUrl);
  // Held before anybody could be told.
  if (message.place === null && isOver) return [{ do: "forget", message }];
  if (nowMs < message.not_before_ms) return [];
  if (message.place === null) return [{ do: "deliver", message, notice }];
  if (fingerprint(notice) !== message.shown) return [{ do: "update", message, notice }];
  return isOver ? [{ do: "forget", message }] : [];
}
