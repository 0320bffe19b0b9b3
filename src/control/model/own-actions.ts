/**
 * What agents do through the gateway, as events of the model: each call from its decision on, and, when it took effect on a
 * node, as a change of production like any other. The log is the source: nothing is told that was not recorded.
 */
import type { DecisionEntry, IndexedEntry, OutcomeEntry } from "../../audit/index.ts";
import { instantMs, type JsonValue } from "../../kernel/index.ts";
import {
  boundedName,
  type ChangeKind,
  changeKinds,
  type ModelEvent,
  type NodeId,
  nodeId,
  type Origin,
  splitNodeId,
} from "../../model/index.ts";

/** A call that took effect, and what had been predicted of it. */
export interface DoneAction {
  readonly call: string;
  readonly at: number;
  readonly target: NodeId;
  readonly change: ChangeKind;
  readonly share: { readonly value: number; readonly low: number; readonly high: number } | null;
}

export interface OwnActions {
  readonly events: readonly ModelEvent[];
  readonly done: readonly DoneAction[];
  /** Decisions whose outcome is not in these entries. */
  readonly open: ReadonlyMap<string, DecisionEntry>;
}

/** `open`: decisions of earlier entries whose outcome was not seen yet. Entries may be given twice. */
export function ownActions(
  log: string,
  entries: readonly IndexedEntry[],
  open: ReadonlyMap<string, DecisionEntry>,
): OwnActions {
  const waiting = new Map(open);
  const events: ModelEvent[] = [];
  const done: DoneAction[] = [];
  for (const { index, entry } of entries) {
    const origin: Origin = { source: "holdfast", reference: `${log} entry ${index}` };
    if (entry.kind === "decision") {
      events.push(...decided(log, entry, origin));
      if (entry.decision === "allow" || entry.decision === "sanitize")
        waiting.set(entry.call, entry);
    }
    if (entry.kind !== "outcome") continue;
    const decision = waiting.get(entry.call);
    waiting.delete(entry.call);
    if (decision === undefined) continue;
    const effect = effectOf(decision, entry);
    events.push(...outcome(log, decision, entry, effect, origin));
    if (effect !== undefined) done.push(effect);
  }
  return { events, done, open: waiting };
}

function decided(log: string, entry: DecisionEntry, origin: Origin): readonly ModelEvent[] {
  const { decision, risk, effect, policy_version: policy, determining_rules: rules } = entry;
  const told = { ...aboutCall(log, entry, origin), type: "action" as const };
  const detail = { decision, risk, effect, policy, rules: [...rules] };
  return [
    { ...told, id: `${told.id}/proposed`, phase: "proposed", detail: { effect, risk } },
    { ...told, id: `${told.id}/evaluated`, phase: "evaluated", detail },
  ];
}

function outcome(
  log: string,
  decision: DecisionEntry,
  entry: OutcomeEntry,
  effect: DoneAction | undefined,
  origin: Origin,
): readonly ModelEvent[] {
  const at = instantMs(entry.time) ?? 0;
  const about = { ...aboutCall(log, decision, origin), at, knownAt: at };
  const told = { ...about, type: "action" as const };
  const detail: JsonValue = { outcome: entry.outcome, duration_ms: entry.duration_ms };
  const events: ModelEvent[] = [
    ...(entry.outcome === "not_sent"
      ? []
      : [{ ...told, id: `${about.id}/executed`, phase: "executed" as const, detail: null }]),
    { ...told, id: `${about.id}/outcome`, phase: "outcome", detail },
  ];
  if (effect !== undefined)
    events.push({
      ...{ type: "change", id: `${about.id}/change`, at, knownAt: at, origin },
      ...{ change: nodeId("deploy", `call/${entry.call}`), kind: effect.change },
      targets: [effect.target],
      title: boundedName(`${decision.agent_id} called ${decision.tool}`),
      actor: boundedName(decision.agent_id),
    });
  return events;
}

function aboutCall(log: string, entry: DecisionEntry, origin: Origin) {
  const at = instantMs(entry.time) ?? 0;
  const target = targetIn(entry);
  return {
    ...{ id: `holdfast/${log}/${entry.call}`, at, knownAt: at, origin, call: entry.call },
    agent: nodeId("agent", boundedName(entry.agent_id)),
    tool: nodeId("tool", boundedName(entry.tool)),
    targets: target === undefined ? [] : [target],
  };
}

function targetIn({ prediction }: DecisionEntry): NodeId | undefined {
  const target = prediction?.target ?? undefined;
  return target === undefined || splitNodeId(target) === undefined ? undefined : target;
}

/** A write to a known node that took effect, or may have. */
function effectOf(decision: DecisionEntry, { call, outcome, time }: OutcomeEntry) {
  const target = targetIn(decision);
  const { prediction, effect } = decision;
  if (target === undefined || effect !== "write") return undefined;
  if (outcome !== "ok" && outcome !== "unknown") return undefined;
  const named = prediction?.known === true ? prediction.change : undefined;
  const change = changeKinds.find((kind) => kind === named) ?? "agent_action";
  const share =
    prediction?.known === true
      ? { value: prediction.share, low: prediction.share_low, high: prediction.share_high }
      : null;
  return { call, at: instantMs(time) ?? 0, target, change, share };
}
