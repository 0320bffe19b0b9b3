/** Begins what nobody has to ask for: the first start of the primary, another try after a block, a return after a loss. */
import {
  candidates,
  type FailoverStart,
  type GatePhase,
  type Mechanism,
} from "../../failover/index.ts";
import type { Guard } from "./guard.ts";
import type { GuardParts } from "./guard-parts.ts";

export interface KeeperRules {
  /** Another site's lease that ran out is taken without being asked, in the order of the candidates. */
  readonly automatic: boolean;
}

const lookMs = 500;
/** Each try takes an epoch and asks every component; what blocks rarely passes within moments. */
const againMsMin = 1_000;
const againMsMax = 10_000;
/** A candidate behind another in the order leaves it so much time to be first. */
const orderMs = 2_000;

/** Until `signal` aborts. */
export async function keep(
  guard: Guard,
  parts: GuardParts,
  rules: KeeperRules,
  signal: AbortSignal,
): Promise<void> {
  const { clock, known, site } = parts;
  if (known.failover === null && site.role === "primary") await firstStart(guard, parts);
  const standby = new Standby(guard, parts, rules);
  const tries = new Tries(guard, parts);
  while (!signal.aborted && !guard.failed) {
    await clock.sleep(lookMs, signal);
    if (signal.aborted) return;
    const { phase } = guard.state;
    if (phase === "standby") await standby.look();
    // It acted before its guard began anew; if another site does now, nobody has asked for this one.
    else if (phase === "fenced" && guard.openFailover === undefined)
      await leaveToOther(guard, parts);
    else await tries.look(phase);
  }
}

/** A site that is blocked, or has lost what it had, is validated again: soon at first, then less often. */
class Tries {
  readonly #guard: Guard;
  readonly #parts: GuardParts;
  #waitMs = againMsMin;
  #againAtMs = 0;

  constructor(guard: Guard, parts: GuardParts) {
    this.#guard = guard;
    this.#parts = parts;
  }

  async look(phase: GatePhase): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (phase === "ready" || phase === "degraded") this.#waitMs = againMsMin;
    if ((phase !== "blocked" && phase !== "revoked") || nowMs < this.#againAtMs) return;
    await again(this.#guard, this.#parts);
    this.#againAtMs = nowMs + this.#waitMs;
    this.#waitMs = Math.min(againMsMax, this.#waitMs * 2);
  }
}

/** Looks at the lease all the time, so that the time of a holder that died is already running when it is asked to act. */
class Standby {
  readonly #guard: Guard;
  readonly #parts: GuardParts;
  readonly #rules: KeeperRules;
  #freeSinceMs: number | undefined;

  constructor(guard: Guard, parts: GuardParts, rules: KeeperRules) {
    this.#guard = guard;
    this.#parts = parts;
    this.#rules = rules;
  }

  async look(): Promise<void> {
    const { lease, clock } = this.#parts;
    await lease.look();
    const nowMs = clock.monotonicMs();
    const isFree = this.#rules.automatic && lease.isFree();
    this.#freeSinceMs = isFree ? (this.#freeSinceMs ?? nowMs) : undefined;
    if (this.#freeSinceMs === undefined) return;
    if (nowMs - this.#freeSinceMs < rank(this.#parts) * orderMs) return;
    const cause = "the lease of the acting site ran out";
    await this.#guard.begin(startOf(this.#parts, "lease", cause));
  }
}

/** The primary acts from the start, unless another site does already. */
async function firstStart(guard: Guard, parts: GuardParts): Promise<void> {
  const looked = await parts.lease.look();
  if (looked.ok && looked.value !== undefined && looked.value.site !== parts.site.id) return;
  await guard.begin(startOf(parts, "start", "the deployment starts"));
}

/** While another site acts, this one stands by; else it is validated anew. */
async function again(guard: Guard, parts: GuardParts): Promise<void> {
  if (await leaveToOther(guard, parts)) return;
  await guard.begin(startOf(parts, "recovery", "the site had lost its verdict or its lease"));
}

/** Whether another site acts, or it is not known who does. */
async function leaveToOther(guard: Guard, { lease, site }: GuardParts): Promise<boolean> {
  const looked = await lease.look();
  if (!looked.ok) return true;
  const other = looked.value;
  if (other === undefined || other.site === site.id || lease.isFree()) return false;
  await guard.standDown(`${other.site} acts under epoch ${other.epoch}`);
  return true;
}

function rank({ manifest, site, clock }: GuardParts): number {
  const order = candidates(manifest, new Date(clock.wallMs()).toISOString());
  const at = order.findIndex(({ id }) => id === site.id);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

function startOf(
  { deployment, manifest, site, clock, lease }: GuardParts,
  mechanism: Mechanism,
  cause: string,
): Omit<FailoverStart, "failover"> {
  const before = lease.seen?.site;
  return {
    ...{ deployment, tenant: manifest.tenant, site: site.id, target_site: site.id },
    ...{ mechanism, cause, detector: `guard/${site.id}`, planned: mechanism === "start" },
    source_site: before === undefined || before === site.id ? null : before,
    initiated: new Date(clock.wallMs()).toISOString(),
  };
}
