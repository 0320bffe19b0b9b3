/** What traffic and logs of the windows since the trouble began show, beside those of the past. */
import type { Case } from "../case.ts";
import type { View } from "../view.ts";
import type { Anomaly } from "./anomaly.ts";
import { failingCalls } from "./failing-calls.ts";
import { type LogWindow, logChanges, logWindow } from "./log-changes.ts";
import { changedCalls } from "./missing-calls.ts";
import { type ActivityWindow, activityOf, brokenProportions } from "./proportions.ts";
import { slowOperations, slowWays } from "./slow-calls.ts";
import { type Window, windowsOf } from "./windows.ts";

/** One window as every kind of evidence sees it. */
interface Told {
  readonly window: Window;
  readonly said: LogWindow;
  readonly done: ActivityWindow;
}

export function trafficAnomalies({ view, symptom, settings }: Case): Anomaly[] {
  const told = toldBy(view);
  // Without time there is no past: whichever window stands out of the others.
  if (settings.without.has("time"))
    return told.flatMap((now) =>
      between(
        told.filter((each) => each !== now),
        [now],
      ),
    );
  const cutAt = symptom.at - settings.lookbackMs;
  return between(
    told.filter(({ window }) => window.at < cutAt),
    told.filter(({ window }) => window.at >= cutAt),
  );
}

function toldBy(view: View): readonly Told[] {
  const [traffic, logs] = [view.of("traffic"), view.of("log")];
  return windowsOf(traffic).map((window) => {
    const of = <T extends { at: number }>(events: readonly T[]) =>
      events.filter(({ at }) => at === window.at);
    return {
      window,
      said: logWindow(window.at, of(logs), window.runs),
      done: { at: window.at, activity: activityOf(of(traffic), of(logs)) },
    };
  });
}

function between(past: readonly Told[], now: readonly Told[]): Anomaly[] {
  const [before, since] = [past.map(({ window }) => window), now.map(({ window }) => window)];
  const said = (told: readonly Told[]) => told.map((each) => each.said);
  const done = (told: readonly Told[]) => told.map((each) => each.done);
  return [
    ...slowOperations(before, since),
    ...slowWays(before, since),
    ...failingCalls(before, since),
    ...changedCalls(before, since),
    ...logChanges(said(past), said(now)),
    ...brokenProportions(done(past), done(now)),
  ];
}
