/**
 * Long computations in turns: whoever has many small steps takes one turn after the other, in the order of asking, and
 * after every few milliseconds of all of them together there is room for everything else. So however many of them
 * run, nothing else waits longer than for one turn.
 */
import type { Clock } from "../ports.ts";

export class Turns {
  readonly #clock: Clock;
  readonly #turnMsMax: number;
  #last: Promise<void> = Promise.resolve();
  /** Spent since there was room for something else. */
  #spentMs = 0;

  constructor(clock: Clock, turnMsMax: number) {
    this.#clock = clock;
    this.#turnMsMax = turnMsMax;
  }

  /** Waits for its turn, then calls `step` until it says `false` or the time is up. True when steps are left. */
  async turn(step: () => boolean): Promise<boolean> {
    const before = this.#last;
    let end = (): void => undefined;
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      if (this.#spentMs >= this.#turnMsMax) {
        await this.#clock.sleep(0);
        this.#spentMs = 0;
      }
      return this.#steps(step);
    } finally {
      end();
    }
  }

  #steps(step: () => boolean): boolean {
    const startMs = this.#clock.monotonicMs();
    const spentBeforeMs = this.#spentMs;
    while (step()) {
      this.#spentMs = spentBeforeMs + this.#clock.monotonicMs() - startMs;
      if (this.#spentMs >= this.#turnMsMax) return true;
    }
    this.#spentMs = spentBeforeMs + this.#clock.monotonicMs() - startMs;
    return false;
  }
}
