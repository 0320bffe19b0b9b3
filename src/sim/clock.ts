/** The `Clock` port in virtual time: nothing waits; time moves when every promise that can settle has settled. */
import type { Clock } from "../ports.ts";

interface Sleeper {
  readonly atMs: number;
  /** Ties wake in the order they fell asleep. */
  readonly order: number;
  wake(): void;
}

export class SimClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  #sleepers: Sleeper[] = [];

  /** `wallStartMs` is what the wall clock shows at monotonic 0. */
  constructor(wallStartMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = wallStartMs;
  }

  wallMs(): number {
    return Math.floor(this.#wallOffsetMs + this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        atMs: this.#nowMs + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener("abort", sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", sleeper.wake);
    });
  }

  /** Moves the wall clock either way; the monotonic clock does not notice. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** Lives through `ms` of virtual time. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(); next !== undefined && next.atMs <= endMs; next = this.#next()) {
      this.#nowMs = next.atMs;
      next.wake();
      await settle();
    }
    this.#nowMs = endMs;
  }

  /** Lives until `work` settles. Throws when it never will: nothing sleeps and it still waits. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    work.then(done, done);
    await settle();
    while (!settled) {
      const next = this.#next();
      if (next === undefined) throw new Error("deadlock: the work waits and nothing sleeps");
      this.#nowMs = next.atMs;
      next.wake();
      await settle();
    }
    return work;
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const each of this.#sleepers)
      if (
        !first ||
        each.atMs < first.atMs ||
        (each.atMs === first.atMs && each.order < first.order)
      )
        first = each;
    return first;
  }
}

/** Until no promise is left that can settle without time passing. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
