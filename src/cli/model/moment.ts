/** Moments as people give them: about which one they ask, and by what was known when. */
import { err, instantMs, instantText, ok, type Result } from "../../kernel/index.ts";
import { allKnown, type Graph } from "../../model/index.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `2026-05-04T10:12:00Z`, `now`, or so long ago: `90s`, `15m`, `2h`, `3d`. Milliseconds since 1970-01-01 UTC. */
export function readMoment(text: string, nowMs: number): Result<number, string> {
  if (text === "now") return ok(nowMs);
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago !== null) return ok(nowMs - Number(ago[1]) * (unitMs[ago[2] ?? ""] ?? 0));
  const at = instantMs(text);
  if (at !== undefined) return ok(at);
  return err(
    `\`${text}\` is no moment: give an instant in UTC (2026-05-04T10:12:00Z), how long ago (90s, 15m, 2h, 3d), or now`,
  );
}

/** What the two options say, for every command that has them. */
export const atWords = "as of an instant (UTC), or so long ago: 15m, 2h; now, unless given";
export const knownAtWords =
  "by what was known then; `now`: by all that is known; the moment of --at, unless given";

export interface Moments {
  readonly atMs: number;
  readonly knownAtMs: number;
  /** Nobody said by what knowledge: by that of the moment. */
  readonly isKnownThen: boolean;
}

/**
 * A question about the past is answered by what was known then, unless it says otherwise: what is learned later must not
 * change an answer that somebody acted on. A question about now is answered by all that is known.
 */
export function readMoments(
  { at, knownAt }: { readonly at?: string | undefined; readonly knownAt?: string | undefined },
  nowMs: number,
  names: { readonly at: string; readonly knownAt: string } = optionNames,
): Result<Moments, string> {
  const asked = readMoment(at ?? "now", nowMs);
  if (!asked.ok) return err(`${names.at}: ${asked.error}`);
  const atMs = asked.value;
  if (knownAt === undefined) {
    const isKnownThen = atMs < nowMs;
    return ok({ atMs, knownAtMs: isKnownThen ? atMs : allKnown, isKnownThen });
  }
  if (knownAt === "now") return ok({ atMs, knownAtMs: allKnown, isKnownThen: false });
  const known = readMoment(knownAt, nowMs);
  if (!known.ok) return err(`${names.knownAt}: ${known.error}`);
  return ok({ atMs, knownAtMs: known.value, isKnownThen: false });
}

const optionNames = { at: "--at", knownAt: "--known-at" };

/** What was left out of an answer about the past because it was learned later, and how to ask with it; undefined: nothing. */
export function laterKnown(
  graph: Graph,
  { atMs, knownAtMs, isKnownThen }: Moments,
  asking = "--known-at now",
): string | undefined {
  if (!isKnownThen) return undefined;
  let [then, later] = [0, 0];
  for (const { at, knownAt } of graph.events()) {
    if (at > atMs) continue;
    if (knownAt > knownAtMs) later += 1;
    else then += 1;
  }
  if (later === 0) return undefined;
  const when = instantText(atMs);
  return then === 0
    ? `nothing was known at ${when}; ${later} events about that time were learned later: ask with ${asking}`
    : `by what was known at ${when}; ${later} events about that time were learned later and are left out: ${asking} asks with them`;
}
