/** What happens to a held write. Each step says from which states it may be taken; any other is an error, in a sentence. */
import { err, ok, type Result } from "../kernel/index.ts";
import { type Claim, type Draft, type EscrowItem, type EscrowState, isClosed } from "./item.ts";

export type Step = Result<EscrowItem, string>;

const reasonCharactersMax = 2_000;

export function queued(draft: Draft, seq: number, bytes: number, nowMs: number): EscrowItem {
  return {
    ...draft,
    ...{ v: 1, version: 1, state: "queued", seq, bytes, queued_ms: nowMs },
    ...{ release: null, attempts: 0, not_before_ms: 0, claim: null, note: null },
    ...{ ended: null, closed_ms: null },
  };
}

/** A person lets it be carried out. One whose effect is unknown may then take effect twice: the caller asks for that. */
export function released(item: EscrowItem, by: string, reason: string, nowMs: number): Step {
  if (item.state !== "queued" && item.state !== "unknown") return wrong(item, "released");
  const why = wordOf(reason);
  if (why === undefined) return err("say why: the reason is recorded");
  const release = { by, reason: why, at_ms: nowMs };
  return ok(next(item, "released", { release, attempts: 0, not_before_ms: 0, note: null }));
}

/** A person ends it: it will not be carried out, or it is known to have been (`executed`). */
export function endedByPerson(
  item: EscrowItem,
  state: "discarded" | "executed",
  by: string,
  reason: string,
  nowMs: number,
): Step {
  const may =
    state === "executed"
      ? item.state === "unknown"
      : ["queued", "released", "unknown"].includes(item.state);
  if (!may) return wrong(item, state);
  const why = wordOf(reason);
  if (why === undefined) return err("say why: the reason is recorded");
  const ended = { by, reason: why, at_ms: nowMs };
  return ok(closed(item, state, { ended, note: why }, nowMs));
}

/** One gateway takes it in hand. */
export function claimed(item: EscrowItem, claim: Claim): Step {
  if (item.state !== "released") return wrong(item, "executed");
  if (claim.at_ms < item.not_before_ms) return err(`${item.id} waits before it is tried again`);
  return ok(next(item, "executing", { claim, attempts: item.attempts + 1 }));
}

/** What came of an attempt. */
export type Attempt =
  | { readonly kind: "executed" | "failed" | "discarded"; readonly note: string | null }
  /** Nothing was sent, or sending it again acts once: it is tried again by itself. */
  | { readonly kind: "again"; readonly note: string; readonly waitMs: number }
  /** Nothing was sent, and a person looks at it once more. */
  | { readonly kind: "back"; readonly note: string }
  | { readonly kind: "unknown"; readonly note: string };

/**
 * Ends the attempt that `call` made. An attempt whose gateway was given up is `unknown`; what that gateway knows, or its
 * log, still settles it, unless a person has decided meanwhile.
 */
export function attempted(item: EscrowItem, call: string, came: Attempt, nowMs: number): Step {
  const open = item.state === "executing" || item.state === "unknown";
  if (!open || item.claim?.call !== call) return wrong(item, "settled");
  switch (came.kind) {
    case "executed":
    case "failed":
    case "discarded":
      return ok(closed(item, came.kind, { note: came.note }, nowMs));
    case "again":
      return ok(next(item, "released", { note: came.note, not_before_ms: nowMs + came.waitMs }));
    case "back":
      return ok(next(item, "queued", { note: came.note, release: null }));
    case "unknown":
      return ok(next(item, "unknown", { note: came.note }));
  }
}

type Changes = Partial<Omit<EscrowItem, "state" | "version">>;

function next(item: EscrowItem, state: EscrowState, changes: Changes): EscrowItem {
  return { ...item, ...changes, state, version: item.version + 1 };
}

function closed(item: EscrowItem, state: EscrowState, changes: Changes, nowMs: number): EscrowItem {
  const over = { args: null, carry: null, met: [], bytes: 0, closed_ms: nowMs };
  return next(item, state, { ...changes, ...over });
}

function wordOf(reason: string): string | undefined {
  const said = reason.trim().slice(0, reasonCharactersMax);
  return said === "" ? undefined : said;
}

function wrong(item: EscrowItem, what: string): Step {
  const hint = isClosed(item) ? "; that is final" : "";
  return err(`${item.id} is ${item.state}, so it cannot be ${what}${hint}`);
}
