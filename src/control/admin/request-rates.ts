/** How often each may ask. Counted here and not in the store: it protects this process, and decides nothing. */
import {
  countedIn,
  emptyWindow,
  type RateWindow,
  retryAfterMs,
  windowAt,
  withCall,
} from "../../limits/index.ts";
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
    const window = windowAt(this.#windows.get(who) ?? emptyWindow, this.#clock.monotonicMs());
    if (countedIn(window) >= this.#perMinute) return retryAfterMs(window);
    this.#windows.set(who, withCall(window));
    return undefined;
  }
}
