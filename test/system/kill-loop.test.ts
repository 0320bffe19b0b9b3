/** kill -9 under load, again and again: what was acknowledged is there, what was forwarded was decided. */
import { afterAll, expect, test } from "vitest";
import { type Client, client } from "../fixtures/client.ts";
import type { Acknowledged } from "../fixtures/log-evidence.ts";
import { temporaryFolder } from "../fixtures/processes.ts";
import { Site } from "../fixtures/site.ts";

const killsMin = 200;
/** A log grows with every run of its gateway and is verified whole after each; so each has its share of the kills. */
const logs = 10;
const lanes = 8;
const runMsMax = 120;

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

test(`${killsMin} kills under load lose nothing acknowledged and forward nothing unrecorded`, async () => {
  const totals = { kills: 0, calls: 0, acknowledged: 0, received: 0, entries: 0, unknown: 0 };
  for (let i = 0; i < logs; i++) {
    const victim = await Victim.begin();
    for (let kill = 0; kill < killsMin / logs; kill++) {
      await victim.liveAndDie();
      const { problems, size, unknownCalls } = await victim.site.examine(victim.acknowledged);
      expect(problems, `log ${i}, kill ${kill}`).toEqual([]);
      totals.kills += 1;
      if (kill !== killsMin / logs - 1) continue;
      totals.entries += size;
      totals.unknown += unknownCalls;
    }
    totals.calls += victim.calls;
    totals.acknowledged += victim.acknowledged.length;
    totals.received += victim.site.received().length;
    await victim.site.end();
  }
  process.stdout.write(`${JSON.stringify(totals)}\n`);
  expect(totals.kills).toBeGreaterThanOrEqual(killsMin);
  // A loop that never caught a call under way would show nothing.
  expect(totals.acknowledged).toBeGreaterThan(killsMin);
  expect(totals.unknown).toBeGreaterThan(0);
}, 240_000);

/** One log, its upstream, and one gateway process after the other. */
class Victim {
  readonly acknowledged: Acknowledged[] = [];
  readonly site: Site;
  calls = 0;

  static async begin(): Promise<Victim> {
    const folder = await temporaryFolder();
    cleanups.push(folder.remove);
    const site = await Site.prepare(folder.path);
    cleanups.push(() => site.end());
    return new Victim(site);
  }

  private constructor(site: Site) {
    this.site = site;
  }

  async liveAndDie(): Promise<void> {
    const gateway = await this.site.gateway();
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
