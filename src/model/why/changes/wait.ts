/**
 * How a change that had arrived long before could break just then. What is broken fails the first time that it is used;
 * what worked for a while needs something that grows, or something that came, to fail.
 */
import type { View } from "../view.ts";
import type { Blamed } from "./counterpart.ts";
import { onsetPast } from "./onset.ts";
import type { Part } from "./part.ts";
import { type Trouble, toleranceMs } from "./trouble.ts";

/** A rollout takes so long, and so long may pass until what it brought is used. */
const rolloutMs = 4 * 60_000;
/** What gets to its worst slower than so was growing. */
const suddenMs = 10 * 60_000;
/** So many times more requests than usual are something that came. */
const moreRequests = 1.4;
const mostNats = 1.25;

/** Whether the trouble was there at once, and as many requests as ever came. */
export function isUnprompted(view: View, trouble: Trouble): boolean {
  return isSudden(trouble) && !isBusier(view, trouble);
}

/** What speaks against a change that had served well, when nothing prompted the trouble. */
export function servedWell(at: number, { onsetAt }: Trouble): Part {
  const servedMs = onsetAt - at;
  if (servedMs <= rolloutMs) return { nats: 0, reason: "" };
  const minutes = Math.round(servedMs / 60_000);
  return {
    nats: -mostNats * (1 - Math.exp(1 - servedMs / rolloutMs)),
    reason: `served well for ${minutes} min, and nothing grew or came since`,
  };
}

/** Half of the way within minutes, of every measurement where it shows. */
export function isSudden({ departed, symptom, onsetAt }: Trouble): boolean {
  const own = departed.filter(({ node }) => node === symptom);
  return own.every(({ series, at, departure: { before, extreme } }) => {
    const half = series.points.find(
      ([t, value]) => t >= at && Math.abs(value - before) >= Math.abs(extreme - before) / 2,
    );
    return at >= onsetAt - toleranceMs && (half?.[0] ?? at) - at <= suddenMs;
  });
}

function isBusier(view: View, { onsetAt }: Trouble): boolean {
  return view
    .of("series")
    .filter(({ signal }) => signal === "requests")
    .map((series) => onsetPast(series, onsetAt))
    .some(({ usual, worst }) => worst >= usual * moreRequests);
}

/** Somewhat likelier than a deploy to where it shows that shares no word with the trouble, and served well. */
const unknownNats = 3;

/** What is left when it began at once, and nothing had come for a while that could have done it. */
export function unknown(
  view: View,
  trouble: Trouble,
  arrivedAt: readonly number[],
): Blamed | undefined {
  const { onsetAt, departed, symptom, origin } = trouble;
  const isSeen = departed.some(({ node }) => node === symptom);
  const isNear = arrivedAt.some((at) => at <= onsetAt + toleranceMs && onsetAt - at <= rolloutMs);
  if (!isSeen || isNear || arrivedAt.length === 0 || !isUnprompted(view, trouble)) return undefined;
  const minutes = Math.round(
    (onsetAt - Math.max(...arrivedAt.filter((at) => at <= onsetAt))) / 60_000,
  );
  const says = Number.isFinite(minutes)
    ? `nothing came in the ${minutes} min before, and it began at once`
    : "nothing had come before, and it began at once";
  return { nats: unknownNats, says, origin };
}
