/** A moment as people give it on a command line. */
import { err, instantMs, ok, type Result } from "../../kernel/index.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `2026-05-04T10:12:00Z`, or so long ago: `90s`, `15m`, `2h`, `3d`. Milliseconds since 1970-01-01 UTC. */
export function readMoment(text: string, nowMs: number): Result<number, string> {
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago !== null) return ok(nowMs - Number(ago[1]) * (unitMs[ago[2] ?? ""] ?? 0));
  const at = instantMs(text);
  if (at !== undefined) return ok(at);
  return err(
    `\`${text}\` is no moment: give an instant in UTC (2026-05-04T10:12:00Z) or how long ago (90s, 15m, 2h, 3d)`,
  );
}
