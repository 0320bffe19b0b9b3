/**
 * OSCAL 1.2.1: assessment results and the plan of action and milestones, from the same assessment. Deterministic: the same
 * evidence makes the same bytes. OSCAL knows two states of a finding only; what has no evidence is not satisfied, and says so.
 */
import { instantMs, instantText, type JsonObject } from "../../kernel/index.ts";
import type { Assessed, Evidence, EvidenceRef, Weakness } from "./evidence.ts";
import { uuidOf } from "./uuid.ts";

export interface Ownership {
  /** Who answers for the weaknesses of a requirement (`4.7`); `default` for all others. */
  readonly owners: Readonly<Record<string, string>> & { readonly default: string };
  /** Days from the evidence to the due date. */
  readonly dueDays: number;
}

const oscalVersion = "1.2.1";
/** Not an address: only a name. */
const namespace = "urn:holdfast:oscal";
const dayMs = 86_400_000;

export function assessmentResults(
  evidence: Evidence,
  assessed: readonly Assessed[],
  ownership: Ownership,
): JsonObject {
  const { manifest, asOf } = evidence;
  const about = subject(evidence);
  const refs = allRefs(assessed);
  const start = refs.reduce((first, { at }) => (at < first ? at : first), asOf);
  const weaknesses = assessed.flatMap((each) => each.weaknesses);
  const owners = ownersOf(weaknesses, ownership);
  return {
    "assessment-results": {
      uuid: uuidOf(about, "assessment-results"),
      metadata: metadata(`Failover governance of ${manifest.deployment}`, evidence, owners),
      "import-ap": {
        href: `#${uuidOf(about, "plan")}`,
        remarks: "Evidence is collected at every failover and drill, not on a day of assessment.",
      },
      results: [
        {
          uuid: uuidOf(about, "result"),
          title: "Failovers and drills",
          description: `What signed records, drills and comparisons of ${manifest.deployment} show of AG-403 4.1 to 4.10.`,
          start,
          end: asOf,
          "reviewed-controls": {
            "control-selections": [
              {
                "include-controls": assessed.map(({ requirement }) => ({
                  "control-id": controlId(requirement),
                })),
              },
            ],
          },
          ...(refs.length === 0
            ? {}
            : { observations: refs.map((ref) => observation(ref, about)) }),
          ...(weaknesses.length === 0
            ? {}
            : { risks: weaknesses.map((each) => risk(each, about, ownership)) }),
          findings: assessed.map((each) => finding(each, about)),
        },
      ],
      "back-matter": {
        resources: [
          {
            uuid: uuidOf(about, "plan"),
            title: "Assessment plan",
            description: `The governance-state manifest ${evidence.manifestDigest}, version ${manifest.version}, says what is validated, and how often drills are held.`,
          },
        ],
      },
    },
  };
}

/** Every weakness with an owner and a due date. Absent when there is none: OSCAL has no empty plan. */
export function planOfAction(
  evidence: Evidence,
  assessed: readonly Assessed[],
  ownership: Ownership,
): JsonObject | undefined {
  const about = subject(evidence);
  const weaknesses = assessed.flatMap((each) => each.weaknesses);
  if (weaknesses.length === 0) return undefined;
  const refs = [...new Map(weaknesses.map(({ ref }) => [observationId(ref, about), ref])).values()];
  const owners = ownersOf(weaknesses, ownership);
  return {
    "plan-of-action-and-milestones": {
      uuid: uuidOf(about, "poam"),
      metadata: metadata(`Plan of action for ${evidence.manifest.deployment}`, evidence, owners),
      "system-id": { id: `${evidence.manifest.tenant}/${evidence.manifest.deployment}` },
      observations: refs.map((ref) => observation(ref, about)),
      risks: weaknesses.map((each) => risk(each, about, ownership)),
      "poam-items": weaknesses.map((each) => ({
        uuid: uuidOf(about, "poam-item", each.id),
        title: each.title,
        description: each.description,
        props: [
          { name: "owner", ns: namespace, value: ownerOf(each, ownership) },
          { name: "due", ns: namespace, value: dueOf(each, ownership) },
          { name: "requirement", ns: namespace, value: `AG-403 ${each.requirement}` },
        ],
        "related-observations": [{ "observation-uuid": observationId(each.ref, about) }],
        "related-risks": [{ "risk-uuid": uuidOf(about, "risk", each.id) }],
      })),
    },
  };
}

function subject({ manifest, manifestDigest, asOf }: Evidence): string {
  return [manifest.tenant, manifest.deployment, manifestDigest, asOf].join("\n");
}

