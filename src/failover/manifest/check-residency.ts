/** Where data may go (AG-403 4.5): what a rule names exists, and what it forbids is known before it matters. */
import type { Manifest, ResidencyRule, Site } from "./manifest.ts";
import { fault, type ManifestFault, repeated, warning } from "./manifest-fault.ts";

export function checkResidency(manifest: Manifest, now: string): readonly ManifestFault[] {
  const { residency, components, sites } = manifest;
  const faults = [
    ...repeated(residency, (rule) => rule.data_class, ["residency"], "data_class", "data class"),
    ...residency.flatMap((rule, at) => checkRule(rule, at, sites, now)),
  ];
  if (residency.length === 0 && components.some((one) => one.class === "residency")) {
    const message = "there is a component of class residency, and no residency rule for it to keep";
    faults.push(fault("residency-missing", ["residency"], message));
  }
  return faults;
}

/** The areas a site lies in: its jurisdiction, the country of a subdivision, and its blocs. */
export function areasOf({ jurisdiction, blocs }: Site): readonly string[] {
  const [country = jurisdiction] = jurisdiction.split("-");
  return [...new Set([jurisdiction, country, ...blocs])];
}

function checkRule(
  rule: ResidencyRule,
  at: number,
  sites: readonly Site[],
  now: string,
): readonly ManifestFault[] {
  const known = [...new Set(sites.flatMap(areasOf))];
  const path = ["residency", at];
  const faults: ManifestFault[] = [];
  const unknown = (area: string, where: readonly (string | number)[]): void => {
    if (known.includes(area)) return;
    const message = `no site is in ${area}`;
    const hint = `areas of the sites: ${known.join(", ")}; add a missing bloc to the site`;
    const word = { said: area, known };
    faults.push(fault("area-unknown", [...path, ...where], message, { word, hint }));
  };
  for (const [i, area] of rule.jurisdictions.entries()) unknown(area, ["jurisdictions", i]);
  for (const [i, transfer] of rule.transfers.entries()) {
    unknown(transfer.to, ["transfers", i, "to"]);
    if (rule.jurisdictions.includes(transfer.to)) {
      const message = `${transfer.to} is among the jurisdictions already; a transfer that expires says otherwise`;
      faults.push(fault("transfer-double", [...path, "transfers", i, "to"], message));
    }
    // Both in UTC, so texts compare as times do; to the second.
    if (transfer.expires.slice(0, 19) > now.slice(0, 19)) continue;
    const message = `the transfer of ${rule.data_class} to ${transfer.to} expired ${transfer.expires}: it is denied`;
    faults.push(warning("transfer-expired", [...path, "transfers", i, "expires"], message));
  }
  for (const site of sites) faults.push(...checkSiteOf(rule, path, site));
  return faults;
}

function checkSiteOf(
  rule: ResidencyRule,
  path: readonly (string | number)[],
  site: Site,
): readonly ManifestFault[] {
  const areas = areasOf(site);
  const may = rule.jurisdictions.some((area) => areas.includes(area));
  if (may || rule.transfers.some(({ to }) => areas.includes(to))) return [];
  if (site.role === "primary") {
    const message = `the primary ${site.id} (${areas.join(", ")}) may itself not hold ${rule.data_class}`;
    return [fault("primary-denied", [...path, "jurisdictions"], message)];
  }
  const message = `${site.id} (${areas.join(", ")}) can never take over: ${rule.data_class} may not go there`;
  return [warning("target-denied", [...path, "jurisdictions"], message)];
}
