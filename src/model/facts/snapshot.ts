/**
 * What the model knows of each node that a call may concern, as a text that one process writes whole and another reads in
 * small steps: one JSON value a line, the head first. Whoever decides on calls looks nodes up here and never asks the model
 * itself, so that no question about production ever delays a decision.
 */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { NodeId } from "../graph-words.ts";

export const factsFormat = 1;

export interface FactsHead {
  /** Grows with every snapshot of one maker. */
  readonly version: number;
  readonly madeAtMs: number;
  /** When the newest thing was told that the snapshot rests on; null: nothing ever was. */
  readonly toldAtMs: number | null;
  readonly targets: number;
}

/** What one kind of change to a node would touch. */
export interface Reached {
  readonly services: number;
  /** Part of the traffic, with its interval; null where no traffic was seen, so that a part of it means nothing. */
  readonly share: { readonly value: number; readonly low: number; readonly high: number } | null;
  readonly zones: readonly string[];
  readonly dataClasses: readonly string[];
}

export interface TargetFacts {
  readonly target: NodeId;
  readonly dependents: number;
  readonly recentChanges: number;
  readonly memory: {
    readonly count: number;
    /** By kind of change that caused them. */
    readonly byChange: Readonly<Record<string, number>>;
  };
  /** By kind of change; `*` is every other kind. */
  readonly reached: Readonly<Record<string, Reached>> & { readonly "*": Reached };
}

/** Lines without their ends. */
export function* factsLines(
  head: Omit<FactsHead, "targets">,
  targets: readonly TargetFacts[],
): Iterable<string> {
  yield JSON.stringify({ holdfast_model_facts: factsFormat, ...head, targets: targets.length });
  for (const target of targets) yield JSON.stringify(target);
}

export function readFactsHead(line: string): Result<FactsHead, string> {
  const value = parsed(line);
  if (value?.["holdfast_model_facts"] !== factsFormat)
    return err(`line 1 is no head of format ${factsFormat}`);
  const { version, madeAtMs, toldAtMs, targets } = value;
  if (!isCount(version) || !isCount(madeAtMs) || !isCount(targets))
    return err("line 1: version, madeAtMs and targets are whole numbers");
  if (toldAtMs !== null && !isCount(toldAtMs)) return err("line 1: toldAtMs is an instant or null");
  return ok({ version, madeAtMs, toldAtMs: toldAtMs ?? null, targets });
}

export function readTargetFacts(line: string): Result<TargetFacts, string> {
  const value = parsed(line);
  if (value === undefined) return err("no JSON object");
  const { target, dependents, recentChanges, memory, reached } = value;
  if (typeof target !== "string") return err("target is no text");
  if (!isCount(dependents) || !isCount(recentChanges))
    return err("dependents and recentChanges are whole numbers");
  if (!isJsonObject(memory) || !isCount(memory["count"]) || !isJsonObject(memory["byChange"]))
    return err("memory has count and byChange");
  if (!isJsonObject(reached) || !("*" in reached) || !Object.values(reached).every(isReached))
    return err("reached has * and is services, share, zones and dataClasses for each");
  return ok(value as unknown as TargetFacts);
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value as JsonObject) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function isReached(value: unknown): boolean {
  if (!isJsonObject(value as JsonObject)) return false;
  const { services, share, zones, dataClasses } = value as JsonObject;
  const texts = (list: unknown): boolean =>
    isJsonArray(list as never) && (list as unknown[]).every((one) => typeof one === "string");
  return isCount(services) && isShare(share) && texts(zones) && texts(dataClasses);
}

function isShare(share: unknown): boolean {
  if (share === null) return true;
  if (!isJsonObject(share as JsonObject)) return false;
  const { low, value, high } = share as Record<string, unknown>;
  const inOrder = [0, low, value, high, 1];
  return inOrder.every(
    (part, i) => typeof part === "number" && (i === 0 || part >= Number(inOrder[i - 1])),
  );
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
