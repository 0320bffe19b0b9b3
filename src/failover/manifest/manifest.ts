/**
 * The governance-state manifest of one deployment (AG-403 4.1): everything that must be intact at a site before an agent
 * may act there, and how that is shown. Field names are those of the file; `schemas/manifest.schema.json` says what each
 * means. The value is complete: every default is filled in.
 */
import { digestOf, type JsonObject } from "../../kernel/index.ts";
import type { Verification } from "./verification.ts";

export interface Manifest {
  readonly format: "holdfast.manifest/v1";
  /** One manifest, permit and record per deployment and tenant, also where tenants share infrastructure. */
  readonly deployment: string;
  readonly tenant: string;
  /** Grows with every change. */
  readonly version: number;
  /** `active_passive`: at most one site may act. `active_active`: each site with a permit of its own. */
  readonly mode: "active_passive" | "active_active";
  readonly profiles: readonly Profile[];
  readonly objectives: Objectives;
  readonly sites: readonly Site[];
  readonly residency: readonly ResidencyRule[];
  readonly components: readonly Component[];
  readonly not_applicable: readonly NotApplicable[];
  readonly break_glass: BreakGlass;
  /** Where permits and epochs are checked besides the gateway, and where they cannot be. */
  readonly sinks: readonly Sink[];
  /** The files it was generated from. */
  readonly generated_from: readonly {
    readonly kind: string;
    readonly path: string;
    readonly digest: string;
  }[];
}

export type Profile = (typeof profiles)[number];

export const profiles = [
  "financial_services",
  "healthcare",
  "critical_infrastructure",
  "cross_border",
] as const;

/** AG-403 4.9, 4.10, 4.7. */
export interface Objectives {
  /** From the beginning of a failover until its validation has passed. */
  readonly grto_seconds: number;
  readonly rto_seconds: number;
  /** How long a verdict is good for; no permit outlives it. */
  readonly verdict_ttl_seconds: number;
  /** All probes of one validation together. */
  readonly validation_seconds: number;
  readonly remediation_seconds: number;
  /** The longest time between two drills. */
  readonly drill_days: number;
  /** How often a target that stands by is compared with the primary. */
  readonly parity_seconds: number;
  /** How long the primary may have lived on after the last comparison of a target that is to take over; absent: `ageMsMax`. */
  readonly parity_age_seconds?: number;
}

export interface Site {
  readonly id: string;
  readonly role: "primary" | "target";
  /** ISO 3166-1 alpha-2, or a subdivision of it (`US-VA`). */
  readonly jurisdiction: string;
  /** Larger areas it belongs to (`EU`, `EEA`). */
  readonly blocs: readonly string[];
  /** Lower first, among targets of the same standing. */
  readonly failover_order: number;
  /** Signs permits and verdicts of this site: a verifier key (`name+id+base64`). */
  readonly guard_key: string;
  /** Where other sites and gateways reach its guard. */
  readonly guard_url: string;
  /** What `{name}` in a verification stands for at this site. */
  readonly variables: Readonly<Record<string, string>>;
}

/** AG-403 4.5. Same jurisdiction, then an approved transfer, then never. */
export interface ResidencyRule {
  readonly data_class: string;
  /** Jurisdictions and blocs where the data may be without anything further. */
  readonly jurisdictions: readonly string[];
  readonly transfers: readonly Transfer[];
}

export interface Transfer {
  /** A jurisdiction or a bloc. */
  readonly to: string;
  /** `adequacy_decision`, `standard_contractual_clauses`, … */
  readonly mechanism: string;
  readonly evidence: string;
  readonly approved_by: string;
  /** RFC 3339 in UTC (`2027-06-27T00:00:00Z`), or the day alone; from then on it is no transfer any more. */
  readonly expires: string;
}

export type ComponentClass = (typeof componentClasses)[number];

/** Every manifest has each of them, or says why it has none. */
export const componentClasses = [
  "enforcement",
  "audit",
  "identity",
  "residency",
  "secrets",
  "encryption",
  "escalation",
  "kill_switch",
  "ledger",
] as const;

/** What may still be done while the component is not shown to be intact. */
export type DegradedTier = "reads_only" | "escrow" | "stop";

/** `alert`: go on, under enhanced monitoring; forbidden for enforcement, audit and residency. */
export type OnFailure = "block" | "alert" | { readonly degrade: DegradedTier };

export interface Component {
  readonly name: string;
  readonly class: ComponentClass;
  readonly verify: Verification;
  /** `sha256:<hex>` of its configuration as it must be; the probe must report the same. */
  readonly config_digest?: string;
  readonly latency_ms_max: number;
  readonly on_failure: OnFailure;
  readonly depends_on: readonly string[];
  readonly remediation?: Remediation;
  /** Sites where it must be; empty: at every one. */
  readonly sites: readonly string[];
  /** What it serves, as `regulation:clause` (`DORA:11`, `SOX:404`). */
  readonly controls: readonly string[];
  /** What a profile asks for that this component covers (`aggregate_exposure`, `emergency_stop`, …). */
  readonly covers: readonly string[];
}

/** Whether the component must be there at the site. */
export function appliesAt(component: Component, site: string): boolean {
  return component.sites.length === 0 || component.sites.includes(site);
}

/** AG-403 4.10. Run without a shell; must be harmless when run twice. */
export interface Remediation {
  readonly command: readonly [string, ...string[]];
  readonly timeout_seconds: number;
  readonly attempts_max: number;
}

export interface NotApplicable {
  readonly class: ComponentClass;
  readonly reason: string;
  readonly approved_by: string;
}

export interface BreakGlass {
  /** How many different people must sign. */
  readonly quorum: number;
  /** Verifier keys of those who may. */
  readonly keys: readonly string[];
  readonly seconds_max: number;
  /** Whether it may let a site act although its jurisdiction is denied. */
  readonly overrides_residency: boolean;
}

export interface Sink {
  readonly name: string;
  /** `epoch`: it refuses what is written under an old epoch. `none`: it cannot, and a zombie is stopped only at its gateway. */
  readonly fencing: "epoch" | "none";
}

/** What a signed manifest is, as DSSE's payload type. */
export const manifestPayloadType = "application/vnd.holdfast.manifest.v1+json";

/** The name of exactly this manifest: `sha256:<hex>` of its canonical JSON. */
export function manifestDigest(manifest: Manifest): string {
  return digestOf(manifest as unknown as JsonObject);
}
