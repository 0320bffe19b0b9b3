/**
 * The real `holdfast gateway` on one core, beside a direct call to the same upstream: with its durable record, and with
 * one that is not synced. The ways take turns of a fraction of a second, so that all of them meet the same noise.
 */
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Agent } from "undici";
import type { Listening } from "../test/fixtures/processes.ts";
import { Site } from "../test/fixtures/site.ts";
import { agentToken } from "../test/fixtures/tokens.ts";
import { gatewayCore, pinned } from "./cores.ts";
import { load, type Measured, measured, openLoop, quantile } from "./measure.ts";

const connections = [1, 16, 64] as const;
const turnMs = 350;
const turns = 3;
/** Until the code is compiled, however little of the machine we get. */
const warmUpCalls = 5_000;
const warmUpMsMax = 8_000;
const openPerSecond = 1_000;
const openSeconds = 4;
const body = JSON.stringify({ amount: 12, currency: "EUR", memo: "x".repeat(220) });

const ways = ["direct", "gateway", "gateway, record not synced"] as const;

export interface Way {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly gateway?: Listening;
}

export interface Series {
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  readonly perSecond: number[];
  readonly cpuUs: number[];
}

export async function benchGateway(folder: string, trials: number): Promise<readonly Measured[]> {
  const upstream = fileURLToPath(new URL("upstream.ts", import.meta.url));
  const noSync = new URL("no-sync.ts", import.meta.url).href;
  const under = pinned(gatewayCore);
  await mkdir(`${folder}/durable`);
  await mkdir(`${folder}/not-synced`);
  const site = await Site.prepare(`${folder}/durable`, upstream);
  const other = await Site.prepare(`${folder}/not-synced`, upstream);
  const durable = await site.gateway({ under });
  const loose = await other.gateway({ under, nodeArgs: ["--import", noSync] });
  const json = { "content-type": "application/json" };
  const headers = { ...json, authorization: `Bearer ${agentToken}` };
  const through = (name: Way["name"], gateway: Listening): Way => ({
    ...{ name, gateway, headers, url: `${gateway.url}/http/pay/charge` },
  });
  const agent = new Agent({ connections: Math.max(...connections), pipelining: 1 });
  try {
    const all: readonly Way[] = [
      { name: "direct", url: `${site.upstream.url}/charge`, headers: json },
      through("gateway", durable),
      through("gateway, record not synced", loose),
    ];
    const series = await closedLoop(agent, all, trials);
    const opened = await decisionsAtRate(
      agent,
      `${durable.url}/access/v1/evaluation`,
      headers,
      trials,
    );
    return [...connections.flatMap((count) => rows(count, series)), ...opened];
  } finally {
    await agent.destroy();
    for (const gateway of [durable, loose]) {
      gateway.kill("SIGTERM");
      await gateway.exited;
    }
    await site.end();
    await other.end();
  }
}

/** By name and number of connections. The ways take turns of a fraction of a second. */
export async function closedLoop(
  agent: Agent,
  all: readonly Way[],
  trials: number,
  counts: readonly number[] = connections,
): Promise<ReadonlyMap<string, Series>> {
  const series = new Map<string, Series>();
  for (const way of all) await warmUp(agent, way);
  for (let trial = 0; trial < trials; trial++)
    for (const count of counts)
      for (const [name, { latenciesMs, ms, cpuUs: cpu }] of await inTurns(agent, all, count)) {
        const key = `${name} ${count}`;
        const kept = series.get(key) ?? { p50Ms: [], p99Ms: [], perSecond: [], cpuUs: [] };
        series.set(key, kept);
        kept.p50Ms.push(quantile(latenciesMs, 0.5));
        kept.p99Ms.push(quantile(latenciesMs, 0.99));
        kept.perSecond.push((latenciesMs.length * 1_000) / ms);
        kept.cpuUs.push(cpu / latenciesMs.length);
      }
  return series;
}

async function warmUp(agent: Agent, way: Way): Promise<void> {
  const end = performance.now() + warmUpMsMax;
  for (let calls = 0; calls < warmUpCalls && performance.now() < end; )
    calls += (await load(16, 250, () => post(agent, way))).latenciesMs.length;
}

