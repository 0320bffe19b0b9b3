/** Looks at what was held of the drills that are scheduled, and lets those know who tell people (AG-403 4.7). */
import { systemClock } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { type Config, type FailoverConfig, scheduledScenarios } from "../cli/index.ts";
import {
  type HeldDrills,
  heldDrillsKey,
  ownJournals,
  pastOf,
  publishHeldDrills,
  withdrawHeldDrills,
} from "../control/index.ts";
import { drillsDue } from "../failover/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import type { Log } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { SiteManifests } from "./site-manifest.ts";

const lookMs = 10_000;

export interface DrillWatchPorts {
  readonly state: SharedState;
  readonly log: Log;
}

/**
 * Until `signal` aborts. What cannot be read is logged, and what was known stays: its drills become overdue by
 * themselves.
 */
export async function followDrills(
  config: Config,
  { state, log }: DrillWatchPorts,
  signal: AbortSignal,
): Promise<void> {
  const { failover, instance } = config;
  if (failover?.drills === undefined) {
    // Whoever is no longer asked to look must not go on being an alarm.
    await withdrawHeldDrills(state, instance);
    return;
  }
  const manifests = await SiteManifests.open(config, failover);
  let said = "";
  while (!signal.aborted) {
    const held = await heldDrills(manifests, failover.drills, instance);
    const isTold = held.ok && (await published(state, held.value));
    const because = held.ok ? (isTold ? "" : "the store cannot be told") : held.error;
    if (because !== "" && because !== said) log.write("error", "drills_unread", { because });
    said = because;
    await systemClock.sleep(lookMs, signal);
  }
}

async function published(state: SharedState, held: HeldDrills): Promise<boolean> {
  return (
    (await publishHeldDrills(state, held)) &&
    (await withdrawHeldDrills(state, held.by, heldDrillsKey(held)))
  );
}

/** The error is a sentence for the operator. */
async function heldDrills(
  manifests: SiteManifests,
  { folder, schedule, channels }: NonNullable<FailoverConfig["drills"]>,
  by: string,
): Promise<Result<HeldDrills, string>> {
  const manifest = await manifests.read();
  if (!manifest.ok) return manifest;
  const scenarios = await scheduledScenarios(schedule);
  if (!scenarios.ok) return err(scenarios.error.join("; "));
  const journals = await ownJournals(openDisk(folder));
  if (!journals.ok) return err(`${folder}: ${journals.error}`);
  const { deployment, objectives } = manifest.value.manifest;
  const past = journals.value.journals.map(pastOf);
  const due = drillsDue(scenarios.value, past, objectives.drill_days, systemClock.wallMs());
  return ok({
    ...{ v: 1, deployment, by, drill_days: objectives.drill_days, channels },
    scenarios: scenarios.value,
    // In one order, so that the same is the same.
    held: due
      .flatMap(({ last }) => (last === null ? [] : [last]))
      .sort((a, b) => (a.drill < b.drill ? -1 : 1)),
  });
}
