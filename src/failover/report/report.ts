/** A report that people hand on: for each clause the evidence behind it, by name, and what is not covered. */
import {
  type Assessed,
  assess,
  type Evidence,
  type EvidenceRef,
  type GrtPoint,
  grtSeries,
} from "../evidence/index.ts";
import { type Regulation, type RegulationLine, regulations } from "./regulations.ts";

export interface ReportLine {
  readonly clause: string;
  readonly about: string;
  /** `supported`: everything that speaks of it is satisfied. */
  readonly status: "supported" | "contradicted" | "no_evidence";
  readonly requirements: readonly string[];
  readonly evidence: readonly EvidenceRef[];
  /** Components of the manifest that say they serve it. */
  readonly components: readonly string[];
  readonly weaknesses: readonly string[];
  readonly not_covered: string;
}

export interface RegulationReport {
  readonly regulation: string;
  readonly title: string;
  /** Why it says nothing, where it does not apply. */
  readonly not_applicable: string | null;
  readonly lines: readonly ReportLine[];
}

/** Declared by the manifest, measured in records (FCA SYSC 15A speaks of impact tolerances). */
export interface Tolerance {
  readonly name: "governance_recovery" | "application_recovery" | "remediation" | "drill_interval";
  readonly unit: "seconds" | "days";
  readonly declared: number;
  /** The worst that was measured; null where nothing was. */
  readonly worst: number | null;
  readonly within: boolean | null;
}

export interface Report {
  readonly deployment: string;
  readonly tenant: string;
  readonly manifest_version: number;
  readonly manifest_digest: string;
  readonly as_of: string;
  readonly failovers: number;
  readonly drills: number;
  readonly tolerances: readonly Tolerance[];
  readonly grt: readonly GrtPoint[];
  readonly regulations: readonly RegulationReport[];
}

export const regulationIds: readonly string[] = regulations.map(({ id }) => id);

/** Of these regulations, in the order of the table. */
export function reportOf(evidence: Evidence, wanted: readonly string[]): Report {
  const { manifest, manifestDigest, asOf, records, drills } = evidence;
  const assessed = assess(evidence);
  return {
    ...{ deployment: manifest.deployment, tenant: manifest.tenant, as_of: asOf },
    ...{ manifest_version: manifest.version, manifest_digest: manifestDigest },
    ...{ failovers: records.length, drills: drills.length },
    tolerances: tolerancesOf(evidence),
    grt: grtSeries(records, manifest),
    regulations: regulations
      .filter(({ id }) => wanted.includes(id))
      .map((each) => regulationReport(each, evidence, assessed)),
  };
}

function regulationReport(
  { id, title, profile, lines }: Regulation,
  { manifest }: Evidence,
  assessed: readonly Assessed[],
): RegulationReport {
  const applies = profile === undefined || manifest.profiles.includes(profile);
  return {
    ...{ regulation: id, title },
    not_applicable: applies ? null : `the manifest does not have the profile ${profile}`,
    lines: applies ? lines.map((each) => reportLine(each, manifest.components, assessed)) : [],
  };
}

function reportLine(
  { clause, about, requirements, control, notCovered }: RegulationLine,
  components: Evidence["manifest"]["components"],
  assessed: readonly Assessed[],
): ReportLine {
  const speaking = assessed.filter(({ requirement }) => requirements.includes(requirement));
  const evidence = new Map(
    speaking.flatMap(({ refs }) => refs).map((ref) => [`${ref.kind} ${ref.id}`, ref]),
  );
  return {
    ...{ clause, about },
    status: statusOf(speaking),
    requirements: requirements.map((id) => `AG-403 ${id}`),
    evidence: [...evidence.values()],
    components: components
      .filter(({ controls }) => controls.some((each) => serves(each, control)))
      .map(({ name }) => name),
    weaknesses: speaking.flatMap(({ weaknesses }) =>
      weaknesses.map(({ title, description }) => `${title} (${description})`),
    ),
    not_covered: notCovered,
  };
}

/** `DORA:11.6` serves `DORA:11`; `DORA:110` does not. */
function serves(named: string, control: string): boolean {
  const next = named.charAt(control.length);
  return named.startsWith(control) && !/[0-9A-Za-z]/.test(next);
}

/** One that contradicts outweighs all that support; one that is silent leaves the line without evidence. */
function statusOf(speaking: readonly Assessed[]): ReportLine["status"] {
  if (speaking.some(({ status }) => status === "not_satisfied")) return "contradicted";
  const silent = speaking.some(({ status }) => status === "no_evidence");
  return silent || speaking.length === 0 ? "no_evidence" : "supported";
}

function tolerancesOf({ manifest, records }: Evidence): readonly Tolerance[] {
  const { grto_seconds, rto_seconds, remediation_seconds, drill_days } = manifest.objectives;
  const tolerance = (
    name: Tolerance["name"],
    declared: number,
    measuredMs: readonly number[],
  ): Tolerance => {
    const worst = measuredMs.length === 0 ? null : Math.max(...measuredMs) / 1_000;
    const within = worst === null ? null : worst <= declared;
    return { name, unit: "seconds", declared, worst, within };
  };
  const remediated = records
    .filter(({ remediation }) => remediation.length > 0)
    .map(({ remediation }) => remediation.reduce((sum, { took_ms }) => sum + took_ms, 0));
  return [
    tolerance(
      "governance_recovery",
      grto_seconds,
      records.flatMap(({ grt_ms }) => grt_ms ?? []),
    ),
    tolerance(
      "application_recovery",
      rto_seconds,
      records.flatMap(({ rto_ms }) => rto_ms ?? []),
    ),
    tolerance("remediation", remediation_seconds, remediated),
    { name: "drill_interval", unit: "days", declared: drill_days, worst: null, within: null },
  ];
}
