/** What a site that stands by found when it last compared itself with the one that acts (AG-403 4.8), and how old that is. */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { Predecessor } from "../gate/lease.ts";
import type { Objectives } from "../manifest/manifest.ts";
import { type Drift, type ParityState, readParity } from "./parity.ts";

export const comparisonType = "application/vnd.holdfast.comparison+json";

export interface Comparison {
  readonly format: "holdfast.comparison/v1";
  /** The lease of the site that acted, as it was seen just before that site was asked. */
  readonly acting: Predecessor;
  /** RFC 3339, for people: nothing is decided by it. */
  readonly compared: string;
  readonly own: ParityState;
  readonly drifts: readonly Drift[];
}

/** Where the same process saw both: its monotonic clock. */
export interface Seen {
  readonly comparedMs: number;
  /** The last sign of life of the site that acted. */
  readonly lastMs: number;
}

/** `own` is of this site and manifest's deployment; the error says what is wrong with what was kept. */
export function readComparison(
  payload: JsonObject,
  expected: Pick<ParityState, "deployment" | "tenant" | "site">,
): Result<Comparison, string> {
  const { format, acting, compared, own, drifts } = payload;
  if (format !== "holdfast.comparison/v1") return err("it is no comparison of this format");
  if (!isJsonObject(own)) return err("it lacks what this site had");
  const state = readParity(own, { ...expected, nonce: "-" });
  if (!state.ok) return state;
  const good =
    isJsonObject(acting) &&
    typeof acting["site"] === "string" &&
    Number.isSafeInteger(acting["epoch"]) &&
    Number.isSafeInteger(acting["beat"]) &&
    typeof compared === "string" &&
    isJsonArray(drifts) &&
    drifts.every(isDrift);
  return good ? ok(payload as unknown as Comparison) : err("it lacks what it should tell");
}

function isDrift(value: unknown): boolean {
  return (
    isJsonObject(value as JsonObject) &&
    ["of", "here", "there"].every((name) => typeof (value as JsonObject)[name] === "string")
  );
}

/**
 * How long at most the site that acted lived on after it was compared: what changed there since nobody has seen. Once it is
 * dead nothing changes any more, so a comparison does not age by itself. `last`: its lease as it was seen last; each beat since
 * the comparison is at most one lifetime, so a guard that began anew needs no clock. `undefined`: not known.
 */
export function ageMs(
  { acting }: Comparison,
  last: Predecessor,
  lifetimeMs: number,
  seen?: Seen,
): number | undefined {
  if (acting.site !== last.site) return undefined;
  const known = [
    ...(acting.epoch === last.epoch ? [Math.max(0, last.beat - acting.beat) * lifetimeMs] : []),
    ...(seen === undefined ? [] : [Math.max(0, seen.lastMs - seen.comparedMs)]),
  ];
  return known.length === 0 ? undefined : Math.min(...known);
}

const agedSecondsMin = 300;
const intervalsMissedMax = 6;

/** As declared, or five minutes, or six intervals if that is more. */
export function ageMsMax({
  parity_age_seconds: declared,
  parity_seconds: interval,
}: Objectives): number {
  return (declared ?? Math.max(agedSecondsMin, intervalsMissedMax * interval)) * 1_000;
}
