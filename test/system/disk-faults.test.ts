/** The disk of a real gateway fails: it refuses from then on, says so, forwards nothing, and a restart is sound. */
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Answer, type Client, client } from "../fixtures/client.ts";
import { type Acknowledged, examine } from "../fixtures/log-evidence.ts";
import { type Listening, readJournal, start, temporaryFolder } from "../fixtures/processes.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** strace fails the `n`-th call and no other; one thread does all file work, so that `n` counts them all. */
const injected = (fault: string): Pick<Parameters<typeof start>[0], "under" | "env"> => ({
  under: [
    "strace",
    "-f",
    "-o",
    "/dev/null",
    "-e",
    "trace=fdatasync,write",
    "-e",
    `inject=${fault}`,
  ],
  env: { UV_THREADPOOL_SIZE: "1" },
});

// Sync 1 is the start entry, 2 the policy entry; then one for each decision and one for each outcome.
for (const [what, when] of [
  ["a decision", 5],
  ["an outcome", 6],
] as const)
  test(`a failed fdatasync of ${what} ends all forwarding`, async () => {
    const site = await Site.begin();
    const gateway = await site.gateway(injected(`fdatasync:error=EIO:when=${when}`));
    const first = await site.call();
    expect(first.status).toBe(200);
    const second = await site.call();
    // The decision was not durable: refused unsent. The outcome was not: sent, and the agent is told it may have acted.
    expect(second.status).toBe(what === "a decision" ? 503 : 500);
    expect(second.body).toContain(what === "a decision" ? "record_failed" : "outcome_unrecorded");
    const forwarded = what === "a decision" ? 1 : 2;
    expect(site.received()).toHaveLength(forwarded);
    for (let i = 0; i < 20; i++) expect((await site.call()).status).toBe(503);
    expect(site.received()).toHaveLength(forwarded);
    expect(await readiness(gateway)).toBe(503);
    await site.restartsSound(gateway);
  });

test("a journal that cannot grow refuses, never silently, and forwards nothing unrecorded", async () => {
  const site = await Site.begin();
  const journal = join(site.folder, "data/log/journal/0000000000000000");
  const { under, env } = injected("write:error=ENOSPC:when=9+");
  await fillsUp(
    site,
    await site.gateway({ under: [...(under ?? []), "-P", journal], ...(env && { env }) }),
  );
});

// Mounting is for root; the test above needs no rights.
if (process.getuid?.() === 0)
  test("a full file system refuses, never silently, and forwards nothing unrecorded", async () => {
    const site = await Site.begin();
    const mounted = mountSmall(site.folder);
    await fillsUp(site, await site.gateway(), mounted.grow);
  });

async function fillsUp(site: Site, gateway: Listening, free: () => void = () => {}): Promise<void> {
  const answers: Answer[] = [];
  for (let i = 0; i < 400 && answers.at(-1)?.status !== 503; i++)
    answers.push(await site.call(8_000));
  expect(answers[0]?.status).toBe(200);
  expect(answers.at(-1)?.body).toContain("record_failed");
  const before = site.received().length;
  for (let i = 0; i < 20; i++) expect((await site.call()).status).toBe(503);
  expect(site.received()).toHaveLength(before);
  expect(await readiness(gateway)).toBe(503);
  free();
  await site.restartsSound(gateway);
}

/** A gateway, its upstream, an agent, and what the agent was told. */
class Site {
  readonly folder: string;
  readonly #upstream: Listening;
  readonly #acknowledged: Acknowledged[] = [];
  #agent: Client | undefined;
  #calls = 0;

  static async begin(): Promise<Site> {
    const folder = await temporaryFolder();
    cleanups.push(folder.remove);
    const args = [join(folder.path, "journal")];
    const upstream = await start({ script: "journaling-upstream.ts", args });
    cleanups.push(() => upstream.kill());
    await mkdir(join(folder.path, "data"));
    return new Site(folder.path, upstream);
  }

  constructor(folder: string, upstream: Listening) {
    this.folder = folder;
    this.#upstream = upstream;
  }

  async gateway(how: Partial<Parameters<typeof start>[0]> = {}): Promise<Listening> {
    const args = [join(this.folder, "data"), this.#upstream.url];
    const gateway = await start({ script: "gateway-process.ts", args, ...how });
    const agent = client(gateway.url);
    cleanups.push(() => gateway.kill());
    cleanups.push(() => agent.close());
    this.#agent = agent;
    return gateway;
  }

  /** Every call is answered: a refusal is an answer, silence is a failure. */
  async call(paddingBytes = 0): Promise<Answer> {
    this.#calls += 1;
    const body = { amount: this.#calls, padding: "x".repeat(paddingBytes) };
    const answer = await this.#agent?.post("/charge", body);
    if (answer === undefined) throw new Error(`call ${this.#calls} was not answered`);
    const { call, receipt, status } = answer;
    if (call !== undefined && receipt !== undefined)
      this.#acknowledged.push({ call, receipt, forwarded: status === 200 });
    return answer;
  }

  received(): ReturnType<typeof readJournal> {
    return readJournal(join(this.folder, "journal"));
  }

  /** Stop, restart, verify: the log is whole, holds what was acknowledged, and the gateway serves again. */
  async restartsSound(failed: Listening): Promise<void> {
    failed.kill();
    await failed.exited;
    expect(await this.#problems()).toEqual([]);
    await this.gateway();
    expect((await this.call()).status).toBe(200);
    expect(await this.#problems()).toEqual([]);
  }

  async #problems(): Promise<readonly string[]> {
    const log = join(this.folder, "data/log");
    return (await examine(log, this.received(), this.#acknowledged)).problems;
  }
}

async function readiness({ url }: Listening): Promise<number> {
  return (await fetch(`${url}/readyz`)).status;
}

/** A file system of one megabyte for the data folder. */
function mountSmall(folder: string): { grow(): void } {
  const data = join(folder, "data");
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", data]);
  cleanups.push(() => void execFileSync("umount", ["-l", data]));
  return { grow: () => void execFileSync("mount", ["-o", "remount,size=8m", data]) };
}
