/** kill -9 under load, again and again: what was acknowledged is there, what was forwarded was decided. */
import { afterAll, expect, test } from "vitest";
import { type Client, client } from "../fixtures/client.ts";
import type { Acknowledged } from "../fixtures/log-evidence.ts";
import { temporaryFolder } from "../fixtures/processes.ts";
import { Site } from "../fixtures/site.ts";

/** A log grows with every run of its gateway and is verified whole after each; so each has its share of the kills. */
const logs = 10;
const killsPerLog = 20;
const lanes = 8;
const runMsMax = 120;

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

interface Totals {
  readonly kills: number;
  readonly calls: number;
  readonly acknowledged: number;
  readonly received: number;
  readonly entries: number;
  /** Calls that a kill left without an outcome. */
  readonly unknown: number;
}

test(`${logs * killsPerLog} kills under load lose nothing acknowledged and forward nothing unrecorded`, async () => {
  // Two at a time: starting a process costs more than anything it does here.
  const [some, others] = await Promise.all([manyLogs(logs / 2), manyLogs(logs / 2)]);
  const totals = [...some, ...others].reduce(sum);
  process.stdout.write(`${JSON.stringify(totals)}\n`);
  expect(totals.kills).toBeGreaterThanOrEqual(200);
  // A loop that never caught a call under way would show nothing.
  expect(totals.acknowledged).toBeGreaterThan(200);
  expect(totals.unknown).toBeGreaterThan(0);
}, 600_000);

async function manyLogs(count: number): Promise<readonly Totals[]> {
  const totals: Totals[] = [];
  while (totals.length < count) totals.push(await oneLog());
  return totals;
}

async function oneLog(): Promise<Totals> {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  const site = await Site.prepare(folder.path);
  cleanups.push(() => site.end());
  const victim = new Victim(site);
  let [entries, unknown] = [0, 0];
  for (let kill = 1; kill <= killsPerLog; kill++) {
    await victim.liveAndDie();
    const evidence = await site.examine(victim.acknowledged);
    expect(evidence.problems, `kill ${kill}`).toEqual([]);
    [entries, unknown] = [evidence.size, evidence.unknownCalls];
  }
  await site.end();
  return {
    kills: killsPerLog,
    calls: victim.calls,
    acknowledged: victim.acknowledged.length,
    received: site.received().length,
    entries,
    unknown,
  };
}

function sum(a: Totals, b: Totals): Totals {
  return {
    kills: a.kills + b.kills,
    calls: a.calls + b.calls,
    acknowledged: a.acknowledged + b.acknowledged,
    received: a.received + b.received,
    entries: a.entries + b.entries,
    unknown: a.unknown + b.unknown,
  };
}

/** One gateway process after the other on one log, and what agents were told. */
class Victim {
  readonly acknowledged: Acknowledged[] = [];
  readonly #site: Site;
  calls = 0;

  constructor(site: Site) {
    this.#site = site;
  }

  async liveAndDie(): Promise<void> {
    const gateway = await this.#site.gateway();
    const agent = client(gateway.url);
    const over = new AbortController();
    const load = Array.from({ length: lanes }, () => this.#load(agent, over.signal));
    await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * runMsMax));
    gateway.kill("SIGKILL");
    over.abort();
    await gateway.exited;
    await Promise.all(load);
    await agent.close();
  }

  async #load(agent: Client, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      this.calls += 1;
      const path = this.calls % 5 === 0 ? "/wipe" : "/charge";
      const answer = await agent.post(path, { amount: this.calls });
      if (answer === undefined) continue;
      const { call, receipt, status } = answer;
      // An answer without receipt would acknowledge nothing; a governed call always has one.
      if (call === undefined || receipt === undefined) throw new Error(`${status} without receipt`);
      this.acknowledged.push({ call, receipt, forwarded: status === 200 });
    }
  }
}
