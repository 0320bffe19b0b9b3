/** Begins what nobody has to ask for: the first start of the primary, another try after a block, a return after a loss. */
import { candidates, type FailoverStart } from "../../failover/index.ts";
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
  let waitMs = againMsMin;
  let againAtMs = 0;
  while (!signal.aborted && !guard.failed) {
    await clock.sleep(lookMs, signal);
    const { phase } = guard.state;
    if (signal.aborted) return;
    const nowMs = clock.monotonicMs();
    if (phase === "ready" || phase === "degraded") waitMs = againMsMin;
    else if (phase === "standby") await standby.look();
    else if ((phase === "blocked" || phase === "revoked") && nowMs >= againAtMs) {
      await again(guard, parts);
      againAtMs = nowMs + waitMs;
      waitMs = Math.min(againMsMax, waitMs * 2);
    }
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
  const { lease, site } = parts;
  const looked = await lease.look();
  if (!looked.ok) return;
  const other = looked.value;
  if (other !== undefined && other.site !== site.id && !lease.isFree())
    return guard.standDown(`${other.site} acts under epoch ${other.epoch}`);
  await guard.begin(startOf(parts, "recovery", "the site had lost its verdict or its lease"));
}

function rank({ manifest, site, clock }: GuardParts): number {
  const order = candidates(manifest, new Date(clock.wallMs()).toISOString());
  const at = order.findIndex(({ id }) => id === site.id);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

function startOf(
  { deployment, manifest, site, clock, lease }: GuardParts,
  mechanism: string,
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
