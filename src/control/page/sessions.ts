/** Who is signed in. Kept in memory: a restart signs everybody out, and what was revoked cannot come back. */
import { sha256Hex } from "../../kernel/index.ts";
import type { Clock, Entropy, SignedIn } from "../../ports.ts";

export interface Session {
  readonly person: SignedIn;
  /** Every form carries it: a page elsewhere can send a form here, but cannot know this. */
  readonly formToken: string;
  /** On the monotonic clock. */
  readonly endsMs: number;
}

const sessionsMax = 10_000;

export class Sessions {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #lastMs: number;
  /** By digest of the cookie, the oldest first. */
  readonly #all = new Map<string, Session>();

  constructor(clock: Clock, entropy: Entropy, lastMs: number) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#lastMs = lastMs;
  }

  /** A new session under a new name, so that a name somebody planted before is worth nothing. Returns the cookie. */
  begin(person: SignedIn): string {
    const cookie = this.#random();
    const endsMs = this.#clock.monotonicMs() + this.#lastMs;
    this.#all.set(sha256Hex(cookie), { person, formToken: this.#random(), endsMs });
    for (const [name, { endsMs: over }] of this.#all)
      if (this.#all.size > sessionsMax || over <= this.#clock.monotonicMs()) this.#all.delete(name);
      else break;
    return cookie;
  }

  find(cookie: string | undefined): Session | undefined {
    if (cookie === undefined) return undefined;
    const session = this.#all.get(sha256Hex(cookie));
    return session !== undefined && this.#clock.monotonicMs() < session.endsMs
      ? session
      : undefined;
  }

  end(cookie: string | undefined): void {
    if (cookie !== undefined) this.#all.delete(sha256Hex(cookie));
  }

  #random(): string {
    return Buffer.from(this.#entropy.bytes(32)).toString("base64url");
  }
}
