/** The real `holdfast gateway` beside a direct call to the same upstream, in turns, so that both meet the same noise. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Agent } from "undici";
import { Site } from "../test/fixtures/site.ts";
import { agentToken } from "../test/fixtures/tokens.ts";
import { load, type Measured, measured, quantile } from "./measure.ts";

const durationMs = 2_000;
const connections = [1, 16] as const;
const body = JSON.stringify({ amount: 12, currency: "EUR", memo: "x".repeat(220) });

interface Way {
  readonly name: "direct" | "gateway";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Series {
  readonly p50Ms: number[];
  readonly p99Ms: number[];
  readonly perSecond: number[];
  readonly cpuUs: number[];
}

export async function benchGateway(folder: string, trials: number): Promise<readonly Measured[]> {
  const site = await Site.prepare(folder, fileURLToPath(new URL("upstream.ts", import.meta.url)));
  const gateway = await site.gateway();
  const json = { "content-type": "application/json" };
  const ways: readonly Way[] = [
    { name: "direct", url: `${site.upstream.url}/charge`, headers: json },
    {
      name: "gateway",
      url: `${gateway.url}/http/pay/charge`,
      headers: { ...json, authorization: `Bearer ${agentToken}` },
    },
  ];
  const series = new Map<string, Series>();
  const agent = new Agent({ connections: Math.max(...connections), pipelining: 1 });
  try {
    for (const way of ways) await load(16, 700, () => post(agent, way));
    for (let trial = 0; trial < trials; trial++)
      for (const count of connections)
        for (const way of ways) {
          const key = `${way.name} ${count}`;
          const kept = series.get(key) ?? { p50Ms: [], p99Ms: [], perSecond: [], cpuUs: [] };
          series.set(key, kept);
          const before = await cpuUs(gateway.pid);
          const { latenciesMs, perSecond } = await load(count, durationMs, () => post(agent, way));
          kept.p50Ms.push(quantile(latenciesMs, 0.5));
          kept.p99Ms.push(quantile(latenciesMs, 0.99));
          kept.perSecond.push(perSecond);
          kept.cpuUs.push(((await cpuUs(gateway.pid)) - before) / latenciesMs.length);
        }
  } finally {
    await agent.destroy();
    gateway.kill("SIGTERM");
    await gateway.exited;
    await site.end();
  }
  return connections.flatMap((count) => rows(count, series));
}

function rows(count: number, series: ReadonlyMap<string, Series>): readonly Measured[] {
  const [direct, gateway] = [series.get(`direct ${count}`), series.get(`gateway ${count}`)];
  if (direct === undefined || gateway === undefined) return [];
  const at = `${count} connection${count === 1 ? "" : "s"}`;
  const added = (ours: readonly number[], theirs: readonly number[]): readonly number[] =>
    ours.map((value, i) => value - (theirs[i] ?? Number.NaN));
  const directRate = measured(`direct, ${at}`, "calls/s", direct.perSecond);
  const directP50 = measured(`direct p50, ${at}`, "ms", direct.p50Ms);
  const directP99 = measured(`direct p99, ${at}`, "ms", direct.p99Ms);
  return [
    directRate,
    measured(`gateway, ${at}`, "calls/s", gateway.perSecond, directRate),
    directP50,
    measured(`added p50, ${at}`, "ms", added(gateway.p50Ms, direct.p50Ms), directP50),
    directP99,
    measured(`added p99, ${at}`, "ms", added(gateway.p99Ms, direct.p99Ms), directP99),
    measured(`gateway CPU a call, ${at}`, "µs", gateway.cpuUs),
  ];
}

async function post(agent: Agent, { url, headers }: Way): Promise<void> {
  const { origin, pathname } = new URL(url);
  const answer = await agent.request({ origin, path: pathname, method: "POST", headers, body });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
}

/** User and system time of a process so far (proc(5), stat fields 14 and 15); NaN where there is no /proc. */
async function cpuUs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}
