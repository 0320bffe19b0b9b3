/** Where data may go (AG-403 4.5): the same jurisdiction, then an approved transfer, then nowhere. */
import { areasOf } from "../manifest/check-residency.ts";
import type { Manifest, ResidencyRule, Site } from "../manifest/manifest.ts";
import type { ResidencyFinding } from "../record/event-record.ts";

export type Standing = ResidencyFinding["decision"];

const standings: readonly Standing[] = ["same_jurisdiction", "approved_transfer", "deny"];

/** One finding for each data class. `now`: RFC 3339 in UTC; transfers expire, and their texts order like their times. */
export function residencyOf(
  { residency }: Manifest,
  site: Site,
  now: string,
): readonly ResidencyFinding[] {
  return residency.map((rule) => findingOf(rule, site, now));
}

function findingOf(rule: ResidencyRule, site: Site, now: string): ResidencyFinding {
  const { data_class } = rule;
  const areas = areasOf(site);
  const home = rule.jurisdictions.find((each) => areas.includes(each));
  if (home !== undefined)
    return { data_class, decision: "same_jurisdiction", basis: `${site.id} is in ${home}` };
  const transfers = rule.transfers.filter(({ to }) => areas.includes(to));
  const valid = transfers.find(({ expires }) => now < expires);
  if (valid !== undefined) {
    const { mechanism, to, evidence, expires } = valid;
    const basis = `${mechanism} to ${to} until ${expires}, ${evidence}`;
    return { data_class, decision: "approved_transfer", basis };
  }
  const [expired] = transfers;
  const basis =
    expired === undefined
      ? `${site.id} is in ${areas.join(", ")}; ${data_class} may be in ${rule.jurisdictions.join(", ")}`
      : `${expired.mechanism} to ${expired.to} has expired (${expired.expires})`;
  return { data_class, decision: "deny", basis };
}

/** The worst of all data classes. */
export function standingOf(findings: readonly ResidencyFinding[]): Standing {
  const worst = Math.max(0, ...findings.map(({ decision }) => standings.indexOf(decision)));
  return standings[worst] ?? "deny";
}

/**
 * The sites that may act, in the order in which they are tried: first those that need no transfer, each by their
 * `failover_order`. A site that any data class denies is none, whatever else fails.
 */
export function candidates(manifest: Manifest, now: string): readonly Site[] {
  const ranked = manifest.sites.map((site) => ({
    site,
    standing: standingOf(residencyOf(manifest, site, now)),
  }));
  return ranked
    .filter(({ standing }) => standing !== "deny")
    .sort(
      (a, b) =>
        standings.indexOf(a.standing) - standings.indexOf(b.standing) ||
        a.site.failover_order - b.site.failover_order ||
        (a.site.id < b.site.id ? -1 : 1),
    )
    .map(({ site }) => site);
}
