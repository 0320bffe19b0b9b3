/**
 * `holdfast model calibration`: how good predictions were. What can be told by now is told first. Exit codes: 0; 2 the store
 * cannot be read.
 */
import { Predictions } from "../../control/index.ts";
import { type Calibration, calibrationByChange, calibrationOf } from "../../model/index.ts";
import type { SharedState } from "../../state/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { tableLines } from "../table.ts";
import { percent } from "./impact-text.ts";
import type { OpenedModel } from "./open.ts";
import { timesAsText } from "./times-as-text.ts";

export interface CalibrationOptions {
  readonly json?: boolean;
  /** Seconds before and after an action that are compared. */
  readonly window: string;
}

export async function showCalibration(
  { graph, nowMs }: OpenedModel,
  state: SharedState,
  options: CalibrationOptions,
  io: CommandOutput,
): Promise<number> {
  const windowMs = Number(options.window) * 1_000;
  if (!(windowMs > 0)) {
    io.err(`error: --window: \`${options.window}\` is no number of seconds`);
    return 2;
  }
  const predictions = new Predictions(state);
  const settled = await predictions.settle({ view: graph.latest(), nowMs, windowMs });
  const all = settled.ok ? await predictions.all() : settled;
  if (!all.ok) {
    io.err(`error: ${all.error}`);
    return 2;
  }
  const byChange = calibrationByChange(all.value);
  const whole = calibrationOf(all.value);
  if (options.json === true) {
    const changes = Object.fromEntries(byChange);
    const shown = timesAsText({ all: whole, changes, predictions: all.value });
    io.out(JSON.stringify(shown, undefined, 2));
    return 0;
  }
  const rows = [...byChange, ["all", whole] as const].map(([kind, of]) => [kind, ...cells(of)]);
  for (const line of tableLines([headings, ...rows])) io.out(line);
  if (whole.settled === 0)
    io.out("nothing can be compared yet: an outcome is told from the traffic after an action");
  return 0;
}

const headings = [
  "CHANGE",
  "PREDICTED",
  "SETTLED",
  "BRIER",
  "IN INTERVAL",
  "TOO LITTLE",
  "TOO MUCH",
  "BIAS",
  "SERVICES",
  "SERVICE BRIER",
  "COUNT EXPECTED",
  "MISSED",
  "NEEDLESS",
] as const;

function cells(of: Calibration): readonly string[] {
  const part = (value: number | null): string => (value === null ? "–" : percent(value));
  return [
    String(of.predictions),
    String(of.settled),
    of.brier === null ? "–" : of.brier.toFixed(4),
    part(of.coverage?.value ?? null),
    String(of.under),
    String(of.over),
    part(of.bias),
    of.services === null ? "–" : of.services.toFixed(2),
    of.feelings === null ? "–" : of.feelings.brier.toFixed(4),
    part(of.feelings?.coverage.value ?? null),
    String(of.feelings?.under ?? "–"),
    String(of.feelings?.over ?? "–"),
  ];
}
