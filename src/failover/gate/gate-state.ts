/** What the gate knows, what it hears, and what it wants done. */
import type { ProbeVerdict } from "./answer.ts";
import type { Check, Failing } from "./check.ts";
import { stricter, type Tier } from "./tier.ts";

/**
 * `standby`: another site acts. `fenced`: this one is to act and has no epoch yet. `ready`: all is shown to be intact.
 * `degraded`: what failed allows to go on, in a tier, or people do. `blocked`: it does not. `revoked`: it held and lost.
 */
export const gatePhases = [
  "standby",
  "fenced",
  "validating",
  "remediating",
  "ready",
  "blocked",
  "degraded",
  "revoked",
] as const;

export type GatePhase = (typeof gatePhases)[number];

export interface GateState {
  readonly phase: GatePhase;
  /** The failover under way, or the last one. */
  readonly failover: string | null;
  /** The newest epoch this site has held; 0 before the first. */
  readonly epoch: number;
  /** Until then the lease is ours, if the arbiter hears nothing more from us; null: not ours. */
  readonly leaseUntilMs: number | null;
  /** Counts validations. */
  readonly round: number;
  /** The validation under way; while ready, one more beside the verdict that still stands. */
  readonly check: Check | null;
  readonly remediation: Remediating | null;
  /** What the last validation has shown, waiting for the arbiter to take it. */
  readonly passed: Passed | null;
  /** Ready or degraded: the verdict stands until then. */
  readonly validUntilMs: number | null;
  readonly tier: Tier;
  readonly enhanced: boolean;
  /** People let it act whatever is not shown to be intact, until then. */
  readonly breakGlass: BreakGlassGrant | null;
  /** Why it is not ready. */
  readonly failing: readonly Failing[];
}

export interface BreakGlassGrant {
  readonly untilMs: number;
  readonly tier: Tier;
  /** Components whose failure it does not override. */
  readonly except: readonly string[];
}

interface Remediating {
  readonly endsMs: number;
  readonly pending: readonly string[];
  readonly attempts: Readonly<Record<string, number>>;
}

export interface Passed {
  readonly round: number;
  /** Where it stands only because people said so: as long as they said. */
  readonly untilMs: number | null;
  readonly tier: Tier;
  readonly enhanced: boolean;
  readonly failing: readonly Failing[];
}

export type GateEvent =
  /** This site is to act. The same failover again is another try. */
  | { readonly kind: "begin"; readonly failover: string }
  /** The arbiter has given the epoch; `sinceMs` is from before it was asked. */
  | { readonly kind: "leased"; readonly epoch: number; readonly sinceMs: number }
  /** The lease goes on without a new verdict, while this site validates. */
  | { readonly kind: "beat"; readonly epoch: number; readonly sinceMs: number }
  | { readonly kind: "lease_lost"; readonly because: string }
  | {
      readonly kind: "answered";
      readonly epoch: number;
      readonly round: number;
      readonly component: string;
      readonly verdict: ProbeVerdict;
      readonly because: string;
    }
  | {
      readonly kind: "remediated";
      readonly epoch: number;
      readonly component: string;
    }
  /** The arbiter has taken the verdict of the round. */
  | {
      readonly kind: "renewed";
      readonly epoch: number;
      readonly round: number;
      readonly sinceMs: number;
    }
  | { readonly kind: "revalidate" }
  /** People say so; their signatures were checked, and it was recorded. */
  | { readonly kind: "break_glass"; readonly grant: BreakGlassGrant }
  /** Another site is to act, or people say stop. */
  | { readonly kind: "stand_down"; readonly because: string }
  /** The process began anew; whatever it knew of its lease and its probes is gone. */
  | { readonly kind: "restarted" }
  | { readonly kind: "tick" };

export type GateEffect =
  | { readonly kind: "acquire" }
  | { readonly kind: "ask"; readonly round: number; readonly components: readonly string[] }
  | { readonly kind: "remediate"; readonly component: string; readonly attempt: number }
  | { readonly kind: "renew"; readonly round: number }
  | { readonly kind: "release" };

export interface GateStep {
  readonly state: GateState;
  readonly effects: readonly GateEffect[];
}

export const gateStart: GateState = {
  phase: "standby",
  failover: null,
  epoch: 0,
  leaseUntilMs: null,
  round: 0,
  check: null,
  remediation: null,
  passed: null,
  validUntilMs: null,
  tier: "stop",
  enhanced: false,
  breakGlass: null,
  failing: [],
};

/** What agents may do at this site at this moment; `undefined`: nothing, and no permit is given. */
export function permitted(
  { phase, tier, enhanced, validUntilMs }: GateState,
  nowMs: number,
): { readonly tier: Tier; readonly enhanced: boolean; readonly leftMs: number } | undefined {
  if (phase !== "ready" && phase !== "degraded") return undefined;
  const leftMs = (validUntilMs ?? nowMs) - nowMs;
  return leftMs <= 0 ? undefined : { tier, enhanced, leftMs };
}

type Permitted = ReturnType<typeof permitted>;

/** Less than before, or the same: then it counts at once, and need not wait for the record. */
export function allowsNoMore(before: Permitted, after: Permitted): boolean {
  if (after === undefined) return true;
  return before !== undefined && stricter(before.tier, after.tier) === after.tier;
}
