/** kill -9 under load, again and again: what was acknowledged is there, what was forwarded was decided. */
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Client, client } from "../fixtures/client.ts";
import { type Acknowledged, examine } from "../fixtures/log-evidence.ts";
import { type Listening, readJournal, start, temporaryFolder } from "../fixtures/processes.ts";

const killsMin = 200;
/** A log grows with every run of its gateway and is verified whole after each; so each has its share of the kills. */
const logs = 10;
const lanes = 8;
const runMsMax = 120;

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

test(`${killsMin} kills under load lose nothing acknowledged and forward nothing unrecorded`, async () => {
  const totals = { kills: 0, calls: 0, acknowledged: 0, received: 0, entries: 0, unknown: 0 };
  for (let i = 0; i < logs; i++) {
    const victim = await Victim.begin();
    for (let kill = 0; kill < killsMin / logs; kill++) {
      await victim.liveAndDie();
      const { problems, size, unknownCalls } = await victim.examine();
      expect(problems, `log ${i}, kill ${kill}`).toEqual([]);
      totals.kills += 1;
      if (kill !== killsMin / logs - 1) continue;
      totals.entries += size;
      totals.unknown += unknownCalls;
    }
    totals.calls += victim.calls;
    totals.acknowledged += victim.acknowledged.length;
    totals.received += readJournal(victim.journal).length;
    await victim.end();
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
  readonly journal: string;
  readonly #folder: string;
  readonly #upstream: Listening;
  calls = 0;

  static async begin(): Promise<Victim> {
    const folder = await temporaryFolder();
    cleanups.push(folder.remove);
    const journal = join(folder.path, "journal");
    const upstream = await start({ script: "journaling-upstream.ts", args: [journal] });
    cleanups.push(async () => upstream.kill());
    return new Victim(folder.path, journal, upstream);
  }

  constructor(folder: string, journal: string, upstream: Listening) {
    this.#folder = folder;
    this.journal = journal;
    this.#upstream = upstream;
  }

  async liveAndDie(): Promise<void> {
    const args = [join(this.#folder, "data"), this.#upstream.url];
    const gateway = await start({ script: "gateway-process.ts", args });
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

  examine(): ReturnType<typeof examine> {
    return examine(join(this.#folder, "data/log"), readJournal(this.journal), this.acknowledged);
  }

  async end(): Promise<void> {
    this.#upstream.kill();
    await this.#upstream.exited;
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
