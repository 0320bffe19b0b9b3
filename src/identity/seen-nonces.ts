/** Nonces that were used, so that a signed request acts once. */
import type { Instant } from "./cache.ts";

/**
 * Remembers each nonce for as long as its signature could be valid, on the monotonic clock, so that no change of the wall
 * clock brings one back. When full of living ones it takes no further: refusing is safe, forgetting is not.
 */
export class SeenNonces {
  readonly #entriesMax: number;
  /** Monotonic ms until which each is kept. */
  readonly #until = new Map<string, number>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  /** `first` when it was not seen before, and now is; `expiresMs` is wall-clock time. */
  take(keyId: string, nonce: string, expiresMs: number, now: Instant): "first" | "again" | "full" {
    const name = `${keyId} ${nonce}`;
    const until = this.#until.get(name);
    if (until !== undefined && until > now.monotonicMs) return "again";
    if (this.#until.size >= this.#entriesMax) this.#forget(now.monotonicMs);
    if (this.#until.size >= this.#entriesMax) return "full";
    this.#until.set(name, now.monotonicMs + Math.max(0, expiresMs - now.wallMs));
    return "first";
  }

  get size(): number {
    return this.#until.size;
  }

  #forget(nowMs: number): void {
    for (const [name, until] of this.#until) if (until <= nowMs) this.#until.delete(name);
  }
}