interface Taken {
  readonly latenciesMs: number[];
  ms: number;
  cpuUs: number;
}

/** One trial of all ways at one number of connections. */
async function inTurns(
  agent: Agent,
  all: readonly Way[],
  count: number,
): Promise<ReadonlyMap<string, Taken>> {
  const taken = new Map(
    all.map(({ name }) => [name as string, { latenciesMs: [], ms: 0, cpuUs: 0 } as Taken]),
  );
  for (let turn = 0; turn < turns; turn++)
    for (const way of all) {
      const sum = taken.get(way.name);
      if (sum === undefined) continue;
      const before = await cpuUs(way.gateway?.pid);
      const done = await load(count, turnMs, () => post(agent, way));
      sum.cpuUs += (await cpuUs(way.gateway?.pid)) - before;
      sum.ms += (done.latenciesMs.length / done.perSecond) * 1_000;
      for (const one of done.latenciesMs) sum.latenciesMs.push(one);
    }
  return taken;
}

/** Decisions alone (AuthZEN): decided and durably recorded, nothing forwarded; arrivals do not wait for answers. */
async function decisionsAtRate(
  agent: Agent,
  url: string,
  headers: Readonly<Record<string, string>>,
  trials: number,
): Promise<readonly Measured[]> {
  const asked = JSON.stringify({
    subject: { type: "agent", id: "tester" },
    action: { name: "pay:POST /charge" },
    resource: { type: "tool", id: "pay:POST /charge" },
  });
  const way = { name: "gateway", url, headers } as const;
  const [p50, p99]: [number[], number[]] = [[], []];
  for (let trial = 0; trial < trials; trial++) {
    const latencies = await openLoop(openPerSecond, openSeconds, trial, () =>
      post(agent, way, asked),
    );
    p50.push(quantile(latencies, 0.5));
    p99.push(quantile(latencies, 0.99));
  }
  const what = `decision and durable record over HTTP at ${openPerSecond}/s, open loop`;
  return [measured(`${what}, p50`, "ms", p50), measured(`${what}, p99`, "ms", p99)];
}

function rows(count: number, series: ReadonlyMap<string, Series>): readonly Measured[] {
  const direct = series.get(`direct ${count}`);
  if (direct === undefined) return [];
  const at = `${count} connection${count === 1 ? "" : "s"}`;
  const added = (ours: readonly number[], theirs: readonly number[]): readonly number[] =>
    ours.map((value, i) => value - (theirs[i] ?? Number.NaN));
  const rate = measured(`${at}, direct`, "calls/s", direct.perSecond);
  const p50 = measured(`${at}, direct, p50`, "ms", direct.p50Ms);
  const p99 = measured(`${at}, direct, p99`, "ms", direct.p99Ms);
  return [
    ...[rate, p50, p99],
    ...ways.slice(1).flatMap((name) => {
      const ours = series.get(`${name} ${count}`);
      if (ours === undefined) return [];
      return [
        measured(`${at}, ${name}`, "calls/s", ours.perSecond, rate),
        measured(`${at}, ${name}, added p50`, "ms", added(ours.p50Ms, direct.p50Ms), p50),
        measured(`${at}, ${name}, added p99`, "ms", added(ours.p99Ms, direct.p99Ms), p99),
        measured(`${at}, ${name}, CPU a call`, "µs", ours.cpuUs),
      ];
    }),
  ];
}

async function post(
  agent: Agent,
  { url, headers }: Pick<Way, "url" | "headers">,
  sent: string = body,
): Promise<void> {
  const { origin, pathname } = new URL(url);
  const answer = await agent.request({
    origin,
    path: pathname,
    method: "POST",
    headers,
    body: sent,
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
}

/** User and system time of a process so far (proc(5), stat fields 14 and 15); NaN where there is no /proc. */
async function cpuUs(pid: number | undefined): Promise<number> {
  if (pid === undefined) return Number.NaN;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}
