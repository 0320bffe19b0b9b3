/** Evidence of a deployment where all is well, to change one thing at a time. */

import type { Evidence } from "../../../../src/failover/evidence/index.ts";
import type { DrillJournal, DrillVerdict, FailoverRecord } from "../../../../src/failover/index.ts";
import { experiment, manifest } from "../drill/experiments.ts";

export function record(change: Partial<FailoverRecord> = {}): FailoverRecord {
  return {
    failover: "fo-1",
    deployment: "trading-agents",
    tenant: "acme",
    site: "dub",
    planned: false,
    mechanism: "patroni",
    cause: "the leader was lost",
    detector: "patroni",
    source_site: "fra",
    target_site: "dub",
    initiated: "2026-05-01T10:00:00.000Z",
    epoch: 7,
    manifest_digest: `sha256:${"a".repeat(64)}`,
    phase: "ready",
    app_ready: "2026-05-01T10:00:21.000Z",
    validation_started: "2026-05-01T10:00:20.000Z",
    validation_ended: "2026-05-01T10:00:22.000Z",
    traffic_resumed: "2026-05-01T10:00:23.000Z",
    closed: "2026-05-01T10:00:24.000Z",
    outcome: "resumed",
    tier: null,
    answers: [
      {
        ...{ deployment: "trading-agents", site: "dub", epoch: 7, nonce: "n" },
        ...{ component: "audit", verdict: "pass", because: "seen", observed: {} },
        ...{ bound_by: "echo", asked: "2026-05-01T10:00:20.000Z", took_ms: 12 },
      },
    ],
    residency: [{ data_class: "phi", decision: "same_jurisdiction", basis: "IE is in the EU" }],
    watermark: [{ of: "ledger/fra", witnessed: "10", observed: "10", lost: false }],
    remediation: [{ component: "audit", attempt: 1, result: "done", detail: "", took_ms: 400 }],
    reinitialised: ["audit"],
    break_glass: [],
    restarts: 0,
    rto_ms: 21_000,
    grt_ms: 22_000,
    first_index: 3,
    last_index: 9,
    ...change,
  };
}

export function journal(
  drill: string,
  verdict: DrillVerdict = "pass",
  scenario = "freeze",
  end = "2026-05-02T10:00:00.000Z",
): DrillJournal {
  return {
    ...{ "chaoslib-version": "holdfast 0.0.0", platform: "test", node: "test" },
    experiment: experiment(),
    ...{ start: "2026-05-02T09:59:00.000Z", end, duration: 60 },
    ...{ status: "completed", deviated: verdict === "fail" },
    steady_states: { before: null, after: null, during: [] },
    ...{ run: [], rollbacks: [] },
    holdfast: {
      ...{ began: true, controls: [], proof: [], failed_actions: [], failed_rollbacks: [] },
      state: { before: "sha256:s", after: "sha256:s", restored: true },
      ...{ aborted: null, interrupted: false, drill, scenario, verdict },
      ...{ deployment: "trading-agents", tenant: "acme", sites: ["dub"] },
      ...{ manifest_digest: "sha256:m", experiment_digest: "sha256:e" },
      ...{ serves: ["AG-403:4.3"], log_index: 4, score: verdict === "pass" ? 1 : 0 },
      ...{ because: [verdict === "fail" ? "the gate stayed open" : "it held"], looks: [] },
    },
  };
}

export function evidence(change: Partial<Evidence> = {}): Evidence {
  return {
    manifest,
    manifestDigest: `sha256:${"a".repeat(64)}`,
    records: [record()],
    drills: [journal("dr-1")],
    parity: [{ site: "dub", compared: "2026-05-03T10:00:00.000Z", equal: true, drifted: [] }],
    asOf: "2026-05-04T10:00:00.000Z",
    ...change,
  };
}
