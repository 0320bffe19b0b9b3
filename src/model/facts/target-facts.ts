/** What policy may ask about one node, from everything that is known. */
import { type ChangeKind, changeKinds } from "../event.ts";
import type { View } from "../graph/index.ts";
import type { NodeId } from "../graph-words.ts";
import { type Exercised, predict, type Tolerance } from "../impact/index.ts";
import type { Reached, TargetFacts } from "./snapshot.ts";

/** Changes within this time are recent. */
export const recentMs: number = 60 * 60_000;

export interface FactsBasis {
  readonly view: View;
  readonly nowMs: number;
  readonly seen: Exercised;
  readonly tolerance: Tolerance;
  /** Confirmed incidents about a node, by the kind of change that caused them. */
  readonly memory: (target: NodeId) => TargetFacts["memory"];
}

export function targetFacts(target: NodeId, basis: FactsBasis): TargetFacts {
  const { view, nowMs, seen, tolerance } = basis;
  const usual = predict(view, { target, change: "agent_action" }, seen, tolerance);
  const reached: Record<string, Reached> & { "*": Reached } = { "*": reachedBy(usual, usual.felt) };
  for (const change of changeKinds) {
    const part = tolerance(target, change);
    if (sameShare(part, usual.tolerance)) continue;
    const { felt } = predict(view, { target, change: change as ChangeKind }, seen, tolerance);
    reached[change] = reachedBy(usual, felt);
  }
  const range = { fromAt: nowMs - recentMs, toAt: nowMs + 1 };
  const needed = view.reach([target], {
    direction: "out",
    kinds: ["calls", "runs_on", "configured_by", "depends_on", "changed_by"],
  });
  const changes = new Set(
    [target, ...needed.map(({ node }) => node)].flatMap((node) =>
      view.changes(range, { node }).map(({ change }) => change),
    ),
  );
  return {
    target,
    dependents: usual.dependents.length,
    recentChanges: changes.size,
    memory: basis.memory(target),
    reached,
  };
}

function reachedBy(
  {
    services,
    zones,
    dataClasses,
  }: Omit<Reached, "share" | "services"> & {
    readonly services: readonly NodeId[];
  },
  share: Reached["share"],
): Reached {
  return { services: services.length, share, zones, dataClasses };
}

function sameShare(a: { value: number; low: number; high: number }, b: typeof a): boolean {
  return a.value === b.value && a.low === b.low && a.high === b.high;
}
