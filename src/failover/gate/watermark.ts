/**
 * What was acknowledged before a failover must be there after it. While a site acts, its guard tells the arbiter how far
 * its gateways' logs and stores have come; a candidate compares what it finds with what was witnessed last.
 */
import { err, isJsonObject, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { WatermarkFinding } from "../record/event-record.ts";

/** Counts that only grow: entries of a log by its origin, commits of a store by process. */
export type Watermark = ReadonlyMap<string, number>;

/** In front of the origin of a log; what has no prefix of ours is a count of the store. */
export const ledgerMark = "ledger/";

const entriesMax = 1_000;

/** The higher of each. */
export function raised(a: Watermark, b: Watermark): Watermark {
  const both = new Map(a);
  for (const [of, count] of b) both.set(of, Math.max(count, both.get(of) ?? 0));
  return both;
}

/** One finding for everything that was witnessed; what is not found at all is lost. */
export function compareWatermarks(
  witnessed: Watermark,
  observed: Watermark,
): readonly WatermarkFinding[] {
  return [...witnessed].map(([of, count]) => {
    const found = observed.get(of);
    return {
      of,
      witnessed: String(count),
      observed: found === undefined ? "nothing" : String(found),
      lost: found === undefined || found < count,
    };
  });
}

export function watermarkJson(watermark: Watermark): JsonObject {
  return Object.fromEntries([...watermark].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function readWatermark(stored: JsonObject | undefined): Result<Watermark, string> {
  const entries = Object.entries(stored ?? {});
  const good = entries.every(([, count]) => Number.isSafeInteger(count) && Number(count) >= 0);
  if (!good || entries.length > entriesMax || (stored !== undefined && !isJsonObject(stored)))
    return err("the witnessed watermark is not stored as this Holdfast stores it");
  return ok(new Map(entries.map(([of, count]) => [of, Number(count)])));
}

export function watermarkKey(deployment: string, tenant: string): string {
  return `failover/${encodeURIComponent(tenant)}/${encodeURIComponent(deployment)}/watermark`;
}
