/** One site's hand on the lease of its deployment, at an arbiter outside the site. */
import {
  type Lease,
  type LeaseSeen,
  look,
  type Predecessor,
  raised,
  readLease,
  readWatermark,
  taken,
  type Watermark,
  waitMs,
  watermarkJson,
} from "../../failover/index.ts";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Clock } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";

export interface LeaseParts {
  readonly arbiter: SharedState;
  readonly clock: Clock;
  readonly leaseKey: string;
  readonly watermarkKey: string;
  readonly site: string;
  readonly lifetimeMs: number;
  /** The newest epoch that this guard has held, as its log says. */
  readonly heldEpoch: number;
}

/** `waitMs`: somebody else holds it; look again then at the latest. */
export type Acquired =
  | { readonly kind: "held"; readonly epoch: number; readonly sinceMs: number }
  | { readonly kind: "taken"; readonly by: string; readonly epoch: number; readonly waitMs: number }
  | { readonly kind: "unknown"; readonly because: string };

/** `lost`: another epoch stands there. Else it is not known, and may be asked again. */
export interface RenewError {
  readonly lost: boolean;
  readonly because: string;
}

export interface OtherLease extends Predecessor {
  /** Its last sign of life on the monotonic clock, at the latest; absent where this process has not seen it. */
  readonly lastMs?: number;
}

export class LeaseHolder {
  readonly #parts: LeaseParts;
  #seen: LeaseSeen | undefined;
  #heldEpoch: number;
  #other: OtherLease | undefined;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.#heldEpoch = parts.heldEpoch;
  }

  /** The lease as it was seen last, by whomever it is held. */
  get seen(): Lease | undefined {
    return this.#seen?.lease;
  }

  /** The lease of the site that acts, or acted before this one, as it was seen last. */
  get other(): OtherLease | undefined {
    return this.#other;
  }

  /** Nobody holds it any more, as far as was seen. */
  isFree(): boolean {
    const { clock, site } = this.#parts;
    const me = { site, heldEpoch: this.#heldEpoch };
    return this.#seen !== undefined && waitMs(this.#seen, me, clock.monotonicMs()) === 0;
  }

  /** Looks, and takes the lease when it is free. Nothing happened unless it is `held`. */
  async tryAcquire(): Promise<Acquired> {
    const { arbiter, clock, leaseKey, site, lifetimeMs } = this.#parts;
    const looked = await this.look();
    if (!looked.ok) return { kind: "unknown", because: looked.error };
    const me = { site, heldEpoch: this.#heldEpoch };
    const wait = waitMs(this.#seen, me, clock.monotonicMs());
    const found = looked.value;
    if (wait > 0 && found !== undefined)
      return { kind: "taken", by: found.site, epoch: found.epoch, waitMs: wait };
    const lease = taken(found, { ...me, lifetimeMs });
    const sinceMs = clock.monotonicMs();
    const changed = await arbiter.transact([leaseKey], (values) => {
      const now = readLease(values.get(leaseKey));
      const unchanged = now.ok && sameLease(now.value, found);
      return {
        writes: unchanged ? new Map([[leaseKey, json(lease)]]) : new Map(),
        result: unchanged,
      };
    });
    if (!changed.ok) {
      // It may be ours; then the next look finds it, and takes it anew under the epoch after it.
      if (changed.error.kind === "unknown") this.#heldEpoch = lease.epoch;
      return { kind: "unknown", because: changed.error.detail };
    }
    if (!changed.value) return { kind: "unknown", because: "another guard was faster" };
    this.#heldEpoch = lease.epoch;
    this.#saw(lease, sinceMs);
    return { kind: "held", epoch: lease.epoch, sinceMs };
  }

  /** Reads the lease. Whoever stands by does this all the time, so that the time of a dead holder is already running. */
  async look(): Promise<Result<Lease | undefined, string>> {
    const { arbiter, clock, leaseKey } = this.#parts;
    const read = await arbiter.read([leaseKey]);
    if (!read.ok) return err(`the arbiter: ${read.error.detail}`);
    const lease = readLease(read.value.get(leaseKey));
    if (!lease.ok) return lease;
    this.#saw(lease.value, clock.monotonicMs());
    return lease;
  }

  /**
   * One more lifetime, from before the arbiter was asked. `verdict`: what it is renewed with. The witnessed watermark
   * goes along: what is acknowledged here is known there.
   */
  async renew(
    epoch: number,
    verdict: string | null,
    witnessed: Watermark,
  ): Promise<Result<{ readonly sinceMs: number }, RenewError>> {
    const { arbiter, clock, leaseKey, watermarkKey } = this.#parts;
    const sinceMs = clock.monotonicMs();
    const changed = await arbiter.transact([leaseKey, watermarkKey], (values) => {
      const now = readLease(values.get(leaseKey));
      const mark = readWatermark(values.get(watermarkKey));
      if (!now.ok || !mark.ok || !this.#isOurs(now.value, epoch))
        return { writes: new Map(), result: undefined };
      const lease = {
        ...now.value,
        beat: now.value.beat + 1,
        verdict: verdict ?? now.value.verdict,
      };
      const writes = new Map([[leaseKey, json(lease)]]);
      if (witnessed.size > 0)
        writes.set(watermarkKey, watermarkJson(raised(mark.value, witnessed)));
      return { writes, result: lease };
    });
    if (!changed.ok) return err({ lost: false, because: `the arbiter: ${changed.error.detail}` });
    if (changed.value === undefined)
      return err({
        lost: true,
        because: `epoch ${epoch} is not the one that stands at the arbiter`,
      });
    this.#seen = look(this.#seen, changed.value, sinceMs);
    return ok({ sinceMs });
  }

  /** Gives the lease back; only once no permit under it is good any more. Whatever comes of it, it runs out by itself. */
  async release(epoch: number): Promise<void> {
    const { arbiter, leaseKey } = this.#parts;
    await arbiter.transact([leaseKey], (values) => {
      const now = readLease(values.get(leaseKey));
      const ours = now.ok && this.#isOurs(now.value, epoch);
      return {
        writes: ours ? new Map([[leaseKey, json({ ...now.value, released: true })]]) : new Map(),
        result: undefined,
      };
    });
  }

  /** What the arbiter has witnessed of whoever acted before. */
  async witnessed(): Promise<Result<Watermark, string>> {
    const { arbiter, watermarkKey } = this.#parts;
    const read = await arbiter.read([watermarkKey]);
    if (!read.ok) return err(`the arbiter: ${read.error.detail}`);
    return readWatermark(read.value.get(watermarkKey));
  }

  #saw(lease: Lease | undefined, nowMs: number): void {
    this.#seen = lease && look(this.#seen, lease, nowMs);
    if (this.#seen === undefined || lease === undefined) return;
    const { site, epoch, beat, from } = lease;
    if (site !== this.#parts.site) this.#other = { site, epoch, beat, lastMs: this.#seen.sinceMs };
    else if (from !== null && !isSameBeat(from, this.#other)) this.#other = from;
  }

  #isOurs(lease: Lease | undefined, epoch: number): lease is Lease {
    return lease?.epoch === epoch && lease.site === this.#parts.site && !lease.released;
  }
}

function sameLease(a: Lease | undefined, b: Lease | undefined): boolean {
  return a?.epoch === b?.epoch && a?.beat === b?.beat && a?.released === b?.released;
}

function isSameBeat(a: Predecessor, b: Predecessor | undefined): boolean {
  return a.site === b?.site && a.epoch === b.epoch && a.beat === b.beat;
}

function json(lease: Lease): JsonObject {
  return { ...lease, from: lease.from && { ...lease.from } };
}
