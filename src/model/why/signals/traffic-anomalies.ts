/** What traffic and logs of the windows since the trouble began show, beside those of the past. */
import type { Case } from "../case.ts";
import type { Anomaly } from "./anomaly.ts";
import { failingCalls } from "./failing-calls.ts";
import { logChanges, logWindow } from "./log-changes.ts";
import { changedCalls } from "./missing-calls.ts";
import { activityOf, brokenProportions } from "./proportions.ts";
import { slowOperations, slowWays } from "./slow-calls.ts";
import { windowsOf } from "./windows.ts";

export function trafficAnomalies({ view, symptom, settings }: Case): Anomaly[] {
  const cutAt = symptom.at - settings.lookbackMs;
  const isPast = ({ at }: { at: number }) => at < cutAt;
  const isNow = ({ at }: { at: number }) => at >= cutAt;
  const [traffic, logs] = [view.of("traffic"), view.of("log")];
  const windows = windowsOf(traffic);
  const at = <T extends { at: number }>(events: readonly T[], time: number) =>
    events.filter((each) => each.at === time);
  const said = windows.map((window) => logWindow(window.at, at(logs, window.at), window.runs));
  const done = windows.map((window) => ({
    at: window.at,
    activity: activityOf(at(traffic, window.at), at(logs, window.at)),
  }));
  const [past, now] = [windows.filter(isPast), windows.filter(isNow)];
  return [
    ...slowOperations(past, now),
    ...slowWays(past, now),
    ...failingCalls(past, now),
    ...changedCalls(past, now),
    ...logChanges(said.filter(isPast), said.filter(isNow)),
    ...brokenProportions(done.filter(isPast), done.filter(isNow)),
  ];
}
