/**
 * What a schema cannot say of a manifest (AG-403 4.1): that nothing is missing, that everything it names exists, and that
 * what it asks for can be done. The value is valid by `schemas/manifest.schema.json`.
 */
import { parseVkey, signatureType } from "../../audit/index.ts";
import { checkComponents } from "./check-components.ts";
import { checkProfiles } from "./check-profiles.ts";
import { checkResidency } from "./check-residency.ts";
import { appliesAt, componentClasses, type Manifest, type Site } from "./manifest.ts";
import { fault, type ManifestFault, repeated, warning } from "./manifest-fault.ts";

/** Every fault and every warning. `now` (RFC 3339 UTC) tells which transfers have expired. */
export function checkManifest(manifest: Manifest, now: string): readonly ManifestFault[] {
  return [
    ...checkObjectives(manifest),
    ...checkSites(manifest),
    ...checkClasses(manifest),
    ...checkComponents(manifest),
    ...checkResidency(manifest, now),
    ...checkProfiles(manifest),
    ...checkBreakGlass(manifest),
    ...checkSinks(manifest),
  ];
}

function checkObjectives({ objectives }: Manifest): readonly ManifestFault[] {
  const { grto_seconds, verdict_ttl_seconds, validation_seconds, remediation_seconds } = objectives;
  const faults: ManifestFault[] = [];
  if (validation_seconds > grto_seconds) {
    const message = `validation may take ${validation_seconds} s, longer than governance recovery as a whole (grto_seconds: ${grto_seconds})`;
    faults.push(fault("objective", ["objectives", "validation_seconds"], message));
  }
  if (validation_seconds >= verdict_ttl_seconds) {
    const message = `validation may take ${validation_seconds} s, so a verdict of ${verdict_ttl_seconds} s ends before the next one is there`;
    const hint = "keep validation_seconds below verdict_ttl_seconds";
    faults.push(fault("objective", ["objectives", "validation_seconds"], message, { hint }));
  }
  if (validation_seconds + remediation_seconds > grto_seconds) {
    const message = `validation and remediation together may take ${validation_seconds + remediation_seconds} s, over grto_seconds (${grto_seconds})`;
    faults.push(warning("objective", ["objectives", "remediation_seconds"], message));
  }
  const { parity_seconds, parity_age_seconds } = objectives;
  if (parity_age_seconds !== undefined && parity_age_seconds < 2 * parity_seconds) {
    const message = `a target is compared every ${parity_seconds} s, and could not take over ${parity_age_seconds} s later: one comparison that fails takes it out of the race`;
    const hint = "let parity_age_seconds be at least twice parity_seconds";
    faults.push(fault("objective", ["objectives", "parity_age_seconds"], message, { hint }));
  }
  return faults;
}

function checkSites({ sites, mode }: Manifest): readonly ManifestFault[] {
  const faults: ManifestFault[] = [];
  faults.push(...repeated(sites, (site) => site.id, ["sites"], "id", "site"));
  faults.push(...repeated(sites, (site) => site.guard_key, ["sites"], "guard_key", "guard key"));
  const primaries = sites.filter(({ role }) => role === "primary").length;
  if (mode === "active_passive" && primaries !== 1) {
    const message = `active_passive has exactly one primary; there are ${primaries}`;
    faults.push(fault("primary", ["sites"], message));
  }
  if (mode === "active_active" && primaries === 0) {
    faults.push(fault("primary", ["sites"], "active_active has at least one primary"));
  }
  const targets = sites.filter(({ role }) => role === "target");
  for (const [at, site] of sites.entries()) {
    faults.push(...checkSite(site, at));
    const before = targets.slice(0, targets.indexOf(site));
    const same = before.find(({ failover_order: order }) => order === site.failover_order);
    if (site.role === "target" && same !== undefined) {
      const message = `the targets ${same.id} and ${site.id} have the same failover_order, so nobody can say which comes first`;
      faults.push(fault("failover-order", ["sites", at, "failover_order"], message));
    }
  }
  if (sites.length === 1) {
    const message = "there is one site only: nothing can take over";
    faults.push(warning("one-site", ["sites"], message));
  }
  return faults;
}

