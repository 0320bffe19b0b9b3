/** Tokens that were verified, so that a signature is checked once and not on every call. */
import type { Identity } from "./identity.ts";

/** One reading of both clocks. */
export interface Instant {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

interface Verified {
  readonly identity: Identity;
  readonly verifiedAt: Instant;
}

/**
 * Identities by the digest of their token, the least recently used leaves first. An entry answers only while its token
 * is valid on both clocks: setting the wall clock back brings nothing back to life, and setting it forward expires at once.
 */
export class VerifiedTokens {
  readonly #entriesMax: number;
  readonly #entries = new Map<string, Verified>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(digest: string, now: Instant): Identity | undefined {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return undefined;
    this.#entries.delete(digest);
    const { identity, verifiedAt } = entry;
    const lifeMs = identity.expiresAtMs - verifiedAt.wallMs;
    const setBack = now.wallMs < verifiedAt.wallMs;
    const aged = now.monotonicMs - verifiedAt.monotonicMs >= lifeMs;
    if (setBack || aged || now.wallMs >= identity.expiresAtMs) return undefined;
    this.#entries.set(digest, entry);
    return identity;
  }

  put(digest: string, identity: Identity, now: Instant): void {
    if (now.wallMs >= identity.expiresAtMs) return;
    this.#entries.delete(digest);
    this.#entries.set(digest, { identity, verifiedAt: now });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#entriesMax) break;
      this.#entries.delete(oldest);
    }
  }

  get size(): number {
    return this.#entries.size;
  }
}
