/** Limits of time that a change sets, against what was measured: was the old one kept, is the new one what is normal? */
import type { DiffPart } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import { onsetPast } from "./onset.ts";
import type { Part } from "./part.ts";
import type { Trouble } from "./trouble.ts";

export interface LimitChange {
  readonly name: string;
  readonly beforeMs: number;
  readonly afterMs: number;
}

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  millis: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
};
const amount =
  /(\d[\d_]*(?:\.\d+)?)\s*(?:\*\s*)?(?:\w+\.)?(ms|milliseconds?|millis|seconds?|sec|s|minutes?|min|m|hours?|h)\b/i;
/** A bare number is meant in milliseconds where its name says that it is a limit. */
const bare = /\b(\d[\d_]{2,})\b/;

/** Lines that differ in a time only, in order of removal. */
export function limitChanges(diff: readonly DiffPart[]): readonly LimitChange[] {
  return diff.flatMap(({ removed, added }) =>
    removed.flatMap((line) => {
      const beforeMs = timeIn(line);
      const other = added.find((each) => shapeOf(each) === shapeOf(line) && each !== line);
      const afterMs = other === undefined ? undefined : timeIn(other);
      if (beforeMs === undefined || afterMs === undefined || beforeMs === afterMs) return [];
      return [{ name: nameIn(line), beforeMs, afterMs }];
    }),
  );
}

const shapeOf = (line: string): string => line.replace(/\d[\d_.]*/g, "#").trim();
const isLimit = /time_?-?out|deadline|budget|max_?-?wait/i;
const nameIn = (line: string): string =>
  /[\w-]*(?:time|deadline|budget|wait)[\w-]*/i.exec(line)?.[0] ?? "a limit";

function timeIn(line: string): number | undefined {
  if (!isLimit.test(line)) return undefined;
  const match = amount.exec(line);
  if (match !== null) {
    const unit = (match[2] ?? "").toLowerCase();
    const ms = unitMs[unit] ?? unitMs[unit.replace(/s$/, "")];
    return ms === undefined ? undefined : Number((match[1] ?? "").replaceAll("_", "")) * ms;
  }
  const value = bare.exec(line)?.[1];
  return value === undefined ? undefined : Number(value.replaceAll("_", ""));
}

/**
 * A limit below what is normal for those it is set on fails what is well; one that the trouble exceeds before and after
 * failed nobody who would not have failed without it.
 */
export function judgeLimit(
  view: View,
  trouble: Trouble,
  nodes: readonly NodeId[],
  { name, beforeMs, afterMs }: LimitChange,
): Part {
  const latencies = view
    .of("series")
    .filter(({ signal, node }) => signal === "latency" && nodes.includes(node))
    .map((series) => ({ series, ...onsetPast(series, trouble.onsetAt) }));
  const isNormal = latencies.find(({ usual }) => usual > afterMs && usual <= beforeMs);
  if (isNormal !== undefined)
    return {
      nats: 2.5,
      reason: `${name} of ${afterMs} ms is below the usual ${isNormal.series.name} of ${isNormal.series.node} (${isNormal.usual.toFixed(0)} ms)`,
    };
  const isPast = latencies.find(
    ({ usual, worst }) => afterMs < beforeMs && usual < afterMs && worst > beforeMs,
  );
  if (isPast !== undefined)
    return {
      nats: -2,
      reason: `${isPast.series.name} of ${isPast.series.node} is over the old ${name} too`,
    };
  return { nats: 0, reason: "" };
}