function checkSite(site: Site, at: number): readonly ManifestFault[] {
  const faults: ManifestFault[] = [];
  const key = signingKeyFault(site.guard_key);
  if (key !== undefined) faults.push(fault("key", ["sites", at, "guard_key"], key));
  for (const name of ["site", "nonce"].filter((own) => Object.hasOwn(site.variables, own))) {
    const message = `{${name}} is filled in by the guard and cannot be a variable`;
    faults.push(fault("variable", ["sites", at, "variables", name], message));
  }
  return faults;
}

/** AG-403 4.1: a class that nobody thought of is a hole; it must be there at every site, or be declared away. */
function checkClasses(manifest: Manifest): readonly ManifestFault[] {
  const { components, not_applicable: away, sites } = manifest;
  const faults: ManifestFault[] = [];
  faults.push(...repeated(away, (each) => each.class, ["not_applicable"], "class", "class"));
  for (const [at, { class: declared }] of away.entries()) {
    const there = components.find((component) => component.class === declared);
    if (there !== undefined) {
      const message = `${declared} is declared not applicable, and ${there.name} is of this class`;
      faults.push(fault("class-contradiction", ["not_applicable", at, "class"], message));
    } else if (declared === "enforcement" || declared === "audit") {
      const message = `without ${declared} nothing of what agents do is governed here`;
      faults.push(warning("class-given-up", ["not_applicable", at, "class"], message));
    }
  }
  const missing = componentClasses.filter((each) => !away.some((one) => one.class === each));
  for (const each of missing) {
    const ofClass = components.filter((component) => component.class === each);
    const without = sites.filter(({ id }) => !ofClass.some((one) => appliesAt(one, id)));
    if (without.length === 0) continue;
    const where = ofClass.length === 0 ? "" : ` at ${without.map(({ id }) => id).join(", ")}`;
    const message = `no component is of class ${each}${where}`;
    const hint = `add one, or declare it under not_applicable with reason and approved_by`;
    faults.push(fault("class-missing", ["components"], message, { hint }));
  }
  return faults;
}

function checkBreakGlass({ break_glass: glass, sites }: Manifest): readonly ManifestFault[] {
  const faults: ManifestFault[] = [];
  const people = new Set<string>();
  for (const [at, vkey] of glass.keys.entries()) {
    const path = ["break_glass", "keys", at];
    const wrong = signingKeyFault(vkey);
    const bare = vkey.split("+").slice(2).join("+");
    if (wrong !== undefined) faults.push(fault("key", path, wrong));
    else if (people.has(bare)) faults.push(fault("key", path, "this key is listed twice"));
    else if (sites.some(({ guard_key: key }) => key.endsWith(`+${bare}`)))
      faults.push(fault("key", path, "this is the key of a guard; break-glass is for people"));
    people.add(bare);
  }
  if (glass.keys.length > 0 && people.size < glass.quorum) {
    const message = `${glass.quorum} people must sign, and there are ${people.size} keys`;
    faults.push(fault("quorum", ["break_glass", "quorum"], message));
  }
  if (glass.overrides_residency) {
    const message = "break-glass may let a site act although its jurisdiction is denied";
    faults.push(warning("residency-override", ["break_glass", "overrides_residency"], message));
  }
  return faults;
}

function checkSinks({ sinks }: Manifest): readonly ManifestFault[] {
  const faults = [...repeated(sinks, ({ name }) => name, ["sinks"], "name", "sink")];
  for (const [at, { name, fencing }] of sinks.entries()) {
    if (fencing === "epoch") continue;
    const message = `the sink ${name} cannot refuse writes of an old epoch: a zombie primary is stopped only at its gateway`;
    faults.push(warning("sink-unfenced", ["sinks", at, "fencing"], message));
  }
  return faults;
}

function signingKeyFault(vkey: string): string | undefined {
  const key = parseVkey(vkey);
  if (!key.ok) return `${JSON.stringify(vkey)} is no verifier key: ${key.error}`;
  if (key.value.type === signatureType.ed25519) return undefined;
  return `${JSON.stringify(vkey)} is the key of a witness, which signs no statements`;
}
