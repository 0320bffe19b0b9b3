/** Times for people: how long until, and when exactly. */

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** `12 minutes`; one unit, rounded down, so that nobody is promised more time than there is. */
export function spanText(ms: number): string {
  const [name, unitMs] = units.find(([, each]) => ms >= each) ?? units[3];
  const count = Math.max(0, Math.floor(ms / unitMs));
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

/** `2026-11-25 18:40:11 UTC`. */
export function instantText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** `12 minutes ago`. */
export function agoText(ms: number, nowMs: number): string {
  return nowMs - ms < 1_000 ? "just now" : `${spanText(nowMs - ms)} ago`;
}
