/**
 * What an industry must not lose in a failover. A profile asks for things by name; a component says under `covers` which
 * of them it shows to be intact.
 */
import { boundBy, isActive } from "./bound-by.ts";
import { areasOf } from "./check-residency.ts";
import { appliesAt, type Component, type Manifest, type Profile, profiles } from "./manifest.ts";
import { fault, type ManifestFault } from "./manifest-fault.ts";

interface Needed {
  readonly name: string;
  /** What is lost without it, and where that is demanded. */
  readonly because: string;
}

const needs: Readonly<Record<Profile, readonly Needed[]>> = {
  financial_services: [
    {
      name: "transaction_limits",
      because: "a site without limits per transaction executes what its primary would refuse",
    },
    {
      name: "aggregate_exposure",
      because: "counters that begin again at zero let exposure be spent twice",
    },
    {
      name: "counterparty_restrictions",
      because: "a restricted counterparty is restricted at every site",
    },
    { name: "positions", because: "who does not know the positions cannot judge the next trade" },
  ],
  healthcare: [
    { name: "access_control", because: "access control (45 CFR 164.312(a))" },
    { name: "audit_control", because: "audit controls (45 CFR 164.312(b))" },
    { name: "integrity_control", because: "integrity of health data (45 CFR 164.312(c))" },
    {
      name: "consent_enforcement",
      because: "a consent that was withdrawn stays withdrawn after a failover",
    },
  ],
  critical_infrastructure: [
    { name: "emergency_stop", because: "whoever acts on machines can be stopped at once" },
    { name: "actuator_limits", because: "limits of actuators hold at every site" },
    { name: "safety_zones", because: "zones that no command may enter hold at every site" },
  ],
  cross_border: [
    {
      name: "jurisdiction_order",
      because: "targets are taken in the order of jurisdictions that the rules allow",
    },
    {
      name: "transfer_mechanisms",
      because: "data crosses a border only under a mechanism that is still in force",
    },
  ],
};

/** Instruments of GDPR Articles 45 to 49, and consent or approval under other laws by name. */
const mechanisms = [
  "adequacy_decision",
  "standard_contractual_clauses",
  "binding_corporate_rules",
  "code_of_conduct",
  "certification",
  "ad_hoc_clauses",
  "public_authority_instrument",
];

export function checkProfiles(manifest: Manifest): readonly ManifestFault[] {
  const faults = manifest.profiles.flatMap((profile, at) => [...checkNeeds(manifest, profile, at)]);
  if (manifest.profiles.includes("critical_infrastructure"))
    faults.push(...checkReliability(manifest));
  if (manifest.profiles.includes("cross_border")) faults.push(...checkBorders(manifest));
  return [...faults, ...checkCovers(manifest.components)];
}

function checkNeeds(manifest: Manifest, profile: Profile, at: number): readonly ManifestFault[] {
  return needs[profile].flatMap(({ name, because }): readonly ManifestFault[] => {
    const covering = manifest.components.filter(({ covers }) => covers.includes(name));
    const without = manifest.sites.filter(({ id }) => !covering.some((one) => appliesAt(one, id)));
    const path = ["profiles", at];
    if (without.length > 0) {
      const where = covering.length === 0 ? "" : ` at ${without.map(({ id }) => id).join(", ")}`;
      const message = `${profile}: no component covers ${name}${where}: ${because}`;
      const hint = `name the component that shows it: covers: [${name}]`;
      return [fault("profile-missing", path, message, { hint })];
    }
    return covering
      .filter(({ on_failure: action }) => action === "alert")
      .map((component) => {
        const where = ["components", manifest.components.indexOf(component), "on_failure"];
        const message = `${component.name} covers ${name} of ${profile}, and alert would let agents go on without it`;
        return fault("profile-alert", where, message);
      });
  });
}

/** A word that no profile knows is a mistake: what it was meant for stays uncovered. */
function checkCovers(components: readonly Component[]): readonly ManifestFault[] {
  const known = profiles.flatMap((profile) => needs[profile].map(({ name }) => name));
  return components.flatMap(({ covers }, at) =>
    covers.flatMap((name, i) => {
      if (known.includes(name)) return [];
      const word = { said: name, known };
      const message = `no profile asks for ${name}`;
      return [fault("covers-unknown", ["components", at, "covers", i], message, { word })];
    }),
  );
}

/** Validation at least as reliable as the function it protects (IEC 61508: a safety function is proof-tested, not assumed). */
function checkReliability({ components }: Manifest): readonly ManifestFault[] {
  const safety = needs.critical_infrastructure.map(({ name }) => name);
  return components.flatMap((component, at) => {
    const covered = component.covers.filter((name) => safety.includes(name)).join(", ");
    if (covered === "") return [];
    const path = ["components", at];
    const faults: ManifestFault[] = [];
    const { verify, on_failure: action, name } = component;
    if (boundBy(verify) === "address") {
      const message = `${name} covers ${covered}, and its answer is bound to the site by an address only`;
      faults.push(fault("profile-binding", [...path, "verify"], message));
    }
    if (covered.includes("emergency_stop") && !isActive(verify)) {
      const message = `${name} covers emergency_stop and is verified by ${verify.kind}, which does not exercise it`;
      const hint =
        "use kill_switch_canary, negative_canary, exec or an http POST with binding: echo";
      faults.push(fault("profile-passive", [...path, "verify"], message, { hint }));
    }
    const stops = action === "block" || (typeof action === "object" && action.degrade === "stop");
    if (!stops) {
      const message = `${name} covers ${covered}: without it nothing may move, so on_failure is block`;
      faults.push(fault("profile-action", [...path, "on_failure"], message));
    }
    return faults;
  });
}

function checkBorders(manifest: Manifest): readonly ManifestFault[] {
  const faults: ManifestFault[] = [];
  if (manifest.residency.length === 0) {
    const message = "cross_border: there is no residency rule, so no order of jurisdictions";
    faults.push(fault("profile-missing", ["residency"], message));
  }
  for (const [at, rule] of manifest.residency.entries())
    for (const [i, { mechanism }] of rule.transfers.entries()) {
      if (mechanisms.includes(mechanism)) continue;
      const path = ["residency", at, "transfers", i, "mechanism"];
      const word = { said: mechanism, known: mechanisms };
      const message = `cross_border: ${mechanism} is no mechanism of GDPR Articles 45 to 47`;
      const hint = `known: ${mechanisms.join(", ")}; a derogation of Article 49 is never automatic`;
      faults.push(fault("mechanism-unknown", path, message, { word, hint }));
    }
  return [...faults, ...checkOrder(manifest)];
}

/** Same jurisdiction first: a target that needs a transfer may not stand before one that needs none. */
function checkOrder({ sites, residency }: Manifest): readonly ManifestFault[] {
  const needsTransfer = (id: string): boolean =>
    residency.some(({ jurisdictions }) => {
      const site = sites.find((one) => one.id === id);
      return site !== undefined && !areasOf(site).some((area) => jurisdictions.includes(area));
    });
  const targets = sites.filter(({ role }) => role === "target");
  const free = targets.filter(({ id }) => !needsTransfer(id));
  return targets
    .filter(({ id }) => needsTransfer(id))
    .flatMap((abroad) => {
      const after = free.find((one) => one.failover_order > abroad.failover_order);
      if (after === undefined) return [];
      const path = ["sites", sites.indexOf(abroad), "failover_order"];
      const message = `cross_border: ${abroad.id} needs a transfer and comes before ${after.id}, which needs none`;
      return [fault("jurisdiction-order", path, message)];
    });
}
