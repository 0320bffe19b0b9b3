/** Whether what is watched is still watched: said by who watches, in the store, for whoever asks. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { SharedState } from "../../state/index.ts";

const prefix = "model/watch/";
const pageMax = 100;
/** Who says nothing for so long is gone. */
export const watchSilentMs: number = 60_000;

export interface WatchedKind {
  readonly kind: string;
  readonly namespace?: string;
  readonly state: "listing" | "watching" | "failing";
  readonly sinceMs: number;
  /** When its server last answered; null: never. */
  readonly heardAtMs: number | null;
  readonly objects: number;
  readonly fault?: string;
}

export interface WatchStatus {
  /** What is watched: `kubernetes <cluster>`. */
  readonly watched: string;
  /** The instance that watches. */
  readonly by: string;
  readonly startedAtMs: number;
  readonly writtenAtMs: number;
  /** It ended as it was told to. */
  readonly isStopped: boolean;
  readonly kinds: readonly WatchedKind[];
}

/** The time is the store's own. */
export async function writeWatchStatus(
  state: SharedState,
  status: Omit<WatchStatus, "writtenAtMs">,
): Promise<Result<void, string>> {
  const key = `${prefix}${status.by}`;
  const written = await state.transact([key], (_, nowMs) => ({
    writes: new Map([[key, { ...status, writtenAtMs: nowMs } as unknown as JsonObject]]),
    result: undefined,
  }));
  return written.ok
    ? ok(undefined)
    : err(`the store is ${written.error.kind}: ${written.error.detail}`);
}

/** Of every instance that ever watched, by name. */
export async function watchStatuses(
  state: SharedState,
): Promise<Result<readonly WatchStatus[], string>> {
  const page = await state.list(prefix, pageMax, "");
  if (!page.ok) return err(`the store is ${page.error.kind}: ${page.error.detail}`);
  return ok(page.value.flatMap(({ value }) => (isStatus(value) ? [value] : [])));
}

function isStatus(value: unknown): value is WatchStatus {
  if (!isJsonObject(value as JsonObject)) return false;
  const { watched, by, kinds } = value as JsonObject;
  return typeof watched === "string" && typeof by === "string" && isJsonArray(kinds);
}
