/**
 * A world made from one seed: the gateway's own spine, ledger, policy engine and policy source, unchanged, on simulated
 * time, disk and network, with agents that call and a nemesis that breaks things. The same seed is the same world.
 */

import { noteVerifier, verifyLog } from "../audit/index.ts";
import { canonicalJson, sha256Hex } from "../kernel/index.ts";
import type { Signer } from "../ports.ts";
import { SimAgent } from "./agent.ts";
import {
  type Acknowledged,
  DurableDecisions,
  LogAudit,
  RunWitness,
  type Violation,
  Violations,
} from "./checks.ts";
import { SimClock } from "./clock.ts";
import { type DiskFault, type DiskOperation, SimDisk } from "./disk.ts";
import { FaultCounts, strikes } from "./faults.ts";
import { type Plant, SimGateway } from "./gateway.ts";
import { JournalingUpstream, noNetworkFaults, type SimAnswer, SimNetwork } from "./network.ts";
import { SimProcess } from "./process.ts";
import { Random } from "./random.ts";
import { simSigner } from "./signer.ts";
import { type Temper, temperOf } from "./temper.ts";
import { simBundle, upstreamOrigin } from "./workload.ts";

export interface WorldOptions {
  readonly seed: number;
  /** A fault planted in the code under test, to see that the checks find it. */
  readonly plant?: Plant;
  /** Told each event of the world, for a person who follows a failing seed. */
  readonly trace?: (line: string) => void;
}

export interface WorldReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Of the log at the end, hexadecimal. */
  readonly rootHash: string;
  readonly entries: number;
  /** SHA-256 over everything the upstream received and every agent was told, in order. */
  readonly digest: string;
  readonly faults: FaultCounts;
  /** What happened that is no fault: calls, answers, forwards, runs. */
  readonly events: FaultCounts;
  readonly virtualMs: number;
}

/** The whole run may take this much virtual time after the faults end; then something hangs. */
const quietMs = 5_000;

/** Lives a whole world: a time of faults, then a quiet time in which everything must work again. */
export async function simulate(options: WorldOptions): Promise<WorldReport> {
  const world = new World(options);
  try {
    await world.clock.run(world.live());
  } catch (thrown) {
    world.violations.add(
      "never_throws",
      thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    );
  }
  return world.report();
}

