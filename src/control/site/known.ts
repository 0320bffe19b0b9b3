/** What the log of a guard says of its runs before this one. */
import type { IndexedEntry } from "../../audit/index.ts";
import type { RecordedStep } from "../../failover/index.ts";
import type { Known } from "./guard-parts.ts";

export function stepsIn(entries: readonly IndexedEntry[]): readonly RecordedStep[] {
  return entries.flatMap(({ index, entry }) => {
    if (entry.kind !== "failover") return [];
    const { time, epoch, failover, step, about } = entry;
    return [{ index, time, epoch, failover, step, about }];
  });
}

/** A site that stood by stands by; any other begins again, and what was open stays open. */
export function knownFrom(steps: readonly RecordedStep[]): Known {
  const epoch = steps.reduce((newest, step) => Math.max(newest, step.epoch), 0);
  const moves = steps.filter(({ step }) => step !== "closed" && step !== "app_ready");
  const last = moves.at(-1);
  const failover = last === undefined || last.step === "standby" ? null : last.failover;
  const isOpen =
    failover !== null &&
    steps.some((each) => each.failover === failover && each.step === "opened") &&
    !steps.some((each) => each.failover === failover && each.step === "closed");
  return { epoch, failover, isOpen };
}

/** Orders of break-glass that were taken. */
export function usedNonces(steps: readonly RecordedStep[]): readonly string[] {
  return steps.flatMap(({ step, about }) =>
    step === "break_glass" && typeof about["nonce"] === "string" ? [about["nonce"]] : [],
  );
}