function metadata(title: string, evidence: Evidence, owners: readonly string[]): JsonObject {
  return {
    title,
    "last-modified": evidence.asOf,
    version: `${evidence.manifest.version}`,
    "oscal-version": oscalVersion,
    ...(owners.length === 0
      ? {}
      : {
          roles: [{ id: "owner", title: "Answers for a weakness" }],
          parties: owners.map((name) => ({ uuid: ownerId(name), type: "person", name })),
        }),
  };
}

function controlId(requirement: string): string {
  return `ag-403_${requirement}`;
}

function finding(assessed: Assessed, about: string): JsonObject {
  const { requirement, title, status, refs, weaknesses } = assessed;
  const satisfied = status === "satisfied";
  const reason = satisfied ? "pass" : status === "no_evidence" ? "other" : "fail";
  return {
    uuid: uuidOf(about, "finding", requirement),
    title: `AG-403 ${requirement}: ${title}`,
    description: descriptionOf(assessed),
    target: {
      type: "objective-id",
      "target-id": controlId(requirement),
      status: { state: satisfied ? "satisfied" : "not-satisfied", reason },
    },
    ...(refs.length === 0
      ? {}
      : {
          "related-observations": refs.map((ref) => ({
            "observation-uuid": observationId(ref, about),
          })),
        }),
    ...(weaknesses.length === 0
      ? {}
      : {
          "related-risks": weaknesses.map(({ id }) => ({ "risk-uuid": uuidOf(about, "risk", id) })),
        }),
  };
}

function descriptionOf({ status, refs, weaknesses }: Assessed): string {
  if (status === "no_evidence") return "No evidence speaks of it, so it is not satisfied.";
  if (status === "satisfied") return `${refs.length} pieces of evidence, none against it.`;
  return weaknesses.map(({ title, description }) => `${title} (${description})`).join(". ");
}

/** Evidence of weaknesses may be no evidence for anything: it is observed all the same. */
function allRefs(assessed: readonly Assessed[]): readonly EvidenceRef[] {
  const refs = assessed.flatMap((each) => [...each.refs, ...each.weaknesses.map(({ ref }) => ref)]);
  return [...new Map(refs.map((ref) => [`${ref.kind} ${ref.id}`, ref])).values()];
}

function observationId(ref: EvidenceRef, about: string): string {
  return uuidOf(about, "observation", ref.kind, ref.id);
}

const observedAs: Readonly<Record<EvidenceRef["kind"], string>> = {
  manifest: "The signed manifest",
  record: "The record of a failover",
  drill: "The signed journal of a drill",
  parity: "A comparison of a target with the primary",
};

function observation(ref: EvidenceRef, about: string): JsonObject {
  const place = ref.logIndex === null ? "" : `, entry ${ref.logIndex} of its log`;
  return {
    uuid: observationId(ref, about),
    description: `${observedAs[ref.kind]} ${ref.id}${place}.`,
    methods: [ref.kind === "manifest" ? "EXAMINE" : "TEST"],
    "relevant-evidence": [{ href: ref.path, description: `${ref.path} of the evidence pack` }],
    collected: ref.at,
  };
}

function risk(weakness: Weakness, about: string, ownership: Ownership): JsonObject {
  const { id, title, description, ref, requirement } = weakness;
  const due = dueOf(weakness, ownership);
  const owner = ownerOf(weakness, ownership);
  return {
    uuid: uuidOf(about, "risk", id),
    title,
    description,
    statement: `While this is so, AG-403 ${requirement} is not satisfied.`,
    props: [{ name: "owner", ns: namespace, value: owner }],
    status: "open",
    deadline: due,
    remediations: [
      {
        uuid: uuidOf(about, "remediation", id),
        lifecycle: "planned",
        title: "Repair, and show it by a drill",
        description: `${owner} repairs it and holds a drill that passes.`,
        tasks: [
          {
            uuid: uuidOf(about, "task", id),
            type: "milestone",
            title: "A drill passes",
            timing: { "within-date-range": { start: ref.at, end: due } },
            "responsible-roles": [{ "role-id": "owner", "party-uuids": [ownerId(owner)] }],
          },
        ],
      },
    ],
    "related-observations": [{ "observation-uuid": observationId(ref, about) }],
  };
}

function ownerOf({ requirement }: Weakness, { owners }: Ownership): string {
  return owners[requirement] ?? owners.default;
}

function ownersOf(weaknesses: readonly Weakness[], ownership: Ownership): readonly string[] {
  return [...new Set(weaknesses.map((each) => ownerOf(each, ownership)))].sort();
}

function ownerId(name: string): string {
  return uuidOf("owner", name);
}

function dueOf({ ref }: Weakness, { dueDays }: Ownership): string {
  return instantText((instantMs(ref.at) ?? 0) + dueDays * dayMs);
}
