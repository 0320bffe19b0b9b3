/** Engines beside each other, by number of rules: decisions a second, and how long one takes. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { PolicyRequest } from "../src/policy/index.ts";
import {
  type Engine,
  governanceSdk,
  holdfast,
  holdfastFirstSight,
  holdfastReport,
  type Open,
  opaServer,
  opaWasm,
} from "./engines.ts";
import { type Measured, measured, quantile } from "./measure.ts";
import { policySetOf, requestsOf } from "./policy-set.ts";

const ruleCounts = [10, 100, 1_000, 10_000] as const;
/** For each engine, number of rules and trial. */
const measureMs = 120;
const samplesMin = 8;
const warmUpMs = 150;
/** Requests whose answers are compared with ours before anything is timed. */
const compared = 32;

interface Contender {
  readonly name: string;
  readonly open: Open;
  /** Larger policies are left out: they take tens of seconds to build, and most of one for a decision. */
  readonly rulesMax?: number;
}

const contenders: readonly Contender[] = [
  { name: "holdfast", open: holdfast },
  { name: "holdfast, agent never seen before", open: holdfastFirstSight },
  { name: "holdfast, report on every rule", open: holdfastReport, rulesMax: 1_000 },
  { name: "OPA as wasm, our bundle", open: opaWasm, rulesMax: 1_000 },
  { name: "OPA server, our bundle, loopback HTTP", open: opaServer, rulesMax: 1_000 },
  { name: "agent-governance-sdk", open: governanceSdk },
];

/** What the rows do not say by themselves; printed under the table. */
export const policyNotes: readonly string[] = [
  "Every verdict of ours explains itself (reason, determining rules, what could not be evaluated); there is no mode without. The report on every rule is `holdfast policy explain`, which compiles the policy anew.",
  "Samples are single decisions, and means of four where one is too quick to time (holdfast).",
  "OPA at 10,000 rules is left out: building our bundle takes half a minute and a decision most of a second. `opa-wasm` has no `regex.replace`; the bench gives it one.",
  "agent-governance-sdk: one policy document, deny overrides. Not the same: its conditions have no patterns, so a tool named by pattern is named in full (the answers that differ), and it names only the rule that won.",
];

/** Trials go round the engines, so that all of them meet the same noise. One number of rules at a time is in memory. */
export async function benchPolicy(folder: string, trials: number): Promise<readonly Measured[]> {
  const rows: Measured[] = [];
  for (const count of ruleCounts) {
    const requests = requestsOf(count);
    const opened = new Map<string, Engine>();
    for (const { name, open, rulesMax = Number.POSITIVE_INFINITY } of contenders) {
      if (count > rulesMax) continue;
      const place = join(folder, `${count}-${opened.size}`);
      await mkdir(place);
      opened.set(name, await open(policySetOf(count), place));
    }
    const series = await measureAll(opened, requests, trials);
    for (const { engine } of series.values()) engine.close?.();
    rows.push(...rowsOf(count, series));
  }
  return rows;
}

interface Series {
  readonly engine: Engine;
  readonly perSecond: number[];
  readonly p50Us: number[];
  readonly p99Us: number[];
  readonly agrees: number;
}

async function measureAll(
  opened: ReadonlyMap<string, Engine>,
  requests: readonly PolicyRequest[],
  trials: number,
): Promise<ReadonlyMap<string, Series>> {
  const reference = opened.get("holdfast");
  const series = new Map<string, Series>();
  for (const [name, engine] of opened) {
    let agrees = 0;
    for (const request of requests.slice(0, compared))
      if ((await engine.decide(request)) === (await reference?.decide(request))) agrees += 1;
    series.set(name, { engine, perSecond: [], p50Us: [], p99Us: [], agrees: agrees / compared });
    await timed(engine, requests, warmUpMs);
  }
  for (let trial = 0; trial < trials; trial++)
    for (const { engine, perSecond, p50Us, p99Us } of series.values()) {
      const samplesUs = await timed(engine, requests, measureMs);
      const totalUs = samplesUs.reduce((sum, one) => sum + one, 0);
      perSecond.push((samplesUs.length * 1e6) / totalUs);
      p50Us.push(quantile(samplesUs, 0.5));
      p99Us.push(quantile(samplesUs, 0.99));
    }
  return series;
}

/** How long decisions took, in µs; each sample is one decision, or the mean of a block of a few. */
async function timed(
  { decide, block }: Engine,
  requests: readonly PolicyRequest[],
  ms: number,
): Promise<readonly number[]> {
  const samples: number[] = [];
  const end = performance.now() + ms;
  for (let at = 0; performance.now() < end || samples.length < samplesMin; at += block) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < block; i++) {
      const request = requests[(at + i) % requests.length];
      const answer = request === undefined ? false : decide(request);
      if (typeof answer !== "boolean") await answer;
    }
    samples.push(Number(process.hrtime.bigint() - start) / 1_000 / block);
  }
  return samples;
}

function rowsOf(count: number, series: ReadonlyMap<string, Series>): readonly Measured[] {
  const rows: Measured[] = [];
  let rate: Measured | undefined;
  for (const [name, { perSecond, p50Us, p99Us, agrees }] of series) {
    const what = `${count} rules, ${name}`;
    const same = agrees === 1 ? "" : ` (same answer in ${Math.round(agrees * 100)} %)`;
    const row = measured(`${what}${same}`, "decisions/s", perSecond, rate);
    rate ??= row;
    rows.push(row, measured(`${what}, p50`, "µs", p50Us), measured(`${what}, p99`, "µs", p99Us));
  }
  return rows;
}
