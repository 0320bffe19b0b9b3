/**
 * What shared state costs a governed write: the same gateway and call without limits, with a rate and a budget counted in
 * the embedded store, and with both counted in a PostgreSQL on this machine. A counted write is one transaction before its
 * decision (both limits) and one after its outcome (the budget).
 */
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Agent } from "undici";
import { PostgresServer } from "../test/fixtures/postgres.ts";
import type { Listening } from "../test/fixtures/processes.ts";
import { Site } from "../test/fixtures/site.ts";
import { agentToken } from "../test/fixtures/tokens.ts";
import { gatewayCore, pinned } from "./cores.ts";
import { closedLoop, type Way } from "./gateway.ts";
import { type Measured, measured } from "./measure.ts";

const connections = [1, 16] as const;

const policies = (limits: string): string => `
policy: pay
tools:
  "pay:POST /charge": { effect: write, risk: high }
${limits}
rules:
  - { id: charge, match: { tools: "pay:POST /charge" }, outcome: allow }
`;
const counted = `
limits:
  - { id: rate, each: [agent], calls_max: 1000000000, window_seconds: 60 }
  - { id: calls, each: [agent], budget_calls: 1000000000, period: day }
`;

const config = (upstreamUrl: string, store: string): string => `
listen: 127.0.0.1:0
control: { listen: 127.0.0.1:0 }
data: ./data
policies: ./policies
upstreams:
  pay: { http: { base_url: "${upstreamUrl}" } }
development_tokens:
  - { token: ${agentToken}, agent: tester }
${store}
`;

interface Served {
  readonly site: Site;
  readonly gateway: Listening;
  readonly way: Way;
}

export async function benchState(folder: string, trials: number): Promise<readonly Measured[]> {
  const server = await PostgresServer.primary();
  const agent = new Agent({ connections: Math.max(...connections), pipelining: 1 });
  const served: Served[] = [];
  try {
    served.push(await serve(folder, "no limits", "", ""));
    served.push(await serve(folder, "embedded store", counted, ""));
    served.push(await serve(folder, "PostgreSQL", counted, `store: { postgres: "${server.url}" }`));
    const ways = served.map(({ way }) => way);
    const series = await closedLoop(agent, ways, trials, connections);
    return connections.flatMap((count) => rows(count, series));
  } finally {
    await agent.destroy();
    for (const { site, gateway } of served) {
      gateway.kill("SIGTERM");
      await gateway.exited;
      await site.end();
    }
    await server.remove();
  }
}

async function serve(folder: string, name: string, limits: string, store: string): Promise<Served> {
  const own = `${folder}/${name.replaceAll(" ", "-")}`;
  await mkdir(own);
  const upstream = fileURLToPath(new URL("upstream.ts", import.meta.url));
  const files = { config: (url: string) => config(url, store), policies: policies(limits) };
  const site = await Site.prepare(own, upstream, files);
  const gateway = await site.gateway({ under: pinned(gatewayCore) });
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${agentToken}`,
  };
  return {
    ...{ site, gateway },
    way: { name, gateway, headers, url: `${gateway.url}/http/pay/charge` },
  };
}

function rows(count: number, series: Awaited<ReturnType<typeof closedLoop>>): readonly Measured[] {
  const bare = series.get(`no limits ${count}`);
  if (bare === undefined) return [];
  const at = `${count} connection${count === 1 ? "" : "s"}`;
  const rate = measured(`${at}, no limits`, "calls/s", bare.perSecond);
  const p50 = measured(`${at}, no limits, p50`, "ms", bare.p50Ms);
  return [
    ...[rate, p50, measured(`${at}, no limits, CPU a call`, "µs", bare.cpuUs)],
    ...["embedded store", "PostgreSQL"].flatMap((name) => {
      const ours = series.get(`${name} ${count}`);
      if (ours === undefined) return [];
      const added = ours.p50Ms.map((value, i) => value - (bare.p50Ms[i] ?? Number.NaN));
      return [
        measured(`${at}, counted in the ${name}`, "calls/s", ours.perSecond, rate),
        measured(`${at}, counted in the ${name}, added p50`, "ms", added, p50),
        measured(`${at}, counted in the ${name}, CPU a call`, "µs", ours.cpuUs),
      ];
    }),
  ];
}
