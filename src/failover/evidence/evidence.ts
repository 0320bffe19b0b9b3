/** What is known of a deployment's failovers and drills, all of it signed or in a verified log. */
import type { JsonObject } from "../../kernel/index.ts";
import type { DrillJournal } from "../drill/index.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { FailoverRecord } from "../record/event-record.ts";

export interface Evidence {
  /** The one in force. */
  readonly manifest: Manifest;
  readonly manifestDigest: string;
  readonly records: readonly FailoverRecord[];
  readonly drills: readonly DrillJournal[];
  readonly parity: readonly ParityFinding[];
  /** RFC 3339 UTC: the moment that ages and due dates are counted from. */
  readonly asOf: string;
}

/** One comparison of a target with the primary (AG-403 4.8). */
export interface ParityFinding {
  readonly site: string;
  /** RFC 3339 UTC. */
  readonly compared: string;
  readonly equal: boolean;
  /** What differs, each in a few words. */
  readonly drifted: readonly string[];
  /** The site it was compared with, where the log of a guard says so; and where that stands in it. */
  readonly acting?: string;
  readonly log_index?: number;
}

export const requirements = [
  { id: "4.1", title: "Governance-state manifest per deployment" },
  { id: "4.2", title: "Validation as a blocking gate after any failover" },
  { id: "4.3", title: "Block when any component fails" },
  { id: "4.4", title: "Audit pipeline continuity" },
  { id: "4.5", title: "Jurisdiction and residency of the target" },
  { id: "4.6", title: "Structured record of every failover" },
  { id: "4.7", title: "Drills with simulated failures, at least quarterly" },
  { id: "4.8", title: "Version parity between primary and targets" },
  { id: "4.9", title: "Governance recovery time as a metric of its own" },
  { id: "4.10", title: "Remediation within a time budget" },
] as const;

export type RequirementId = (typeof requirements)[number]["id"];

/** Points at one piece of evidence in the pack. */
export interface EvidenceRef {
  readonly kind: "manifest" | "record" | "drill" | "parity";
  readonly id: string;
  /** Path in the pack. */
  readonly path: string;
  /** Index in the log where it stands; null where it stands in none. */
  readonly logIndex: number | null;
  /** RFC 3339 UTC. */
  readonly at: string;
}

export interface Weakness {
  /** The same weakness has the same id every time. */
  readonly id: string;
  readonly requirement: RequirementId;
  readonly title: string;
  readonly description: string;
  readonly ref: EvidenceRef;
}

export interface Assessed {
  readonly requirement: RequirementId;
  readonly title: string;
  /** `no_evidence` is never counted as satisfied. */
  readonly status: "satisfied" | "not_satisfied" | "no_evidence";
  readonly refs: readonly EvidenceRef[];
  readonly weaknesses: readonly Weakness[];
}

export function recordRef(record: FailoverRecord): EvidenceRef {
  return {
    ...{ kind: "record", id: record.failover, path: `records/${record.failover}.json` },
    logIndex: record.first_index,
    at: record.closed ?? record.initiated,
  };
}

export function drillRef({ end, holdfast }: DrillJournal): EvidenceRef {
  const { drill, log_index: logIndex } = holdfast;
  return { kind: "drill", id: drill, path: `drills/${drill}.json`, logIndex, at: end };
}

export function manifestRef({ manifest, manifestDigest, asOf }: Evidence): EvidenceRef {
  return {
    ...{ kind: "manifest", id: manifestDigest, path: `manifests/${manifest.version}.json` },
    ...{ logIndex: null, at: asOf },
  };
}

export function parityRef(finding: ParityFinding): EvidenceRef {
  return {
    ...{ kind: "parity", id: `${finding.site} ${finding.compared}`, path: "parity.json" },
    ...{ logIndex: finding.log_index ?? null, at: finding.compared },
  };
}

/** For canonical JSON: our own types are plain JSON, which the compiler cannot see of an interface. */
export function plain(value: object): JsonObject {
  return value as unknown as JsonObject;
}
