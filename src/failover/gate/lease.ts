/**
 * The lease of a deployment, kept by an arbiter outside its sites: whoever holds it may act, under its epoch. Nobody
 * compares wall clocks. The holder counts its time from before it asked; whoever waits counts from when it first saw
 * the lease as it is, so the one has stopped before the other begins, also when their clocks run apart.
 */
import {
  err,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";

export interface Lease {
  /** Grows with every holder (a fencing token): what is written under an older one is refused. */
  readonly epoch: number;
  readonly site: string;
  /** Grows with every renewal. */
  readonly beat: number;
  /** How long it lasts after its last renewal. */
  readonly lifetime_ms: number;
  /** Given back: no permit under it is good any more. */
  readonly released: boolean;
  /** Digest of the verdict it was last renewed with; null before the first. */
  readonly verdict: string | null;
  /** The other site that acted before, if one did. */
  readonly from: Predecessor | null;
}

/** The lease of another site, as it was when it ended or was seen last. */
export interface Predecessor {
  readonly site: string;
  readonly epoch: number;
  readonly beat: number;
}

/** The lease as it was first seen unchanged. */
export interface LeaseSeen {
  readonly lease: Lease;
  /** Monotonic clock of whoever looks. */
  readonly sinceMs: number;
}

/** Monotonic clocks of two machines run apart by far less than this. */
const clockRateMargin = 0.1;

/** `active_active`: each site has a lease of its own. */
export function leaseKey(deployment: string, tenant: string, site: string | undefined): string {
  const parts = [tenant, deployment, ...(site === undefined ? [] : [site])];
  return `failover/${parts.map(encodeURIComponent).join("/")}/lease`;
}

/** What is known after another look. */
export function look(seen: LeaseSeen | undefined, lease: Lease, lookedMs: number): LeaseSeen {
  const unchanged =
    seen?.lease.epoch === lease.epoch &&
    seen.lease.beat === lease.beat &&
    seen.lease.released === lease.released;
  return unchanged ? seen : { lease, sinceMs: lookedMs };
}

/**
 * How long to wait before it may be taken: 0 is now. `heldEpoch`: the newest that this very guard has held; its own is
 * taken at once, because its earlier run is dead (it had the data folder for itself).
 */
export function waitMs(
  seen: LeaseSeen | undefined,
  me: { readonly site: string; readonly heldEpoch: number },
  nowMs: number,
): number {
  if (seen === undefined || seen.lease.released) return 0;
  const { lease, sinceMs } = seen;
  if (lease.site === me.site && lease.epoch === me.heldEpoch) return 0;
  const overMs = sinceMs + lease.lifetime_ms * (1 + clockRateMargin);
  return Math.max(0, Math.ceil(overMs - nowMs));
}

/** The lease under the next epoch: after `before`, and after whatever this guard has held. */
export function taken(
  before: Lease | undefined,
  {
    site,
    heldEpoch,
    lifetimeMs,
  }: {
    readonly site: string;
    readonly heldEpoch: number;
    readonly lifetimeMs: number;
  },
): Lease {
  return {
    epoch: Math.max(before?.epoch ?? 0, heldEpoch) + 1,
    ...{ site, beat: 0, lifetime_ms: lifetimeMs, released: false, verdict: null },
    from: fromOf(before, site),
  };
}

/** A guard that died before its first verdict has still to show that its site had what the other one had. */
function fromOf(before: Lease | undefined, site: string): Predecessor | null {
  if (before === undefined) return null;
  if (before.site !== site) return { site: before.site, epoch: before.epoch, beat: before.beat };
  return before.verdict === null ? before.from : null;
}

/** A lease that cannot be read is nobody's to take: the error says what stands there. */
export function readLease(stored: JsonObject | undefined): Result<Lease | undefined, string> {
  if (stored === undefined) return ok(undefined);
  const { epoch, site, beat, lifetime_ms, released, verdict, from, ...rest } = stored;
  const counts = [epoch, beat, lifetime_ms].every((each) => Number.isSafeInteger(each));
  if (
    !counts ||
    typeof site !== "string" ||
    typeof released !== "boolean" ||
    !isTextOrNull(verdict) ||
    !isPredecessorOrNull(from) ||
    Object.keys(rest).length > 0
  )
    return err(`the lease is not stored as this Holdfast stores it: ${JSON.stringify(stored)}`);
  return ok({
    ...{ epoch: Number(epoch), site, beat: Number(beat), lifetime_ms: Number(lifetime_ms) },
    ...{ released, verdict, from },
  });
}

function isPredecessorOrNull(
  value: JsonValue | undefined,
): value is null | (JsonObject & Predecessor) {
  if (value === null) return true;
  if (!isJsonObject(value)) return false;
  const { site, epoch, beat, ...rest } = value;
  const known = typeof site === "string" && Object.keys(rest).length === 0;
  return known && Number.isSafeInteger(epoch) && Number.isSafeInteger(beat);
}

function isTextOrNull(value: JsonValue | undefined): value is string | null {
  return value === null || typeof value === "string";
}
