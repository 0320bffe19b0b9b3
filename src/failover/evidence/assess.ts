/**
 * What the evidence says of each requirement of AG-403 4.1 to 4.10. Nothing is assumed: a requirement that no evidence
 * speaks of has none, and one that broke once is not satisfied until the evidence of the break has left the period.
 */
import { instantMs } from "../../kernel/index.ts";
import { drillsDue } from "../drill/index.ts";
import type { Component } from "../manifest/manifest.ts";
import type { FailoverRecord } from "../record/event-record.ts";
import {
  type Assessed,
  drillRef,
  type Evidence,
  type EvidenceRef,
  manifestRef,
  parityRef,
  type RequirementId,
  recordRef,
  requirements,
  type Weakness,
} from "./evidence.ts";

interface Seen {
  readonly refs: readonly EvidenceRef[];
  readonly weaknesses: readonly Omit<Weakness, "requirement" | "id">[];
}

export function assess(evidence: Evidence): readonly Assessed[] {
  return requirements.map(({ id, title }) => {
    const own = assessors[id](evidence);
    const drilled = drillsServing(id, evidence);
    const refs = unique([...own.refs, ...drilled.refs]);
    const weaknesses = [...own.weaknesses, ...drilled.weaknesses].map((weakness) => ({
      ...weakness,
      requirement: id,
      id: `${id}/${weakness.ref.kind}/${weakness.ref.id}/${weakness.title}`,
    }));
    const status =
      weaknesses.length > 0 ? "not_satisfied" : refs.length > 0 ? "satisfied" : "no_evidence";
    return { requirement: id, title, status, refs, weaknesses };
  });
}

function unique(refs: readonly EvidenceRef[]): readonly EvidenceRef[] {
  return [...new Map(refs.map((ref) => [`${ref.kind} ${ref.id}`, ref])).values()];
}

/** Drills that say they serve it: the newest conclusive one of each scenario counts. */
function drillsServing(id: RequirementId, { drills }: Evidence): Seen {
  const newest = new Map<string, Evidence["drills"][number]>();
  for (const journal of drills) {
    const { scenario, serves, verdict } = journal.holdfast;
    if (verdict === "inconclusive" || !serves.includes(`AG-403:${id}`)) continue;
    const known = newest.get(scenario);
    if (known === undefined || known.end <= journal.end) newest.set(scenario, journal);
  }
  const all = [...newest.values()];
  return {
    refs: all.map(drillRef),
    weaknesses: all
      .filter(({ holdfast }) => holdfast.verdict === "fail")
      .map((journal) => ({
        title: `The drill ${journal.holdfast.scenario} failed`,
        description: journal.holdfast.because.join("; "),
        ref: drillRef(journal),
      })),
  };
}

type Assessor = (evidence: Evidence) => Seen;

/** Looks at each record; a sentence is a weakness of it. */
function eachRecord(
  { records }: Evidence,
  concerns: (record: FailoverRecord) => boolean,
  weaknessOf: (record: FailoverRecord) => readonly [string, string] | undefined,
): Seen {
  const looked = records.filter(concerns);
  return {
    refs: looked.map(recordRef),
    weaknesses: looked.flatMap((record) => {
      const found = weaknessOf(record);
      if (found === undefined) return [];
      return [{ title: found[0], description: found[1], ref: recordRef(record) }];
    }),
  };
}

const resumed = ({ traffic_resumed: at }: FailoverRecord): boolean => at !== null;

const notPassed = (record: FailoverRecord): readonly string[] =>
  record.answers.filter(({ verdict }) => verdict !== "pass").map(({ component }) => component);

