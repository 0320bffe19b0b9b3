/** One worker thread: a job at a time, each with its time. One that takes longer ends the thread, and a new one begins. */
import { Worker } from "node:worker_threads";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { FromWorker, Job, ToWorker } from "./messages.ts";

/** Beside the memory of WebAssembly, which each policy has for itself. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/** Source runs as it is; the package holds what was compiled from it. */
const script = new URL(
  import.meta.url.endsWith(".ts") ? "worker.ts" : "worker.js",
  import.meta.url,
);

interface UnderWay {
  readonly id: number;
  settle(told: Result<string | undefined, string>): void;
}

export class RegoThread {
  #worker: Worker | undefined;
  #underWay: UnderWay | undefined;
  #ids = 0;
  #jobs = 0;
  #last: Promise<void> = Promise.resolve();
  /** Modules to be told to a thread that begins. */
  readonly #remembered = new Map<string, Extract<Job, { kind: "load" }>>();

  /** Under way or waiting. */
  get jobs(): number {
    return this.#jobs;
  }

  /**
   * Never rejects. The value is JSON text, undefined where there is none; the error says why there is no answer. The time
   * is that of the job itself, not of those before it.
   */
  run(job: Job, timeoutMs: number): Promise<Result<string | undefined, string>> {
    this.#jobs += 1;
    const done = this.#last.then(() => this.#run(job, timeoutMs));
    this.#last = done.then(() => {
      this.#jobs -= 1;
    });
    return done;
  }

  async #run(job: Job, timeoutMs: number): Promise<Result<string | undefined, string>> {
    if (job.kind === "load") this.#remembered.set(job.digest, job);
    if (job.kind === "forget") this.#remembered.delete(job.digest);
    const begun = this.#worker === undefined && job.kind === "ask" ? await this.#begin() : ok("");
    return begun.ok ? this.#send(job, timeoutMs) : begun;
  }

  /** A fresh thread knows nothing: what it compiles must not be on the time of the question that met it. */
  async #begin(): Promise<Result<string | undefined, string>> {
    for (const load of this.#remembered.values()) {
      const loaded = await this.#send(load, loadTimeoutMs);
      if (!loaded.ok) return loaded;
    }
    return ok("");
  }

  #send(job: Job, timeoutMs: number): Promise<Result<string | undefined, string>> {
    const id = ++this.#ids;
    const worker = this.#worker ?? this.#start();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        // What came meanwhile is read first: it was this thread that was late, not the other one.
        setImmediate(() => {
          if (this.#underWay?.id !== id) return;
          this.#fail(`it took more than ${timeoutMs} ms`);
        });
      }, timeoutMs);
      this.#underWay = {
        id,
        settle: (told) => {
          clearTimeout(timer);
          this.#underWay = undefined;
          resolve(told);
        },
      };
      const message: ToWorker = { ...job, id };
      worker.postMessage(message);
    });
  }

  #start(): Worker {
    const worker = new Worker(script, { resourceLimits, stdout: false, stderr: false });
    worker.unref();
    worker.on("message", ({ id, ...told }: FromWorker) => {
      if (this.#underWay?.id !== id) return;
      this.#underWay.settle("why" in told ? err(told.why) : ok(told.value));
    });
    const gone = (why: string): void => {
      if (this.#worker === worker) this.#fail(why);
    };
    worker.on("error", (error) => gone(`its thread failed: ${error.message}`));
    worker.on("exit", () => gone("its thread ended"));
    this.#worker = worker;
    return worker;
  }

  /** Ends the thread; the next job begins another. */
  #fail(why: string): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#underWay?.settle(err(why));
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#underWay?.settle(err("the gateway is stopping"));
    await worker?.terminate();
  }
}

export const loadTimeoutMs = 10_000;
