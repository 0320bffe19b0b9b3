/** Patroni and HAProxy as their documentation shows them, with one table for the application. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { freePort } from "../../test/fixtures/free-port.ts";
import { HaproxyServer } from "../../test/fixtures/haproxy.ts";
import { PatroniCluster, type PatroniNode, until } from "../../test/fixtures/patroni.ts";
import { stockDigest, stockText } from "./stock.ts";

export interface Cluster {
  readonly patroni: PatroniCluster;
  /** Where the application reaches the primary. */
  readonly port: number;
  readonly configurations: readonly string[];
  remove(): Promise<void>;
}

/** `fra` leads, `dub` follows. */
export async function stockCluster(): Promise<Cluster> {
  const dcs = parse(readFileSync(join(import.meta.dirname, "stock/patroni-dcs.yaml"), "utf8"));
  const patroni = await PatroniCluster.start({ names: ["fra", "dub"], dcs });
  try {
    const [fra, dub] = [patroni.node("fra"), patroni.node("dub")];
    const port = await freePort();
    const text = stockText("haproxy.cfg", {
      listen: port,
      ...{ fra_postgres: fra.ports.postgres, fra_api: fra.ports.api },
      ...{ dub_postgres: dub.ports.postgres, dub_api: dub.ports.api },
    });
    const haproxy = await HaproxyServer.start(text, port);
    const leader = await patroni.leader();
    leader?.query("CREATE TABLE action (id serial PRIMARY KEY, at timestamptz NOT NULL)");
    return {
      ...{ patroni, port },
      configurations: [stockDigest("patroni-dcs.yaml"), stockDigest("haproxy.cfg")],
      remove: async () => {
        await haproxy.remove();
        await patroni.remove();
      },
    };
  } catch (thrown) {
    await patroni.remove();
    throw thrown;
  }
}

/** Kills the leader as a machine dies, and resolves when the other node takes writes. Returns how long that took. */
export async function killLeader(patroni: PatroniCluster): Promise<{
  readonly successor: PatroniNode;
  readonly promotedMs: number;
}> {
  const leader = await patroni.leader();
  const successor = patroni.nodes.find((node) => node !== leader);
  if (leader === undefined || successor === undefined)
    throw new Error("there is no leader to kill");
  const began = performance.now();
  await leader.kill();
  await until("a promotion", () => successor.takesWrites());
  return { successor, promotedMs: Math.round(performance.now() - began) };
}
