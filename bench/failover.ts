/**
 * What governance adds to a failover: from its beginning until its validation has passed, the lease and the durable record
 * included, with 20 components that are intact, asked over HTTP; beside the same with one. The arbiter is a PostgreSQL on
 * this machine. What the machinery takes before it (the `ttl` of Patroni is 20 s at least, an interval of HAProxy 0.1 to 2 s)
 * is not in it.
 */
import { mkdir } from "node:fs/promises";
import { PostgresServer } from "../test/fixtures/postgres.ts";
import { TwoSites } from "../test/fixtures/two-sites.ts";
import { type Measured, measured, quantile } from "./measure.ts";

const failoversEach = 30;
const headers = {
  "content-type": "application/json",
  authorization: "Bearer guard-token-of-the-test",
};

export async function benchFailover(folder: string, trials: number): Promise<readonly Measured[]> {
  const server = await PostgresServer.primary();
  try {
    const one = await recoveries(`${folder}/one`, server, 1, trials);
    const twenty = await recoveries(`${folder}/twenty`, server, 20, trials);
    const rows = ([q, name]: readonly [number, string]): readonly Measured[] => {
      const of = (all: readonly (readonly number[])[]): readonly number[] =>
        all.map((each) => quantile(each, q));
      const base = measured(`governance recovery, 1 component, ${name}`, "ms", of(one));
      return [
        base,
        measured(`governance recovery, 20 components, ${name}`, "ms", of(twenty), base),
      ];
    };
    return (
      [
        [0.5, "p50"],
        [0.95, "p95"],
      ] as const
    ).flatMap(rows);
  } finally {
    await server.remove();
  }
}

/** The `grt_ms` of the record, failover after failover at one site. */
async function recoveries(
  folder: string,
  server: PostgresServer,
  components: number,
  trials: number,
): Promise<readonly (readonly number[])[]> {
  await mkdir(folder);
  const names = Array.from({ length: components }, (_, i) => `component-${i}`);
  const arbiter = `{ postgres: "${server.url}" }`;
  const world = await TwoSites.prepare(folder, { names, arbiter });
  try {
    await world.startGuard("fra");
    await world.reaches("fra", "ready");
    const all: number[][] = [];
    for (let trial = 0; trial < trials; trial++) {
      const took: number[] = [];
      for (let i = 0; i < failoversEach; i++) took.push(await failover(world));
      all.push(took);
    }
    return all;
  } finally {
    await world.close();
  }
}

async function failover(world: TwoSites): Promise<number> {
  const url = world.guardUrl("fra");
  const post = async (path: string, body: object): Promise<Response> =>
    await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  await post("/stand-down", { because: "the bench" });
  const begun = await post("/failover", {
    ...{ mechanism: "bench", cause: "the bench", initiated: new Date().toISOString() },
  });
  const { failover: id } = (await begun.json()) as { failover: string };
  const awaited = await post("/await", { nonce: "a-nonce-of-the-bench", budget_ms: 20_000 });
  if (awaited.status !== 200) throw new Error(await awaited.text());
  const { records } = (await (await fetch(`${url}/record`)).json()) as {
    records: { failover: string; grt_ms: number | null }[];
  };
  const grt = records.find((each) => each.failover === id)?.grt_ms;
  if (typeof grt !== "number") throw new Error(`${id} has no recovery time`);
  return grt;
}
