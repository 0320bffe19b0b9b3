/** A small town to drill in: a component that can be broken, a gate that closes when it is, and a process that can die. */
import { type NoteVerifier, noteVerifier } from "../../../../src/audit/index.ts";
import {
  type ClosedDrill,
  type DrillParts,
  type DrillRefusal,
  type DrillStep,
  drill,
  type Recovery,
  rollBackOpenDrill,
} from "../../../../src/control/index.ts";
import { readExperiment } from "../../../../src/failover/index.ts";
import { err, type JsonObject, ok, type Result } from "../../../../src/kernel/index.ts";
import type { Commands, Disk, HttpTransport, Signer } from "../../../../src/ports.ts";
import { Random, SimClock, SimDisk, simEntropy, simSigner } from "../../../../src/sim/index.ts";
import { manifest } from "../../failover/drill/experiments.ts";

/** What is planted: each makes a drill find something. */
export interface Plants {
  /** The gate stays open whatever is broken. */
  readonly gateStaysOpen?: boolean;
  /** The fault does nothing. */
  readonly faultDoesNothing?: boolean;
  /** The rollback says it is done and does nothing. */
  readonly rollbackDoesNothing?: boolean;
  readonly rollbackFails?: boolean;
  /** Something ungoverned happens while the fault lasts. */
  readonly ungoverned?: boolean;
  /** It was ungoverned before anything was done. */
  readonly unsteady?: boolean;
  readonly neverRecovers?: boolean;
  readonly acting?: number;
  readonly unrecorded?: boolean;
}

/** The process dies at its `at`-th effect on the world, before it or right after it. */
export interface Death {
  readonly at: number;
  readonly when: "before" | "after";
}

export class Town {
  readonly clock: SimClock = new SimClock();
  readonly disk: SimDisk = new SimDisk(new Random(1), this.clock);
  readonly signer: Signer = simSigner("drills.example", new Random(2));
  readonly verifier: NoteVerifier = noteVerifier(this.signer.name, this.signer.publicKey);
  readonly steps: DrillStep[] = [];
  readonly told: string[] = [];
  readonly argv: string[] = [];
  readonly environments: Readonly<Record<string, string>>[] = [];
  broken = false;
  readonly #random = new Random(3);
  readonly #plants: Plants;
  #effects = 0;
  #dead = false;

  constructor(plants: Plants = {}) {
    this.#plants = plants;
  }

  get effects(): number {
    return this.#effects;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Runs to its end, or to its death; then a later start may roll back. */
  async run(
    value: JsonObject,
    options: { allowReady?: boolean; signal?: AbortSignal } = {},
    death?: Death,
  ): Promise<Result<ClosedDrill, DrillRefusal> | undefined> {
    const experiment = readExperiment(value, { variables: {}, environment: { TOKEN: "s3cret" } });
    if (!experiment.ok) throw new Error(JSON.stringify(experiment.error));
    const request = {
      ...{ experiment: experiment.value, manifest, manifestDigest: "sha256:m", variables: {} },
      allowReady: options.allowReady ?? false,
      signal: options.signal ?? new AbortController().signal,
    };
    return this.#lived(drill(this.#parts(death), request, this.#recovery), death);
  }

  async rollBack(
    death?: Death,
  ): Promise<Result<ClosedDrill | undefined, DrillRefusal> | undefined> {
    return this.#lived(rollBackOpenDrill(this.#parts(death), this.#recovery), death);
  }

  readonly #recovery: Recovery = { manifest, environment: { TOKEN: "s3cret" } };

  async #lived<T extends ClosedDrill | undefined>(
    running: Promise<Result<T, DrillRefusal>>,
    death: Death | undefined,
  ): Promise<Result<T, DrillRefusal> | undefined> {
    const ended: { result?: Result<T, DrillRefusal> } = {};
    void running.then((result) => {
      ended.result = result;
    });
    for (let i = 0; i < 2_000 && ended.result === undefined && !this.#dead; i++)
      await this.clock.advance(100);
    if (ended.result === undefined && death === undefined) throw new Error("it never ended");
    if (ended.result === undefined) this.disk.killProcesses();
    return ended.result;
  }

  #parts(death: Death | undefined): DrillParts {
    this.#dead = false;
    this.#effects = 0;
    const effect = <T>(act: () => Promise<T> | T): Promise<T> => this.#effect(act, death);
    const mounted = this.disk.mount();
    const disk: Disk = {
      ...mounted,
      replace: (path, bytes) => effect(() => mounted.replace(path, bytes)),
      remove: (path) => effect(() => mounted.remove(path)),
    };
    return {
      disk,
      commands: { run: (argv, env) => effect(() => this.#command(argv, env)) },
      http: this.#http(),
      clock: this.clock,
      entropy: simEntropy(this.#random),
      signer: this.signer,
      record: (step) =>
        effect(() => {
          if (this.#plants.unrecorded) return err("the disk is full");
          this.steps.push(step);
          return ok(this.steps.length - 1);
        }),
      finds: (pattern, text) => new RegExp(pattern).test(text),
      environment: { PATH: "/bin" },
      about: { version: "0.0.0", platform: "test", node: "test" },
      tell: (line) => this.told.push(line),
    };
  }

  async #effect<T>(act: () => Promise<T> | T, death: Death | undefined): Promise<T> {
    const number = this.#effects++;
    const never = (): Promise<T> => {
      this.#dead = true;
      return new Promise(() => undefined);
    };
    if (this.#dead || (death?.at === number && death.when === "before")) return never();
    const done = await act();
    return death?.at === number ? never() : done;
  }

  #command(
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Awaited<ReturnType<Commands["run"]>> {
    this.argv.push(argv.join(" "));
    this.environments.push(env);
    const { exitCode, output = "" } = this.#answer(argv[1] ?? "");
    return { exitCode, output };
  }

  #answer(what: string): { exitCode: number; output?: string } {
    const plants = this.#plants;
    const { broken } = this;
    if (what === "break" && !plants.faultDoesNothing) this.broken = true;
    if (what === "mend" && !plants.rollbackFails && !plants.rollbackDoesNothing)
      this.broken = false;
    const holds: Readonly<Record<string, boolean>> = {
      mend: !plants.rollbackFails,
      "fault is there": broken,
      "gate is closed": broken && !plants.gateStaysOpen,
      "gate is open again": !broken && !plants.neverRecovers,
      "nothing ungoverned": !plants.unsteady && !(broken && plants.ungoverned),
    };
    const output = what === "state" ? `broken=${broken} s3cret` : "";
    return { exitCode: (holds[what] ?? true) ? 0 : 1, output };
  }

  #http(): HttpTransport {
    const status = this.#plants.acting ?? 503;
    return {
      send: async () =>
        status === 0
          ? err({ kind: "not_sent", reason: "refused", detail: "nobody there" })
          : ok({ status, headers: {}, body: (async function* () {})() }),
    };
  }
}
