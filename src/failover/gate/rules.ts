/** The gate's rules at one site, from the manifest. */

import type { Component, Manifest } from "../manifest/manifest.ts";
import type { GateRules } from "./check.ts";

/** What the guard looks at itself, at every site, besides the components that are declared. */
export const builtInChecks = [
  "holdfast.parity",
  "holdfast.residency",
  "holdfast.watermark",
] as const;

export type BuiltInCheck = (typeof builtInChecks)[number];

export function componentsAt({ components }: Manifest, site: string): readonly Component[] {
  return components.filter(({ sites }) => sites.length === 0 || sites.includes(site));
}

export function gateRules(manifest: Manifest, site: string): GateRules {
  const { objectives } = manifest;
  const own = componentsAt(manifest, site);
  const names = new Set(own.map(({ name }) => name));
  const declared = own.map(({ name, on_failure, depends_on, remediation }) => ({
    ...{ name, onFailure: on_failure },
    // What is not at this site cannot be waited for.
    dependsOn: depends_on.filter((each) => names.has(each)),
    attemptsMax: remediation?.attempts_max ?? 0,
  }));
  const builtIn = builtInChecks.map((name) => ({
    ...{ name, onFailure: "block" as const, dependsOn: [], attemptsMax: 0 },
  }));
  return {
    components: [...builtIn, ...declared],
    validationMs: objectives.validation_seconds * 1_000,
    remediationMs: objectives.remediation_seconds * 1_000,
    ttlMs: objectives.verdict_ttl_seconds * 1_000,
  };
}

/** What break-glass does not override, as this manifest has it. */
export function neverOverridden({ break_glass }: Manifest): readonly BuiltInCheck[] {
  return break_glass.overrides_residency ? [] : ["holdfast.residency"];
}
