/** The disk of a real gateway fails: it refuses from then on, says so, forwards nothing, and a restart is sound. */
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type Answer, type Client, client } from "../fixtures/client.ts";
import type { Acknowledged } from "../fixtures/log-evidence.ts";
import { type Listening, type Received, temporaryFolder } from "../fixtures/processes.ts";
import { readiness, Site, type Tracer } from "../fixtures/site.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** strace fails the `n`-th write of the journal and no other; one thread does all file work, so that `n` counts them all. */
const injected = (fault: string, journal: string): Tracer => ({
  under: [
    "strace",
    "-f",
    "-o",
    "/dev/null",
    "-e",
    "trace=write",
    "-e",
    `inject=${fault}`,
    "-P",
    journal,
  ],
  env: { UV_THREADPOOL_SIZE: "1" },
});

// A write of the journal is durable when it returns. Write 1 is the start entry, 2 the policy entry; then one for each decision and one for each outcome.
for (const [what, when] of [
  ["a decision", 5],
  ["an outcome", 6],
] as const)
  test(`a failed durable write of ${what} ends all forwarding`, async () => {
    const site = await Trial.begin();
    const gateway = await site.gateway(injected(`write:error=EIO:when=${when}`, site.journal));
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
  const site = await Trial.begin();
  await fillsUp(site, await site.gateway(injected("write:error=ENOSPC:when=9+", site.journal)));
});

// Needs root for the mount; without it this fails, because a case that does not run shows nothing.
test("a full file system refuses, never silently, and forwards nothing unrecorded", async () => {
  let data = "";
  const site = await Trial.begin((folder) => {
    data = folder;
    mountSmall(folder);
  });
  const grow = (): unknown => execFileSync("mount", ["-o", "remount,size=8m", data]);
  await fillsUp(site, await site.gateway(), grow);
});

async function fillsUp(
  site: Trial,
  gateway: Listening,
  free: () => unknown = () => {},
): Promise<void> {
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

/** A site with one agent, and what the agent was told. */
class Trial {
  readonly #site: Site;
  readonly #acknowledged: Acknowledged[] = [];
  #agent: Client | undefined;
  #calls = 0;

  /** `before` is given the folder of the data while it is empty. */
  static async begin(before: (data: string) => void = () => {}): Promise<Trial> {
    const folder = await temporaryFolder();
    cleanups.push(folder.remove);
    const data = join(folder.path, "data");
    await mkdir(data);
    before(data);
    const site = await Site.prepare(folder.path);
    cleanups.push(() => site.end());
    return new Trial(site);
  }

  private constructor(site: Site) {
    this.#site = site;
  }

  /** The first and only segment while nothing was restarted. */
  get journal(): string {
    return join(this.#site.logFolder, "journal/0000000000000000");
  }

  async gateway(tracer?: Tracer): Promise<Listening> {
    const gateway = await this.#site.gateway(tracer);
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

  received(): readonly Received[] {
    return this.#site.received();
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
    return (await this.#site.examine(this.#acknowledged)).problems;
  }
}

/** A file system of one megabyte for the data. */
function mountSmall(data: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", data]);
  cleanups.push(() => execFileSync("umount", ["-l", data]));
}
