/** The end of a drill: judged, signed, written, recorded, forgotten; in this order, so that a crash loses nothing. */
import {
  type ActivityRun,
  type DrillFindings,
  type DrillJournal,
  drillPayloadType,
  judgeDrill,
  signEnvelope,
} from "../../failover/index.ts";
import {
  canonicalJson,
  digestOf,
  err,
  type JsonObject,
  ok,
  type Result,
  sha256Hex,
} from "../../kernel/index.ts";
import { forgetOpenDrill, type OpenDrill, writeOpenDrill } from "./open-drill.ts";
import type { DrillParts, DrillRefusal, DrillRequest } from "./parts.ts";

export interface ClosedDrill {
  readonly journal: DrillJournal;
  /** Its place in the folder of drills. */
  readonly path: string;
}

export async function closeDrill(
  parts: DrillParts,
  request: Pick<DrillRequest, "experiment">,
  open: OpenDrill,
  rollbacks: readonly ActivityRun[],
  findings: DrillFindings,
): Promise<Result<ClosedDrill, DrillRefusal>> {
  const journal = journalOf(parts, request, open, rollbacks, findings);
  const payload = journal as unknown as JsonObject;
  const envelope = signEnvelope(drillPayloadType, payload, parts.signer);
  const bytes = Buffer.from(`${canonicalJson(envelope as unknown as JsonObject)}\n`);
  const path = pathOf(open);
  const replaced = await parts.disk.replace(path, bytes);
  if (!replaced.ok) return stuck(`${path} cannot be written (${replaced.error.code})`);
  const settled = await settleDrill(parts, open, journal, bytes);
  const { verdict, because } = journal.holdfast;
  parts.tell(`${verdict.toUpperCase()}: ${because.join("; ")}`);
  return settled;
}

/** What is left to do once the journal is written. May be done again. */
export async function settleDrill(
  parts: DrillParts,
  open: OpenDrill,
  journal: DrillJournal,
  envelope: Uint8Array,
): Promise<Result<ClosedDrill, DrillRefusal>> {
  const { began, state, scenario, deployment, verdict } = journal.holdfast;
  const { experiment_digest, manifest_digest } = journal.holdfast;
  if (began) {
    const recorded = await parts.record({
      ...{ step: "closed", drill: open.drill, scenario, deployment, verdict },
      ...{ experiment_digest, manifest_digest, journal_digest: `sha256:${sha256Hex(envelope)}` },
    });
    if (!recorded.ok) return stuck(`its end could not be recorded: ${recorded.error}`);
  }
  // What was not restored stays open: the next start tries again, and nothing else is drilled before.
  const kept =
    began && !state.restored
      ? await writeOpenDrill(parts.disk, { ...open, closed: true })
      : await forgetOpenDrill(parts.disk);
  return kept.ok ? ok({ journal, path: pathOf(open) }) : stuck(kept.error);
}

function pathOf({ drill }: OpenDrill): string {
  return `journals/${drill}.json`;
}

function stuck(because: string): Result<never, DrillRefusal> {
  return err({ kind: "stuck", because: [because] });
}

function journalOf(
  { about, clock }: DrillParts,
  { experiment }: Pick<DrillRequest, "experiment">,
  open: OpenDrill,
  rollbacks: readonly ActivityRun[],
  findings: DrillFindings,
): DrillJournal {
  const { governance, source } = experiment;
  // The wall clock may have been set back meanwhile; nothing ends before it began.
  const endMs = Math.max(open.started_ms, clock.wallMs());
  const judged = judgeDrill(findings);
  return {
    "chaoslib-version": `holdfast ${about.version}`,
    platform: about.platform,
    node: about.node,
    experiment: source,
    start: new Date(open.started_ms).toISOString(),
    end: new Date(endMs).toISOString(),
    duration: (endMs - open.started_ms) / 1_000,
    status: statusOf(findings),
    deviated: open.steady_after?.steady_state_met === false || judged.verdict === "fail",
    steady_states: { before: open.steady_before, after: open.steady_after, during: [] },
    run: open.run,
    rollbacks,
    holdfast: {
      ...findings,
      drill: open.drill,
      scenario: governance.scenario,
      deployment: governance.deployment,
      tenant: open.tenant,
      sites: governance.targets.map(({ site }) => site),
      manifest_digest: open.manifest_digest,
      experiment_digest: digestOf(source),
      serves: governance.controls,
      log_index: open.log_index,
      ...judged,
      looks: open.looks,
    },
  };
}

function statusOf({
  began,
  interrupted,
  aborted,
  failed_actions: failed,
}: DrillFindings): DrillJournal["status"] {
  if (interrupted) return "interrupted";
  if (aborted !== null) return "aborted";
  return began && failed.length === 0 ? "completed" : "failed";
}
