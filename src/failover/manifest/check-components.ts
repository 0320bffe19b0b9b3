/** Each component by itself and among the others: what it needs exists, where it must be, and in time. */
import { addressesOf, boundBy, isActive } from "./bound-by.ts";
import { fillVerification } from "./fill.ts";
import { appliesAt, type Component, type ComponentClass, type Manifest } from "./manifest.ts";
import { fault, type ManifestFault, repeated, warning } from "./manifest-fault.ts";

/** Where `alert` would let agents go on without what the gate is for (AG-403 4.3). */
const neverAlert: readonly ComponentClass[] = ["enforcement", "audit", "residency"];

export function checkComponents(manifest: Manifest): readonly ManifestFault[] {
  const { components } = manifest;
  const each = components.flatMap((component, at) => [
    ...checkFailureAction(component, at),
    ...checkPlaces(component, at, manifest),
    ...checkTimes(component, at, manifest),
    ...checkVerification(component, at, manifest),
  ]);
  return [
    ...repeated(components, ({ name }) => name, ["components"], "name", "component"),
    ...each,
    ...checkCycles(components),
    ...checkChains(manifest),
    ...checkPassive(components),
  ];
}

function checkFailureAction(component: Component, at: number): readonly ManifestFault[] {
  if (component.on_failure !== "alert" || !neverAlert.includes(component.class)) return [];
  const message = `alert is forbidden for the class ${component.class}: agents would go on without it`;
  const hint = "use block, or { degrade: reads_only | escrow | stop }";
  return [fault("alert-forbidden", ["components", at, "on_failure"], message, { hint })];
}

function checkPlaces(component: Component, at: number, manifest: Manifest): ManifestFault[] {
  const faults: ManifestFault[] = [];
  const siteIds = manifest.sites.map(({ id }) => id);
  for (const [i, site] of component.sites.entries()) {
    if (siteIds.includes(site)) continue;
    const word = { said: site, known: siteIds };
    const message = `there is no site ${site}`;
    faults.push(fault("site-unknown", ["components", at, "sites", i], message, { word }));
  }
  const names = manifest.components.map(({ name }) => name);
  for (const [i, needed] of component.depends_on.entries()) {
    const path = ["components", at, "depends_on", i];
    const other = manifest.components.find(({ name }) => name === needed);
    if (other === undefined) {
      const word = { said: needed, known: names };
      faults.push(fault("dependency-unknown", path, `there is no component ${needed}`, { word }));
      continue;
    }
    const absent = siteIds.filter((id) => appliesAt(component, id) && !appliesAt(other, id));
    if (absent.length === 0) continue;
    const message = `${component.name} depends on ${needed}, which is not at ${absent.join(", ")}`;
    faults.push(fault("dependency-absent", path, message));
  }
  return faults;
}

function checkTimes(component: Component, at: number, manifest: Manifest): ManifestFault[] {
  const faults: ManifestFault[] = [];
  const { validation_seconds, remediation_seconds } = manifest.objectives;
  if (component.latency_ms_max > validation_seconds * 1000) {
    const message = `its verification may take ${component.latency_ms_max} ms, longer than validation as a whole (validation_seconds: ${validation_seconds})`;
    faults.push(fault("latency", ["components", at, "latency_ms_max"], message));
  }
  const { remediation } = component;
  if (remediation === undefined) return faults;
  const path = ["components", at, "remediation", "timeout_seconds"];
  const { timeout_seconds: once, attempts_max: attempts } = remediation;
  if (once > remediation_seconds) {
    const message = `one attempt may take ${once} s, longer than all remediation (remediation_seconds: ${remediation_seconds})`;
    faults.push(fault("remediation", path, message));
  } else if (once * attempts > remediation_seconds) {
    const message = `${attempts} attempts may take ${once * attempts} s; remediation ends after ${remediation_seconds} s`;
    faults.push(warning("remediation", path, message));
  }
  return faults;
}

function checkVerification(component: Component, at: number, manifest: Manifest): ManifestFault[] {
  const { verify, name } = component;
  const path = ["components", at, "verify"];
  const faults: ManifestFault[] = [];
  const sites = manifest.sites.filter(({ id }) => appliesAt(component, id));
  for (const { id, variables } of sites) {
    const filled = fillVerification(verify, { site: id, nonce: "nonce", variables });
    if (!filled.ok) faults.push(fault("variable", path, `${name}: ${filled.error}`));
  }
  if (boundBy(verify) === "echo") return faults;
  const shared = addressesOf(verify).filter((address) => !/\{[A-Za-z_]/.test(address));
  if (sites.length > 1 && shared.length > 0) {
    const message = `${name} is asked at ${shared.join(", ")} for every site, and its answer does not say which one answered: an old primary could`;
    const hint = "let the answer echo site and nonce (binding: echo), or use {site} or a variable";
    faults.push(fault("shared-address", path, message, { hint }));
  } else {
    const message = `${name} is bound to its site by its address only (${verify.kind})`;
    faults.push(warning("address-only", path, message));
  }
  return faults;
}

/** Each cycle once, named in its order, at the component that comes first in the file. */
function checkCycles(components: readonly Component[]): readonly ManifestFault[] {
  const faults: ManifestFault[] = [];
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (trail.includes(name)) {
      const cycle = [...trail.slice(trail.indexOf(name)), name];
      const at = components.findIndex((one) => cycle.includes(one.name));
      const message = `these wait for one another: ${cycle.join(" → ")}`;
      faults.push(fault("dependency-cycle", ["components", at, "depends_on"], message));
      return;
    }
    if (done.has(name)) return;
    const component = components.find((one) => one.name === name);
    for (const needed of component?.depends_on ?? []) visit(needed, [...trail, name]);
    done.add(name);
  };
  for (const { name } of components) visit(name, []);
  return faults;
}

/** Verifications run along dependencies, so their times add up. */
function checkChains({ components, objectives }: Manifest): readonly ManifestFault[] {
  const budget = objectives.validation_seconds * 1000;
  const byName = new Map(components.map((component) => [component.name, component]));
  const longest = new Map<string, number>();
  const lengthOf = (component: Component, trail: readonly string[]): number => {
    const known = longest.get(component.name);
    if (known !== undefined) return known;
    const needed = component.depends_on
      .filter((name) => !trail.includes(name))
      .flatMap((name) => byName.get(name) ?? []);
    const before = needed.map((one) => lengthOf(one, [...trail, component.name]));
    const length = component.latency_ms_max + Math.max(0, ...before);
    longest.set(component.name, length);
    return length;
  };
  return components.flatMap((component, at) => {
    const length = lengthOf(component, [component.name]);
    if (length <= budget || component.latency_ms_max > budget) return [];
    const message = `${component.name} and what it depends on may take ${length} ms one after the other; validation ends after ${budget} ms`;
    return [warning("latency-chain", ["components", at, "depends_on"], message)];
  });
}

/** A pipeline that feels well may still lose everything; only what passes through it shows that it works. */
function checkPassive(components: readonly Component[]): readonly ManifestFault[] {
  const shownBy = { audit: "audit_canary or cdc_canary", enforcement: "negative_canary" } as const;
  return Object.entries(shownBy).flatMap(([of, canary]) => {
    const ours = components.filter((component) => component.class === of);
    if (ours.length === 0 || ours.some(({ verify }) => isActive(verify))) return [];
    const at = components.indexOf(ours[0] as Component);
    const message = `the class ${of} is shown by passive checks only`;
    const hint = `add a component that is verified by ${canary}`;
    return [warning("passive-only", ["components", at, "verify"], message, { hint })];
  });
}
