/** Drills that are overdue, or were, as a notice. Nobody answers it: the answer is to hold them. Pure. */
import type { DrillDue } from "../../failover/index.ts";
import type { Notice } from "../../ports.ts";
import { field, isoSeconds, titleCharactersMax } from "./notice-of.ts";
import { cut, visible } from "./visible.ts";

export interface DrillsSeen {
  readonly deployment: string;
  /** Null: nobody schedules drills of it any more. */
  readonly drillDays: number | null;
  readonly lines: readonly {
    readonly scenario: string;
    /** Absent: it is on no schedule any more. */
    readonly due: DrillDue | undefined;
    readonly isOverdue: boolean;
  }[];
}

export function drillNotice(id: string, seen: DrillsSeen, pageUrl: string): Notice {
  const { lines, drillDays } = seen;
  const isOpen = lines.some(({ isOverdue }) => isOverdue);
  return {
    ...{ id, kind: "drills", status: isOpen ? "open" : "over", urgency: "high" },
    title: cut(titleOf(seen), titleCharactersMax),
    fields: [
      ...lines.map((line) => field(line.scenario, lineOf(line))),
      ...(drillDays === null ? [] : [field("At least every", `${drillDays} days`)]),
      ...(isOpen
        ? [field("What to do", "holdfast failover drill run --schedule … --due holds them")]
        : []),
    ],
    ...{ body: null, answers: [], link: `${pageUrl}/statusz`, turn: [], eligible: [] },
  };
}

function titleOf({ deployment, lines }: DrillsSeen): string {
  const of = visible(deployment);
  const open = lines.filter(({ isOverdue }) => isOverdue);
  const [only] = open.length === 0 ? lines : open;
  const several = (open.length === 0 ? lines : open).length > 1;
  const what = several ? `${(open.length === 0 ? lines : open).length} drills` : "drill";
  const name = several || only === undefined ? "" : ` ${visible(only.scenario)}`;
  return open.length === 0
    ? `No longer overdue: ${what}${name} of ${of}`
    : `Overdue: ${what}${name} of ${of}`;
}

function lineOf({ due, isOverdue }: DrillsSeen["lines"][number]): string {
  if (due === undefined) return "is on no schedule any more";
  const { last, dueMs } = due;
  if (last === null) return "was never held";
  const held = `${last.verdict} at ${isoSeconds(last.endedMs)} (${last.drill})`;
  return isOverdue && dueMs !== null
    ? `overdue since ${isoSeconds(dueMs)}; last: ${held}`
    : `held: ${held}`;
}
