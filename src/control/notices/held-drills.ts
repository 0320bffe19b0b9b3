/**
 * What was held of the drills that are scheduled (AG-403 4.7), in the store: written by whoever has their folder, read by
 * whoever tells people. When a drill is overdue is reckoned by the reader, so that a folder nobody looks at any more
 * silences nothing.
 */
import { type DrillDue, type DrillPast, drillsDue } from "../../failover/index.ts";
import { canonicalJson, isJsonArray, type JsonObject } from "../../kernel/index.ts";
import type { StoreWrites } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";

export const heldDrillsPrefix = "drill/held/";

export interface HeldDrills {
  readonly v: 1;
  readonly deployment: string;
  /** The instance that has the folder. */
  readonly by: string;
  readonly drill_days: number;
  /** Who is told, by the names of the channels. */
  readonly channels: readonly string[];
  readonly scenarios: readonly string[];
  /** Of each scenario the newest that showed something. */
  readonly held: readonly DrillPast[];
}

/** One deployment's drills, whoever of its instances has held them. */
export interface DrillSchedule {
  readonly deployment: string;
  readonly drillDays: number;
  readonly channels: readonly string[];
  readonly due: readonly DrillDue[];
}

export function heldDrillsKey({ deployment, by }: Pick<HeldDrills, "deployment" | "by">): string {
  return `${heldDrillsPrefix}${encodeURIComponent(deployment)}/${encodeURIComponent(by)}`;
}

export function readHeldDrills(stored: JsonObject): HeldDrills | undefined {
  const { v, deployment, channels, scenarios, held } = stored;
  const isWhole = [channels, scenarios, held].every((each) => isJsonArray(each));
  return v === 1 && typeof deployment === "string" && isWhole
    ? (stored as unknown as HeldDrills)
    : undefined;
}

/** Instances of one deployment add up: a drill that one of them held was held. */
export function schedulesOf(all: readonly HeldDrills[], nowMs: number): readonly DrillSchedule[] {
  return [...new Set(all.map(({ deployment }) => deployment))].map((deployment) => {
    const of = all.filter((each) => each.deployment === deployment);
    const drillDays = Math.min(...of.map(({ drill_days: days }) => days));
    const scenarios = [...new Set(of.flatMap((each) => each.scenarios))];
    const held = of.flatMap((each) => each.held);
    const channels = [...new Set(of.flatMap((each) => each.channels))];
    return { deployment, drillDays, channels, due: drillsDue(scenarios, held, drillDays, nowMs) };
  });
}

/** Written only when it is another than what lies there. False: the store could not be told. */
export async function publishHeldDrills(state: SharedState, held: HeldDrills): Promise<boolean> {
  const key = heldDrillsKey(held);
  const value = held as unknown as JsonObject;
  const done = await state.transact([key], (values) => {
    const before = values.get(key);
    const isSame = before !== undefined && canonicalJson(before) === canonicalJson(value);
    const writes: StoreWrites = isSame ? new Map() : new Map([[key, value]]);
    return { writes, result: undefined };
  });
  return done.ok;
}

/** What this instance had published is no schedule any more, but for that of `except`. */
export async function withdrawHeldDrills(
  state: SharedState,
  by: string,
  except?: string,
): Promise<boolean> {
  const listed = await state.list(heldDrillsPrefix, 1_000);
  if (!listed.ok) return false;
  const keys = listed.value
    .filter(({ key, value }) => value["by"] === by && key !== except)
    .map(({ key }) => key);
  if (keys.length === 0) return true;
  const done = await state.transact(keys, () => ({
    writes: new Map(keys.map((key) => [key, null])),
    result: undefined,
  }));
  return done.ok;
}
