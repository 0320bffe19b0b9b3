/**
 * Guards of two sites in a simulated world: real guards, gates, leases and logs; disks, arbiter, probes and clocks of a
 * seed. A guard that crashes never does anything again; another one begins on what its disk still holds.
 */
import { noteVerifier, readEntries } from "../../../src/audit/index.ts";
import {
  BreakGlassDesk,
  Guard,
  GuardLog,
  type GuardParts,
  KeptComparison,
  keep,
  LeaseHolder,
  ParityWatch,
  stepsIn,
} from "../../../src/control/index.ts";
import {
  type Component,
  componentsAt,
  type FailoverRecord,
  gateRules,
  leaseKey,
  type Manifest,
  manifestDigest,
  parityType,
  type RecordedStep,
  recordsOf,
  signEnvelope,
  type Watermark,
  watermarkKey,
} from "../../../src/failover/index.ts";
import { err, type JsonValue, ok, type Result } from "../../../src/kernel/index.ts";
import { openLedger } from "../../../src/ledger/index.ts";
import type { Clock, Commands, Disk, Signer, Store } from "../../../src/ports.ts";
import {
  type DiskFault,
  Random,
  type RecordingTelemetry,
  recordingLog,
  recordingTelemetry,
  SimClock,
  SimDatabase,
  SimDisk,
  SimProbe,
  type SimProbeAnswer,
  simEntropy,
  simSigner,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

export interface TownOptions {
  readonly seed?: number;
  readonly manifest?: Partial<Manifest>;
  readonly components?: readonly Component[];
  /** How fast the clock of each site runs, and how far its wall clock is off. */
  readonly clocks?: Readonly<Record<string, { readonly rate: number; readonly wallOffMs: number }>>;
  readonly automatic?: boolean;
  /** Sites compare themselves with one another (what each has: `files`); else `parity` says what comes of it. */
  readonly compares?: boolean;
  /** Told before each operation of a site's disk, numbered from 0; what it answers goes wrong. */
  readonly beforeDisk?: (site: string, number: number) => DiskFault | undefined;
}

export const component = (name: string, more: Partial<Component> = {}): Component => ({
  ...{ name, class: "enforcement", latency_ms_max: 500, on_failure: "block" },
  verify: { kind: "tcp", address: "127.0.0.1:1" },
  ...{ depends_on: [], sites: [], controls: [], covers: [] },
  ...more,
});

const site = (
  id: string,
  role: "primary" | "target",
  jurisdiction: string,
): Manifest["sites"][0] => ({
  ...{ id, role, jurisdiction, blocs: ["EU"], failover_order: role === "primary" ? 0 : 1 },
  ...{ guard_key: "", guard_url: `http://${id}`, variables: {} },
});

export class SiteLife {
  readonly guard: Guard;
  readonly guardLog: GuardLog;
  readonly telemetry: RecordingTelemetry;
  readonly parityWatch: ParityWatch;
  readonly desk: BreakGlassDesk;
  readonly ended: AbortController = new AbortController();
  readonly following: Promise<unknown>;

  constructor(
    guard: Guard,
    desk: BreakGlassDesk,
    { guardLog, telemetry, parityWatch }: Pick<SiteLife, "guardLog" | "telemetry" | "parityWatch">,
    follow: (signal: AbortSignal) => Promise<unknown>,
  ) {
    this.guard = guard;
    this.desk = desk;
    this.guardLog = guardLog;
    this.telemetry = telemetry;
    this.parityWatch = parityWatch;
    this.following = follow(this.ended.signal).catch(() => undefined);
  }
}

export class GuardTown {
  readonly clock: SimClock = new SimClock();
  readonly random: Random;
  readonly arbiter: SimDatabase;
  readonly manifest: Manifest;
  readonly probes: Record<string, SimProbe> = {};
  readonly lives: Map<string, SiteLife> = new Map();
  readonly repaired: string[] = [];
  /** How a component answers at a site; a PASS when nothing is said. */
  script: (site: string, component: string) => SimProbeAnswer = () => "pass";
  /** What a repair does; its exit code. */
  repair: (command: string) => number | null = () => 0;
  observed: Watermark = new Map();
  parity: "pass" | "fail" | "inconclusive" = "pass";
  /** What each site has of what must be the same. */
  readonly files: Record<string, Record<string, string>> = {};
  readonly people: readonly Signer[];
  readonly #options: TownOptions;
  readonly #disks = new Map<string, SimDisk>();
  readonly #signers = new Map<string, Signer>();

  constructor(options: TownOptions = {}) {
    this.#options = options;
    this.random = new Random(options.seed ?? 1);
    this.arbiter = new SimDatabase(this.random.fork(), this.clock);
    this.people = ["ann", "ben", "cem"].map((name) => simSigner(name, this.random.fork()));
    this.manifest = {
      ...{ format: "holdfast.manifest/v1", deployment: "town", tenant: "t", version: 1 },
      ...{ mode: "active_passive", profiles: [], residency: [], not_applicable: [], sinks: [] },
      objectives: {
        ...{ grto_seconds: 60, rto_seconds: 30, verdict_ttl_seconds: 10, validation_seconds: 4 },
        ...{ remediation_seconds: 5, drill_days: 90, parity_seconds: 5 },
      },
      sites: [site("fra", "primary", "DE"), site("dub", "target", "IE")],
      components: options.components ?? [component("gateway"), component("audit")],
      break_glass: { quorum: 2, keys: [], seconds_max: 600, overrides_residency: false },
      generated_from: [],
      ...options.manifest,
    };
    for (const { id } of this.manifest.sites) {
      const told = (_: unknown, _path: string, number: number): DiskFault | undefined =>
        options.beforeDisk?.(id, number);
      this.#disks.set(id, new SimDisk(this.random.fork(), this.clock, told));
      this.#signers.set(id, simSigner(`${id}.guard`, this.random.fork()));
    }
  }

  life(id: string): SiteLife {
    const life = this.lives.get(id);
    if (life === undefined) throw new Error(`no guard runs at ${id}`);
    return life;
  }

  guard(id: string): Guard {
    return this.life(id).guard;
  }

  clockOf(id: string): Clock {
    const { rate, wallOffMs } = this.#options.clocks?.[id] ?? { rate: 1, wallOffMs: 0 };
    return {
      wallMs: () => this.clock.wallMs() + wallOffMs,
      monotonicMs: () => this.clock.monotonicMs() * rate,
      sleep: (ms, signal) => this.clock.sleep(ms / rate, signal),
    };
  }

  async start(id: string): Promise<SiteLife> {
    const disk = this.#diskOf(id);
    const signer = this.#signerOf(id);
    const clock = this.clockOf(id);
    const ended = { value: false };
    const ledger = await this.clock.run(
      openLedger({
        ...{ disk: disk.mount(), signer, clock, tenant: "t", holdfastVersion: "0" },
        origin: { instance: "guard", site: id, epoch: 0 },
      }),
    );
    if (!ledger.ok) throw new Error(ledger.error.detail);
    const { deployment, tenant, mode } = this.manifest;
    const guardLog = await this.clock.run(
      GuardLog.open(
        { ledger: ledger.value, clock, tenant, deployment, site: id },
        disk.mount(),
        noteVerifier(signer.name, signer.publicKey),
      ),
    );
    if (!guardLog.ok) throw new Error(guardLog.error);
    const { known } = guardLog.value.history;
    const arbiter = new SharedState(mortal(this.arbiter.open(), ended));
    const rules = gateRules(this.manifest, id);
    const lease = new LeaseHolder({
      ...{ arbiter, clock, site: id, lifetimeMs: rules.ttlMs, heldEpoch: known.epoch },
      leaseKey: leaseKey(deployment, tenant, mode === "active_active" ? id : undefined),
      watermarkKey: watermarkKey(deployment, tenant),
    });
    const telemetry = recordingTelemetry();
    const probe = new SimProbe(clock, (question) => this.script(id, question.component));
    this.probes[id] = probe;
    const parts: GuardParts = {
      ...{
        manifest: this.manifest,
        digest: manifestDigest(this.manifest),
        deployment,
        rules,
        lease,
      },
      site: this.manifest.sites.find((each) => each.id === id) ?? site(id, "target", "IE"),
      ...{ clock, entropy: simEntropy(this.random.fork()), guardLog: guardLog.value, known, probe },
      ...{ log: recordingLog(), telemetry, commands: this.#commands() },
      components: componentsAt(this.manifest, id),
      witnessed: () => lease.witnessed(),
      observed: async () => ok(this.observed),
      acts: () => lease.seen?.site === id && lease.seen.verdict !== null,
      parity: async () =>
        this.#options.compares === true
          ? parityWatch.verdict()
          : { verdict: this.parity, because: `parity says ${this.parity}` },
    };
    const parityWatch = this.#parityWatch(parts, disk.mount(), signer);
    await this.clock.run(parityWatch.recall());
    const guard = new Guard(parts);
    const verifiers = this.people.map(({ name, publicKey }) => noteVerifier(name, publicKey));
    const desk = new BreakGlassDesk(guard, parts, verifiers);
    const life = new SiteLife(
      guard,
      desk,
      { guardLog: guardLog.value, telemetry, parityWatch },
      (signal) => {
        signal.addEventListener("abort", () => {
          ended.value = true;
        });
        const rules = { automatic: this.#options.automatic ?? false };
        const compares = this.#options.compares === true;
        return Promise.all([
          guard.follow(signal),
          keep(guard, parts, rules, signal),
          ...(compares ? [parityWatch.follow(signal)] : []),
        ]);
      },
    );
    this.lives.set(id, life);
    return life;
  }

  /** `kill -9`, or the power goes. */
  crash(id: string): void {
    this.life(id).ended.abort();
    this.lives.delete(id);
    this.#diskOf(id).crash();
  }

  /** Lives until this holds. */
  async until(holds: () => boolean, msMax = 60_000): Promise<void> {
    for (let ms = 0; !holds(); ms += 20) {
      if (ms > msMax)
        throw new Error(
          `not within ${msMax} ms: ${JSON.stringify([...this.lives].map(([id, { guard }]) => [id, guard.state]))}`,
        );
      await this.clock.advance(20);
    }
  }

  async reaches(id: string, phase: string, msMax?: number): Promise<void> {
    await this.until(() => this.guard(id).state.phase === phase, msMax);
  }

  async steps(id: string): Promise<readonly RecordedStep[]> {
    const { name, publicKey } = this.#signerOf(id);
    const verifier = noteVerifier(name, publicKey);
    const entries = await this.clock.run(readEntries(this.#diskOf(id).mount(), verifier, 0));
    if (!entries.ok) throw new Error(entries.error);
    return stepsIn(entries.value);
  }

  async records(id: string): Promise<readonly FailoverRecord[]> {
    return recordsOf(await this.steps(id));
  }

  async end(): Promise<void> {
    for (const { ended } of this.lives.values()) ended.abort();
    await this.clock.advance(1_000);
  }

  #parityWatch(parts: GuardParts, disk: Disk, signer: Signer): ParityWatch {
    const { deployment, tenant } = this.manifest;
    return new ParityWatch({
      ...parts,
      kept: new KeptComparison({ disk, signer, of: { deployment, tenant, site: parts.site.id } }),
      files: async () => ok(this.files[parts.site.id] ?? {}),
      ask: (url, nonce) => this.#askParity(url.replace("http://", ""), nonce),
      guardKey: (id) => noteVerifier(this.#signerOf(id).name, this.#signerOf(id).publicKey),
      synchronise: async () => [],
    });
  }

  async #askParity(id: string, nonce: string): Promise<Result<JsonValue, string>> {
    await this.clock.sleep(5);
    const state = await this.lives.get(id)?.parityWatch.state(nonce);
    if (state === undefined) return err(`nobody answers at ${id}`);
    if (!state.ok) return state;
    const envelope = signEnvelope(parityType, { ...state.value }, this.#signerOf(id));
    return ok({ ...envelope, signatures: envelope.signatures.map((each) => ({ ...each })) });
  }

  #commands(): Commands {
    return {
      run: async (argv) => {
        this.repaired.push(argv.join(" "));
        await this.clock.sleep(200);
        return { exitCode: this.repair(argv.join(" ")), output: "" };
      },
    };
  }

  #diskOf(id: string): SimDisk {
    const disk = this.#disks.get(id);
    if (disk === undefined) throw new Error(`no site ${id}`);
    return disk;
  }

  #signerOf(id: string): Signer {
    const signer = this.#signers.get(id);
    if (signer === undefined) throw new Error(`no site ${id}`);
    return signer;
  }
}

/** What a dead process had asked is never answered, and nothing more is asked. */
function mortal(store: Store, ended: { readonly value: boolean }): Store {
  const alive = async <T>(work: () => Promise<T>): Promise<T> => {
    if (ended.value) return await never();
    const done = await work();
    return ended.value ? await never() : done;
  };
  return {
    attempt: (keys, compute, under) => alive(() => store.attempt(keys, compute, under)),
    read: (keys) => alive(() => store.read(keys)),
    list: (prefix, countMax, after) => alive(() => store.list(prefix, countMax, after)),
    close: () => store.close(),
  };
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
