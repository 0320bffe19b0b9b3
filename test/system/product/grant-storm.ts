/**
 * Grants used from all sides at once: three gateways on one PostgreSQL, or one on its embedded store; several uses of each
 * grant, while gateways are killed and started again, stopped and let go on, and their clocks set by hours. What came of it is counted at the
 * upstreams and in the store, not believed from answers.
 */
import { globSync, writeFileSync } from "node:fs";
import { PostgresStore } from "../../../src/adapters/postgres/index.ts";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import {
  type Approval,
  approvalIn,
  approvalKeys,
  approvalWrites,
  vote,
} from "../../../src/approvals/index.ts";
import type { Result } from "../../../src/kernel/index.ts";
import type { Store } from "../../../src/ports.ts";
import { Random } from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { type Process, root, supportBot, type World, world } from "./harness.ts";

export interface StormOptions {
  readonly seed: number;
  readonly grants: number;
  readonly usesEach: number;
  /** Calls under way at one time. */
  readonly lanes: number;
  readonly chaos: boolean;
  /** One gateway, on the store in its data folder. */
  readonly embedded?: boolean;
  /** In the middle the primary is killed, and its synchronous standby takes over. */
  readonly failover?: boolean;
  readonly say?: (line: string) => void;
}

export interface StormReport {
  /** Executed once. */
  readonly executed: number;
  /** More than once: never. */
  readonly twice: readonly string[];
  /** Neither executed nor usable any more, nor stopped with a gateway that was killed: never. */
  readonly lost: readonly string[];
  /** A killed gateway had decided, and nobody knows. */
  readonly unknown: number;
  /** Grants whose first use that a gateway answered was refused although nobody had used them. */
  readonly refusedFirst: readonly string[];
  readonly kills: number;
  readonly stops: number;
  readonly clockJumps: number;
}

const policy = `
policy: storm
rules:
  - id: every
    match: { tools: "desk:POST /items" }
    outcome: approval_needed
    reason: Everything here needs a person
    approval: { use_within_seconds: 86400 }
`;
const hoursMax = 2;

export async function grantStorm(options: StormOptions): Promise<StormReport> {
  if (options.embedded === true) {
    const alone = new Storm(options);
    return await alone.run().finally(() => alone.close());
  }
  const server = await PostgresServer.primary();
  const standby = options.failover === true ? await synchronousStandby(server) : undefined;
  const storm = new Storm(options, server, standby);
  try {
    return await storm.run();
  } finally {
    await storm.close();
    await server.remove();
    await standby?.remove();
  }
}

/** What the primary acknowledges, this server has. */
export async function synchronousStandby(primary: PostgresServer): Promise<PostgresServer> {
  const standby = await primary.standby();
  primary.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  primary.query("SELECT pg_reload_conf()");
  while (
    primary.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") !== "1"
  )
    await new Promise((wake) => setTimeout(wake, 50));
  return standby;
}

/** One address for both: whoever connects finds the primary of the moment. */
export function addressOf(primary: PostgresServer, standby: PostgresServer | undefined): string {
  if (standby === undefined) return primary.url;
  const [one, both] = [`127.0.0.1:${primary.port}`, `127.0.0.1:${standby.port}`];
  return primary.url.replace(one, `${one},${both}`);
}

interface Site {
  readonly here: World;
  readonly clockFile: string;
  process: Process;
}

type Used = "executed" | "refused" | "unanswered";

class Storm {
  readonly #options: StormOptions;
  readonly #random: Random;
  readonly #server: PostgresServer | undefined;
  readonly #standby: PostgresServer | undefined;
  readonly #sites: Site[] = [];
  #state!: SharedState;
  readonly #ids: string[] = [];
  readonly #firstAnswer = new Map<number, Used>();
  readonly #reasons = new Map<number, string>();
  #kills = 0;
  #stops = 0;
  #clockJumps = 0;
  #over = false;

