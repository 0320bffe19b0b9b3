/** `RegoRuntime` on worker threads, and the look into a bundle before it is trusted with anything. */
import { assert, err, ok, type Result } from "../../kernel/index.ts";
import {
  type RegoBundle,
  type RegoModule,
  type RegoModules,
  regoDigest,
} from "../../policy/index.ts";
import type { RegoQuestion, RegoRuntime } from "../../ports.ts";
import type { Inspected, Job } from "./messages.ts";
import { loadTimeoutMs, RegoThread } from "./thread.ts";

export interface RegoLimits {
  readonly threads: number;
  /** Jobs that one thread has before it, at most; a question beyond them is not asked. */
  readonly waitingMax: number;
}

const limitsDefault: RegoLimits = { threads: 2, waitingMax: 16 };

export class RegoThreads implements RegoRuntime {
  readonly #limits: RegoLimits;
  readonly #threads: readonly RegoThread[];
  /** Newest first; questions of calls that began before a change still find their module. */
  #generations: readonly RegoModules[] = [];

  constructor(limits: Partial<RegoLimits> = {}) {
    this.#limits = { ...limitsDefault, ...limits };
    this.#threads = Array.from({ length: this.#limits.threads }, () => new RegoThread());
  }

  async load(modules: RegoModules): Promise<Result<void, string>> {
    const before = new Set(this.#generations.flatMap((each) => [...each.keys()]));
    this.#generations = [modules, ...this.#generations].slice(0, 2);
    const needed = new Set(this.#generations.flatMap((each) => [...each.keys()]));
    const jobs: Job[] = [
      ...[...modules].map(([digest, module]) => ({ kind: "load", digest, module }) as const),
      ...[...before].filter((each) => !needed.has(each)).map((digest) => forget(digest)),
    ];
    const all = this.#threads.flatMap((thread) =>
      jobs.map((job) => thread.run(job, loadTimeoutMs)),
    );
    const failed = (await Promise.all(all)).find((each) => !each.ok);
    return failed?.ok === false
      ? err(`a Rego module cannot be loaded: ${failed.error}`)
      : ok(undefined);
  }

  async ask({ condition, input }: RegoQuestion): Promise<Result<boolean, string>> {
    const { module: digest, entrypoint, timeoutMs, memoryMiBMax } = condition;
    const job: Job = {
      ...{ kind: "ask", digest, entrypoint, memoryMiBMax },
      input: new TextEncoder().encode(JSON.stringify(input)),
    };
    const said = await this.#run(job, timeoutMs);
    if (!said.ok) return said;
    if (said.value === "true" || said.value === "false") return ok(said.value === "true");
    if (said.value === undefined) return err("it is undefined");
    return err("it is neither true nor false");
  }

  /** What a module offers and needs. The error says why it is none. */
  async inspect(module: RegoModule): Promise<Result<RegoBundle, string>> {
    const said = await this.#run({ kind: "inspect", module }, loadTimeoutMs);
    if (!said.ok) return err(`its policy.wasm cannot be used: ${said.error}`);
    const { entrypoints, builtins } = JSON.parse(said.value ?? "{}") as Inspected;
    if (builtins.length > 0)
      return err(
        `it needs ${builtins.join(", ")}, which OPA does not compile into policy.wasm and a gateway does not bring`,
      );
    return ok({ ...module, digest: regoDigest(module), entrypoints });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  /** On the thread with the least to do. */
  async #run(job: Job, timeoutMs: number): Promise<Result<string | undefined, string>> {
    const [first, ...others] = this.#threads;
    assert(first, "there is a thread");
    const thread = others.reduce((least, each) => (each.jobs < least.jobs ? each : least), first);
    if (thread.jobs > this.#limits.waitingMax) return err("too much Rego is waiting already");
    return await thread.run(job, timeoutMs);
  }
}

function forget(digest: string): Job {
  return { kind: "forget", digest };
}