export class World {
  readonly clock: SimClock;
  readonly temper: Temper;
  readonly network: SimNetwork;
  readonly policyDisk: SimDisk;
  readonly signer: Signer;
  readonly violations: Violations = new Violations();
  readonly events: FaultCounts = new FaultCounts();
  readonly faults: FaultCounts = new FaultCounts();
  readonly random: Random;
  readonly acknowledged: Acknowledged[] = [];
  readonly checkpoints: Set<string> = new Set();
  /** The gateway that answers now; undefined while none does. */
  gateway: SimGateway | undefined;
  readonly #options: WorldOptions;
  readonly #disk: SimDisk;
  readonly #diskRandom: Random;
  readonly #crashRandom: Random;
  readonly #durable = new DurableDecisions();
  readonly #upstream: JournalingUpstream;
  #told = "";
  #faulty = true;
  #diskFull = false;
  #revision = 0;
  #rootHash = "";
  #entries = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.random = new Random(options.seed);
    this.temper = temperOf(this.random.fork());
    this.clock = new SimClock();
    this.#diskRandom = this.random.fork();
    this.#crashRandom = this.random.fork();
    this.#disk = new SimDisk(this.random.fork(), this.clock, (operation) =>
      this.#diskFault(operation),
    );
    this.policyDisk = new SimDisk(this.random.fork(), this.clock, (operation) =>
      operation === "read" ? this.#diskFault(operation) : undefined,
    );
    this.signer = simSigner("log.sim", this.random.fork());
    this.#upstream = new JournalingUpstream(upstreamActs(this.random.fork()));
    this.network = new SimNetwork({
      clock: this.clock,
      random: this.random.fork(),
      counts: this.faults,
      faults: this.temper.network,
      upstreams: new Map([[upstreamOrigin, this.#upstream.receive]]),
    });
  }

  async live(): Promise<void> {
    await this.#storePolicy();
    const stop = new AbortController();
    const supervised = this.#supervise(stop.signal);
    const nemesis = this.#nemesis(stop.signal);
    const agents = Array.from(
      { length: this.temper.agents },
      (_, i) => new SimAgent(this, `agent-${i}`),
    );
    await Promise.all(agents.map((agent) => agent.live()));
    stop.abort();
    await Promise.all([nemesis, supervised]);
    await this.#quiet(agents);
  }

  /** Told to whoever follows, and part of what must be equal for an equal seed. */
  tell(line: string): void {
    this.#told = sha256Hex(this.#told + line);
    this.#options.trace?.(`${this.clock.monotonicMs().toFixed(2).padStart(10)} ${line}`);
  }

  report(): WorldReport {
    for (const [kind, count] of Object.entries(this.#disk.injected))
      this.faults.add(`disk.${kind}`, count);
    this.events.add("received by the upstream", this.#upstream.journal.length);
    return {
      seed: this.#options.seed,
      violations: this.violations.found,
      rootHash: this.#rootHash,
      entries: this.#entries,
      digest: this.#told,
      faults: this.faults,
      events: this.events,
      virtualMs: this.clock.monotonicMs(),
    };
  }

  /** Starts the gateway again and again, as a process supervisor does. */
  async #supervise(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const process = this.#process();
      const gateway = await this.#start(process);
      if (gateway !== undefined) await this.#watch(gateway, process, stop);
      await this.clock.sleep(this.random.below(20));
    }
  }

  /** Until it dies, or is unwell and someone restarts it, or the time of faults ends. */
  async #watch(gateway: SimGateway, process: SimProcess, stop: AbortSignal): Promise<void> {
    this.gateway = gateway;
    while (process.alive && !stop.aborted) {
      if (!gateway.healthy() && this.random.chance(0.3)) break;
      await this.clock.sleep(5 + this.random.below(20), stop);
    }
    if (!process.alive || stop.aborted) return;
    this.tell("restart: the ledger stopped");
    await this.#stop(gateway, process);
  }

  /** Politely with a bounded patience, then not. */
  async #stop(gateway: SimGateway, process: SimProcess): Promise<void> {
    this.gateway = undefined;
    if (this.random.chance(0.5)) {
      await Promise.race([gateway.close(), this.clock.sleep(500)]);
      this.events.add("stopped politely");
    }
    process.kill("stopped");
  }

  #process(): SimProcess {
    const process: SimProcess = new SimProcess({
      witness: new RunWitness(this.#durable, this.violations),
      diesAt: (operation, point) => {
        if (!this.#faulty) return false;
        return strikes(
          this.#crashRandom,
          this.faults,
          `crash.${operation}.${point}`,
          this.temper.crash,
        );
      },
      onDeath: (why) => {
        const powerLost = this.#crashRandom.chance(0.5);
        this.tell(`${powerLost ? "power loss" : "death"}: ${why}`);
        this.gateway = undefined;
        if (powerLost) this.#disk.crash();
        else this.#disk.killProcesses();
      },
    });
    return process;
  }

  async #start(process: SimProcess): Promise<SimGateway | undefined> {
    this.events.add("runs");
    const opening = SimGateway.open(this, process, this.#disk.mount(), this.#options.plant);
    const opened = await Promise.race([opening, process.died]);
    if (opened === undefined) return undefined;
    if (opened.ok) {
      await this.#audit();
      return process.alive ? opened.value : undefined;
    }
    this.tell(`start failed: ${opened.error.kind}: ${opened.error.detail}`);
    if (opened.error.kind === "damaged") await this.#judgeDamage(opened.error.detail);
    process.kill("could not start");
    return undefined;
  }

  /** Saying "damaged" of a whole log is wrong too. */
  async #judgeDamage(detail: string): Promise<void> {
    await this.#audit();
    this.violations.add("log_verifies", detail);
  }

  /** An auditor with the files, the key, and what agents kept. */
  async #audit(): Promise<void> {
    const audit = new LogAudit(this.violations);
    const report = await verifyLog({
      files: this.#disk.inspect(),
      verifier: noteVerifier(this.signer.name, this.signer.publicKey),
      checkpoints: [...this.checkpoints],
      onEntry: (index, leaf, entry) => audit.next(index, leaf, entry),
    });
    for (const { severity, message } of report.findings)
      if (severity !== "note") this.violations.add("log_verifies", message);
    audit.holds(this.acknowledged);
    audit.covers(this.#upstream.journal);
    this.events.add("audits");
    this.#rootHash = Buffer.from(report.rootHash).toString("hex");
    this.#entries = report.size;
    this.tell(`audit: ${report.size} entries, root ${this.#rootHash}`);
  }

  async #nemesis(stop: AbortSignal): Promise<void> {
    const random = this.random.fork();
    while (!stop.aborted) {
      await this.clock.sleep(random.below(this.temper.nemesisMsMax), stop);
      if (!stop.aborted) await this.#strike(random);
    }
    this.#diskFull = false;
  }

  async #strike(random: Random): Promise<void> {
    if (this.#diskFull) {
      this.#diskFull = false;
      return this.tell("disk freed");
    }
    const what = random.pick([
      "policy",
      "wall clock jump",
      this.temper.diskFills ? "disk full" : "policy",
    ]);
    if (what === "policy") return this.#storePolicy(random.chance(0.2));
    if (what === "wall clock jump") this.clock.jumpWall(random.below(7_200_000) - 3_600_000);
    this.#diskFull = what === "disk full";
    this.faults.add(what);
    this.tell(what);
  }

  async #storePolicy(damaged = false): Promise<void> {
    this.#revision += 1;
    this.tell(`policy ${this.#revision}${damaged ? " damaged" : ""}`);
    this.faults.add(damaged ? "policy damaged" : "policy changed");
    await this.policyDisk.mount().replace("bundle", simBundle(this.#revision, damaged));
  }

  #diskFault(operation: DiskOperation): DiskFault | undefined {
    if (!this.#faulty) return undefined;
    if (
      this.#diskFull &&
      (operation === "append" || operation === "replace" || operation === "open")
    )
      return "full";
    const rate = operation === "sync" ? this.temper.syncFails : this.temper.diskFails;
    if (!this.#diskRandom.chance(rate)) return undefined;
    return this.#diskRandom.chance(0.5) ? "lost" : "saved";
  }

  /** The faults end. A gateway that starts now must serve, and what it leaves must be whole. */
  async #quiet(agents: readonly SimAgent[]): Promise<void> {
    this.#faulty = false;
    this.network.setFaults(noNetworkFaults);
    this.gateway = undefined;
    this.tell("quiet");
    this.#disk.crash();
    await this.#storePolicy();
    const process = this.#process();
    const gateway = await this.#start(process);
    if (gateway === undefined)
      return this.violations.add("available_after_faults", "the gateway did not start");
    this.gateway = gateway;
    await this.clock.sleep(quietMs);
    for (const agent of agents) agent.checkAnswered();
    await agents[0]?.callOnce();
    await gateway.close();
    await this.#audit();
  }
}

function upstreamActs(random: Random): () => SimAnswer {
  return () => {
    const status = random.chance(0.1) ? 500 : 200;
    const body = Buffer.from(
      canonicalJson({ done: status === 200, nonce: random.below(1_000_000) }),
    );
    return { status, body };
  };
}