  constructor(options: StormOptions, server?: PostgresServer, standby?: PostgresServer) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#server = server;
    this.#standby = standby;
  }

  async run(): Promise<StormReport> {
    const { grants, usesEach, chaos, say } = this.#options;
    const names = this.#server === undefined ? ["one"] : ["one", "two", "three"];
    for (const name of names) this.#sites.push(await this.#site(name));
    const store = await this.#store();
    if (!store.ok) throw new Error(store.error);
    this.#state = new SharedState(store.value);
    const numbers = Array.from({ length: grants }, (_, n) => n);
    await this.#each(numbers, (n) => this.#ask(n));
    say?.(`${grants} asked`);
    await Promise.all(this.#ids.map((id) => this.#grant(id)));
    say?.(`${grants} granted`);
    const uses = numbers.flatMap((n) => new Array<number>(usesEach).fill(n));
    const disturbing = chaos ? this.#disturb() : undefined;
    const shuffled = this.#shuffled(uses);
    const half = shuffled.length >> 1;
    await this.#each(shuffled.slice(0, half), (n) => this.#use(n));
    const turning = this.#failover();
    await this.#each(shuffled.slice(half), (n) => this.#use(n));
    await turning;
    this.#over = true;
    await disturbing;
    say?.(`${uses.length} uses; ${this.#kills} kills, ${this.#stops} stops`);
    return await this.#count();
  }

  #address(server: PostgresServer): string {
    return addressOf(server, this.#standby);
  }

  async #store(): Promise<Result<Store, string>> {
    if (this.#server !== undefined)
      return PostgresStore.open(this.#address(this.#server), "people");
    return await SqliteStore.open(this.#sites[0]?.here.path("data/store.db") ?? "");
  }

  async #failover(): Promise<void> {
    if (this.#standby === undefined) return;
    await this.#server?.kill();
    await this.#standby.promote();
    this.#standby.query("ALTER SYSTEM SET synchronous_standby_names = ''");
    this.#standby.query("SELECT pg_reload_conf()");
    this.#options.say?.("the standby has taken over");
  }

  async close(): Promise<void> {
    await this.#state?.close();
    await Promise.all(this.#sites.map(({ here }) => here.close()));
  }

  async #site(name: string): Promise<Site> {
    const here = await world({
      config: `${this.#server === undefined ? "" : `store: { postgres: "${this.#address(this.#server)}" }`}\ninstance: ${name}`,
      limits: "approval_questions_per_minute_max: 1000000, calls_in_flight_per_agent_max: 1024",
    });
    here.policy("storm.yaml", policy);
    const clockFile = here.path("clock");
    const [library] = globSync(`${root}/.cache/tools/usr/lib/*/faketime/libfaketime.so.1`).concat(
      globSync("/usr/lib/*/faketime/libfaketime.so.1"),
    );
    if (library === undefined) throw new Error("libfaketime is missing: run node tools/prepare.ts");
    const control = here.start("control");
    await control.line("bundle_published");
    await control.stop();
    writeFileSync(clockFile, "+0");
    here.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_CACHE_DURATION: "1",
      DONT_FAKE_MONOTONIC: "1",
    };
    return { here, clockFile, process: await here.gateway() };
  }

  /** So many at one time as there are lanes. */
  async #each(numbers: readonly number[], work: (n: number) => Promise<void>): Promise<void> {
    const left = [...numbers].reverse();
    const lane = async (): Promise<void> => {
      for (let n = left.pop(); n !== undefined; n = left.pop()) await work(n);
    };
    await Promise.all(Array.from({ length: this.#options.lanes }, lane));
  }

  #shuffled(numbers: readonly number[]): readonly number[] {
    const all = numbers.map((n) => ({ n, at: this.#random.next() }));
    return all.sort((a, b) => a.at - b.at).map(({ n }) => n);
  }

  #anySite(): Site {
    const site = this.#sites[this.#random.below(this.#sites.length)];
    if (site === undefined) throw new Error("no site");
    return site;
  }

  async #call(site: Site, n: number): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${site.here.gatewayUrl}/http/desk/items`, {
      method: "POST",
      headers: { authorization: `Bearer ${supportBot}`, "content-type": "application/json" },
      body: JSON.stringify({ weight: n }),
      signal: AbortSignal.timeout(30_000),
    });
    const body =
      response.status === 200 ? {} : ((await response.json()) as Record<string, unknown>);
    if (response.status === 200) await response.arrayBuffer();
    return { status: response.status, body };
  }

  async #ask(n: number): Promise<void> {
    for (;;) {
      const { body } = await this.#call(this.#anySite(), n);
      if (typeof body["approval_id"] === "string") this.#ids[n] = body["approval_id"];
      if (this.#ids[n] !== undefined) return;
    }
  }

  async #grant(id: string): Promise<void> {
    const keys = approvalKeys(id);
    const done = await this.#state.transact([keys.open, keys.closed], (values, nowMs) => {
      const before = approvalIn(values, keys);
      const ballot = { verdict: "approve", reason: "yes", channel: "cli", jti: id } as const;
      const who = { id: "bob", groups: [], alsoKnownAs: [] };
      const cast = before && vote(before, who, ballot, nowMs);
      return { writes: cast?.ok ? approvalWrites(cast.value) : new Map(), result: cast?.ok };
    });
    if (!done.ok || done.value !== true) throw new Error(`${id} was not granted`);
  }

  async #use(n: number): Promise<void> {
    const used = await this.#call(this.#anySite(), n).catch(() => undefined);
    const what: Used =
      used === undefined ? "unanswered" : used.status === 200 ? "executed" : "refused";
    // Of two that were under way together, the one that was refused was not refused as the first.
    if (what === "executed") this.#firstAnswer.set(n, what);
    if (what === "refused" && !this.#firstAnswer.has(n)) {
      const { refusal = "approval_needed" } = used?.body ?? {};
      const isFirst = refusal !== "approval_in_use" && refusal !== "approval_needed";
      if (isFirst) this.#reasons.set(n, String(refusal));
      this.#firstAnswer.set(n, isFirst ? "refused" : "executed");
    }
  }

  async #disturb(): Promise<void> {
    while (!this.#over) {
      const site = this.#anySite();
      const kind = this.#random.below(3);
      if (kind === 0) await this.#killed(site);
      else if (kind === 1) await this.#stopped(site);
      else this.#clockSet(site);
      await new Promise((wake) => setTimeout(wake, 500 + this.#random.below(1_500)));
    }
    for (const { clockFile } of this.#sites) writeFileSync(clockFile, "+0");
  }

  async #killed(site: Site): Promise<void> {
    await site.process.stop("SIGKILL");
    this.#kills += 1;
    site.process = await site.here.gateway();
  }

  async #stopped({ process }: Site): Promise<void> {
    process.child.kill("SIGSTOP");
    this.#stops += 1;
    await new Promise((wake) => setTimeout(wake, 500 + this.#random.below(7_000)));
    process.child.kill("SIGCONT");
  }

  #clockSet({ clockFile }: Site): void {
    const seconds = this.#random.below(2 * hoursMax * 3_600) - hoursMax * 3_600;
    writeFileSync(clockFile, `${seconds < 0 ? "" : "+"}${seconds}`);
    this.#clockJumps += 1;
  }

  /** Every gateway is started once more, and what is still good is used. */
  async #count(): Promise<StormReport> {
    for (const site of this.#sites) {
      await site.process.stop();
      site.process = await site.here.gateway();
    }
    const twice: string[] = [];
    const lost: string[] = [];
    let [executed, unknown] = [0, 0];
    await this.#each([...this.#ids.keys()], async (n) => {
      const id = this.#ids[n] ?? "";
      const before = this.#executions(n);
      const approval = await this.#stored(id);
      if (approval?.state === "granted") await this.#call(this.#anySite(), n);
      const after = this.#executions(n);
      const isGranted = approval?.state === "granted";
      if (after > 1) twice.push(`${id}: ${after} times (${approval?.state})`);
      else if (isGranted && (before > 0 || after === 0))
        lost.push(`${id}: granted, ${before} → ${after}`);
      else if (after === 1) executed += 1;
      else if (approval?.state === "unknown") unknown += 1;
      else lost.push(`${id}: ${approval?.state}, never executed`);
    });
    const refusedFirst = [...this.#reasons].map(([n, why]) => `${this.#ids[n]}: ${why}`);
    return {
      ...{ executed, unknown, twice, lost, refusedFirst },
      ...{ kills: this.#kills, stops: this.#stops, clockJumps: this.#clockJumps },
    };
  }

  #executions(n: number): number {
    const body = JSON.stringify({ weight: n });
    return this.#sites.reduce(
      (sum, { here }) => sum + here.desk.seen.filter((seen) => seen.body === body).length,
      0,
    );
  }

  async #stored(id: string): Promise<Approval | undefined> {
    const keys = approvalKeys(id);
    const read = await this.#state.read([keys.open, keys.closed]);
    if (!read.ok) throw new Error(read.error.detail);
    return approvalIn(read.value, keys);
  }
}
