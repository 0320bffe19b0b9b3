/**
 * Signed requests that came in: each counts once. What lies outside the window of its timestamp is refused, so what was
 * seen need be remembered no longer than the window.
 */
import { err, ok, type Result, sha256Hex } from "../../kernel/index.ts";
import type { SharedState, StateError } from "../../state/index.ts";

/** How far the clock of whoever signed may be from ours (Slack and Standard Webhooks both say five minutes). */
const windowMs = 300_000;
const prefix = "notice/seen/";
/** Of the ones that come first by their names, which are random: each look finds others. */
const sweepAtOnce = 5_000;

export type Freshness = "first" | "repeated" | "late";

/**
 * `name` is unique to the request (its signature, its id), `signedMs` the time that was signed with it. `first` is
 * answered once for a name, by all processes together.
 */
export async function freshness(
  state: SharedState,
  name: string,
  signedMs: number,
): Promise<Result<Freshness, StateError>> {
  const key = prefix + sha256Hex(name);
  const done = await state.transact<Freshness>([key], (values, nowMs) => {
    if (Math.abs(nowMs - signedMs) > windowMs) return { writes: new Map(), result: "late" };
    if (values.has(key)) return { writes: new Map(), result: "repeated" };
    return { writes: new Map([[key, { at_ms: nowMs }]]), result: "first" };
  });
  return done.ok ? ok(done.value) : err(done.error);
}

/** Forgets what would be late by now. Twice the window: it may have been signed by a clock ahead of ours. */
export async function sweepSeen(state: SharedState, nowMs: number): Promise<void> {
  const listed = await state.list(prefix, sweepAtOnce);
  if (!listed.ok) return;
  const keys = listed.value
    .filter(({ value }) => nowMs - Number(value["at_ms"]) > 2 * windowMs)
    .map(({ key }) => key);
  if (keys.length === 0) return;
  await state.transact(keys, () => ({
    writes: new Map(keys.map((key) => [key, null])),
    result: undefined,
  }));
}
