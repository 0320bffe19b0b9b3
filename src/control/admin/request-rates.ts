/** How often each may ask. Counted here and not in the store: it protects this process, and decides nothing. */
import { emptyWindow, type RateWindow, takeCall } from "../../limits/index.ts";
import type { Clock } from "../../ports.ts";

export class RequestRates {
  readonly #clock: Clock;
  readonly #perMinute: number;
  /** By approver; all who prove to be nobody are one. So it is as small as the configuration. */
  readonly #windows = new Map<string, RateWindow>();

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** Counts one request; milliseconds to wait when it is one too many, which is not counted. */
  take(who: string): number | undefined {
    const rate = { callsMax: this.#perMinute, windowSeconds: 60 };
    const before = this.#windows.get(who) ?? emptyWindow;
    const taken = takeCall(before, rate, this.#clock.monotonicMs());
    if (!("window" in taken)) return taken.roomInMs ?? rate.windowSeconds * 1_000;
    this.#windows.set(who, taken.window);
    return undefined;
  }
}