const assessors: Readonly<Record<RequirementId, Assessor>> = {
  "4.1": (evidence) => ({ refs: [manifestRef(evidence)], weaknesses: [] }),

  "4.2": (evidence) =>
    eachRecord(
      evidence,
      resumed,
      ({ failover, validation_ended, traffic_resumed, break_glass }) => {
        if (break_glass.length > 0) return undefined;
        if (validation_ended !== null && validation_ended <= (traffic_resumed ?? ""))
          return undefined;
        return [
          "Traffic went on before the validation had ended",
          `${failover}: resumed at ${traffic_resumed}, validated ${validation_ended ?? "never"}`,
        ];
      },
    ),

  "4.3": (evidence) =>
    eachRecord(
      evidence,
      (record) => record.answers.length > 0,
      (record) => {
        const let_ = lettingThrough(record, evidence.manifest.components);
        if (!resumed(record) || record.break_glass.length > 0 || let_.length === 0)
          return undefined;
        return [
          "Traffic went on although a blocking component had not passed",
          `${record.failover}: ${let_.join(", ")}`,
        ];
      },
    ),

  "4.4": (evidence) =>
    eachRecord(
      evidence,
      ({ watermark, answers }) => watermark.length + answers.length > 0,
      (record) => {
        const lost = record.watermark.filter((each) => each.lost).map((each) => each.of);
        if (!resumed(record) || record.break_glass.length > 0 || lost.length === 0)
          return undefined;
        return [
          "Traffic went on although acknowledged records were lost",
          `${record.failover}: ${lost.join(", ")}`,
        ];
      },
    ),

  "4.5": (evidence) =>
    eachRecord(
      evidence,
      ({ residency }) => residency.length > 0,
      (record) => {
        const denied = record.residency.filter(({ decision }) => decision === "deny");
        if (!resumed(record) || denied.length === 0) return undefined;
        const overridden =
          evidence.manifest.break_glass.overrides_residency && record.break_glass.length > 0;
        if (overridden) return undefined;
        return [
          "Traffic went on in a jurisdiction that is denied",
          `${record.failover}: ${denied.map((each) => each.data_class).join(", ")}`,
        ];
      },
    ),

  "4.6": (evidence) =>
    eachRecord(
      evidence,
      () => true,
      (record) => {
        const missing = missingIn(record, evidence.asOf);
        if (missing.length === 0) return undefined;
        return [
          "A record of a failover is not complete",
          `${record.failover}: ${missing.join(", ")}`,
        ];
      },
    ),

  "4.7": assessDrills,

  "4.8": ({ parity }) => {
    const newest = new Map(
      [...parity]
        .sort((a, b) => (a.compared < b.compared ? -1 : 1))
        .map((finding) => [finding.site, finding]),
    );
    const all = [...newest.values()];
    return {
      refs: all.map(parityRef),
      weaknesses: all
        .filter(({ equal }) => !equal)
        .map((finding) => ({
          title: `The target ${finding.site} has drifted`,
          description: finding.drifted.join(", "),
          ref: parityRef(finding),
        })),
    };
  },

  "4.9": (evidence) =>
    eachRecord(evidence, resumed, ({ failover, grt_ms: grt }) => {
      const allowed = evidence.manifest.objectives.grto_seconds * 1_000;
      if (grt !== null && grt <= allowed) return undefined;
      return grt === null
        ? ["The governance recovery time was not measured", failover]
        : [
            "The governance recovery took longer than its objective",
            `${failover}: ${grt} ms, allowed ${allowed} ms`,
          ];
    }),

  "4.10": (evidence) =>
    eachRecord(
      evidence,
      ({ remediation }) => remediation.length > 0,
      ({ failover, remediation }) => {
        const took = remediation.reduce((sum, each) => sum + each.took_ms, 0);
        const allowed = evidence.manifest.objectives.remediation_seconds * 1_000;
        if (took <= allowed) return undefined;
        return [
          "Remediation took longer than its budget",
          `${failover}: ${took} ms, allowed ${allowed} ms`,
        ];
      },
    ),
};

/** Components that had not passed and block. One that the manifest does not know any more is taken to block. */
function lettingThrough(
  record: FailoverRecord,
  components: readonly Component[],
): readonly string[] {
  return notPassed(record).filter((name) => {
    const onFailure = components.find((each) => each.name === name)?.on_failure ?? "block";
    return onFailure === "block" || (typeof onFailure === "object" && record.tier === null);
  });
}

const openTooLongMs = 3_600_000;

/** AG-403 4.6 names what a record holds; one that stays open is a fault of its own. */
function missingIn(record: FailoverRecord, asOf: string): readonly string[] {
  const missing: string[] = [];
  if (record.cause === "") missing.push("trigger cause");
  if (record.target_site === "") missing.push("target");
  if (record.closed === null) {
    const age = at(asOf) - at(record.initiated);
    return age > openTooLongMs ? [...missing, "it was never closed"] : missing;
  }
  if (record.outcome === null) missing.push("outcome");
  if (record.traffic_resumed !== null && record.validation_ended === null)
    missing.push("validation result");
  return missing;
}

function assessDrills(evidence: Evidence): Seen {
  const { drills, manifest, asOf } = evidence;
  const conclusive = drills.filter(({ holdfast }) => holdfast.verdict !== "inconclusive");
  const scenarios = [...new Set(drills.map(({ holdfast }) => holdfast.scenario))];
  const past = drills.map(({ end, holdfast: { drill, scenario, verdict } }) => {
    return { drill, scenario, verdict, endedMs: at(end) };
  });
  const days = manifest.objectives.drill_days;
  const due = drillsDue(scenarios, past, days, at(asOf));
  return {
    refs: conclusive.map(drillRef),
    weaknesses:
      conclusive.length === 0
        ? [
            {
              title: "No drill has shown anything yet",
              description: `one is due every ${days} days`,
              ref: manifestRef(evidence),
            },
          ]
        : due
            .filter(({ overdue }) => overdue)
            .map(({ scenario, last }) => ({
              title: `The drill ${scenario} is overdue`,
              description: `the last that showed something: ${last?.drill ?? "none"}; due every ${days} days`,
              ref: manifestRef(evidence),
            })),
  };
}

/** A time that cannot be read is the oldest there is: it makes nothing younger. */
function at(text: string): number {
  return instantMs(text) ?? 0;
}
