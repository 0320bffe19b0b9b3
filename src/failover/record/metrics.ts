/**
 * What guards, gateways and drills count of failovers, with what each means. A gauge `x` is `holdfast_x`, a counter
 * `holdfast_x_total`. Values that records tell are computed from them, so that a restart forgets none.
 */

import { instantMs } from "../../kernel/index.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { FailoverRecord } from "./event-record.ts";
import type { RecordFold } from "./record-fold.ts";

export const failoverMetrics: Readonly<Record<string, string>> = {
  failover_gate_open: "1 while agents may act at this site, as its guard sees it.",
  failover_phase: "1 for the phase that the gate of this site is in, 0 for every other.",
  failover_phase_seconds: "Time in each phase of the gate, since the guard's process began.",
  failover_blocked_seconds:
    "Time in which a component kept this site from acting, when it was to act, since the guard's process began.",
  failover_probe_ms: "How long the last probe of a component took, canaries included.",
  failover_canary_ms:
    "How long the last canary of a component took in a failover, from end to end.",
  failover_parity_drift: "Things in which this target differs from the site that acts.",
  failover_parity_alarm: "1 while that difference has not gone by itself.",
  failover_grt_seconds: "Governance recovery time of the last failover that measured it.",
  failover_grto_seconds: "The objective that the manifest sets for it.",
  failover_rto_seconds: "Application recovery time of the last failover that measured it.",
  failover_open_seconds:
    "Since the oldest failover began whose record is not closed; 0 when all are.",
  failover_records: "Failovers recorded, by outcome; those that are open have the outcome open.",
  failover_component_blocked_seconds:
    "Since a component keeps this site from acting; 0 when it does not.",
  failover_remediations: "Attempts at remediation, by component and result.",
  failover_lost_records:
    "Logs and stores of the last failover in which acknowledged records were lost.",
  permits_refused: "Gateways that asked for a permit while the gate was closed.",
  zombie_writes_refused: "Epochs that a store refused, because a newer one writes to it.",
  decisions_under_enhanced_monitoring:
    "Decisions made while something of the site was not shown to be intact.",
  permit_valid: "1 while this gateway holds a permit that is good.",
  drill_age_days: "Since the newest drill that showed something, by scenario.",
  drills_overdue: "Scenarios whose drill is overdue.",
  drill_open: "1 while a drill is under way, or could not be rolled back.",
};

export interface RecordedGauge {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** AG-403 4.9: what the records of one site say, at a moment in milliseconds since 1970-01-01 UTC. */
export function recordGauges(
  { records, dropped, remediations }: Pick<RecordFold, "records" | "dropped" | "remediations">,
  manifest: Manifest,
  nowMs: number,
): readonly RecordedGauge[] {
  const { deployment } = manifest;
  const gauge = (
    name: string,
    value: number,
    labels: Readonly<Record<string, string>> = {},
  ): RecordedGauge => ({ name, value, labels: { deployment, ...labels } });
  const sinceSeconds = (text: string): number =>
    Math.max(0, (nowMs - (instantMs(text) ?? nowMs)) / 1_000);
  const grt = records.flatMap(({ grt_ms }) => grt_ms ?? []).at(-1);
  const rto = records.flatMap(({ rto_ms }) => rto_ms ?? []).at(-1);
  const open = records.filter(({ closed }) => closed === null);
  return [
    gauge("failover_grto_seconds", manifest.objectives.grto_seconds),
    ...(grt === undefined ? [] : [gauge("failover_grt_seconds", grt / 1_000)]),
    ...(rto === undefined ? [] : [gauge("failover_rto_seconds", rto / 1_000)]),
    gauge(
      "failover_open_seconds",
      Math.max(0, ...open.map(({ initiated }) => sinceSeconds(initiated))),
    ),
    ...outcomes(records, dropped).map(([outcome, count]) =>
      gauge("failover_records", count, { outcome }),
    ),
    ...blocking(records.at(-1), manifest, sinceSeconds).map(([component, seconds]) =>
      gauge("failover_component_blocked_seconds", seconds, { component }),
    ),
    ...[...remediations].map(([key, count]) => {
      const [component = "", result = ""] = key.split(" ");
      return gauge("failover_remediations", count, { component, result });
    }),
    ...canaries(records.at(-1), manifest).map(([component, ms]) =>
      gauge("failover_canary_ms", ms, { component }),
    ),
    gauge(
      "failover_lost_records",
      records.at(-1)?.watermark.filter(({ lost }) => lost).length ?? 0,
    ),
  ];
}

function outcomes(
  records: readonly FailoverRecord[],
  dropped: ReadonlyMap<string, number>,
): readonly [string, number][] {
  const counts = new Map(dropped);
  for (const { outcome } of records)
    counts.set(outcome ?? "open", (counts.get(outcome ?? "open") ?? 0) + 1);
  return [...counts];
}

/** Every component, so that one which blocks no longer is 0 and not the last it was. */
function blocking(
  record: FailoverRecord | undefined,
  { components }: Manifest,
  sinceSeconds: (text: string) => number,
): readonly [string, number][] {
  const isBlocked = record?.phase === "blocked" || record?.phase === "revoked";
  return components.map(({ name }) => {
    const answer = record?.answers.find((each) => each.component === name);
    const blocks = isBlocked && answer !== undefined && answer.verdict !== "pass";
    return [name, blocks ? sinceSeconds(answer.asked) : 0];
  });
}

function canaries(
  record: FailoverRecord | undefined,
  { components }: Manifest,
): readonly [string, number][] {
  const names = components.filter(({ verify }) => verify.kind.endsWith("canary"));
  return names.flatMap(({ name }) => {
    const answer = record?.answers.find((each) => each.component === name);
    return answer === undefined ? [] : [[name, answer.took_ms] as [string, number]];
  });
}
