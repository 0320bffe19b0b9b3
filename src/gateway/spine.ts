/**
 * The life of a call, in order. Every face comes through here, so a call is governed the same way whatever wire it came
 * on:
 *
 *   resolve → gather facts → decide → oblige → admit → record → forward → record → answer
 *
 * (`receive`, `parse` and `identify` happened in the face.) Each exit before `forward` leaves the upstream untouched.
 */
import type { EntryOrigin } from "../audit/index.ts";
import { callId } from "../kernel/index.ts";
import type { Committed, Ledger } from "../ledger/index.ts";
import type { Clock, Entropy, Log, RegoRuntime, Telemetry } from "../ports.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { admit, type Gate, lets, recheck, type Settle } from "./admit.ts";
import { refusalOf } from "./answer.ts";

import type { ApprovalWatch } from "./approvals/index.ts";
import { type AttemptParts, sendWithAttempts } from "./attempts.ts";

import type {
  Decision,
  Forward,
  Forwarded,
  Governed,
  RefusalCode,
  Spine,
  ToolRequest,
} from "./call.ts";
import { trimmed } from "./carried.ts";
import { policyAction, policySubject } from "./decide.ts";
import { Directory } from "./directory.ts";
import { aboutHold, type Hold, holdCode, holdReason } from "./hold.ts";
import type { InFlight } from "./in-flight.ts";

import {
  type Asked,
  asking,
  type Judgement,
  judge,
  type ModelSource,
  regoAnswers,
  type Surroundings,
} from "./judge.ts";
import type { KillWatch } from "./kill-watch.ts";
import { forRecord } from "./oblige.ts";
import { observationOf } from "./observe.ts";
import { predictionOf } from "./prediction.ts";
import { decisionEntry, outcomeEntry } from "./record.ts";
import { resolveTool } from "./resolve.ts";
import { search, searchTurnMsMax } from "./search.ts";
import { Turns } from "./turns.ts";

export interface SpineParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly ledger: Ledger;
  readonly policy: ActivePolicy;
  readonly inFlight: InFlight;
  readonly kill: Pick<KillWatch, "hold" | "looked">;
  readonly approvals: Pick<ApprovalWatch, "answered">;
  /** In the order in which a call passes them. */
  readonly gates: readonly Gate[];
  /** What is known and declared of those that are called. */
  readonly upstreams: Pick<AttemptParts, "breakers" | "rules">;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly origin: EntryOrigin;
  /** Default: nobody and nothing is known. */
  readonly directory?: Directory;
  /** Default: none is there, and conditions that need it cannot be evaluated. */
  readonly rego?: RegoRuntime;
  /** Default: nothing is known of what a call would touch. */
  readonly model?: ModelSource;
}

const emptyDirectory = new Directory();

function surroundings({
  origin,
  kill,
  rego,
  model,
  directory = emptyDirectory,
}: SpineParts): Surroundings {
  return {
    ...{ site: origin.site, kill, directory },
    ...(rego === undefined ? {} : { rego }),
    ...(model === undefined ? {} : { model }),
  };
}

/** One call on its way through the stages. */
interface Passage extends Asked {
  readonly startMs: number;
  readonly span: ReturnType<Telemetry["startCall"]>;
  decidedMs: number;
  recordedMs: number;
  forwardedMs: number;
}

export function createSpine(parts: SpineParts): Spine {
  const searchTurns = new Turns(parts.clock, searchTurnMsMax);
  return {
    govern: (request, forward) => govern(parts, request, forward),
    evaluate: (request) => govern<never>(parts, request, undefined),
    couldCall: (identity, tool, definition, effectHint) => {
      const engine = parts.policy.current();
      if (engine === undefined) return false;
      const resolved = resolveTool(engine, tool, definition, effectHint);
      const subject = policySubject(surroundings(parts).directory.completeSubject(identity));
      return engine.couldAllow(subject, policyAction(resolved));
    },
    answered: (id, timeoutMs, signal) => parts.approvals.answered(id, timeoutMs, signal),
    search: (asked) => search({ ...parts, ...surroundings(parts), searchTurns }, asked),
    catalog: () => parts.policy.current()?.tools ?? [],
    policyVersion: () => parts.policy.current()?.revision,
    onPolicyChange: (listener) => parts.policy.onChange(listener),
  };
}

async function govern<A>(
  parts: SpineParts,
  request: ToolRequest,
  forward: Forward<A> | undefined,
): Promise<Governed<A>> {
  const passage = begin(parts, request);
  // Whoever asks uses up the room: an enforcement point its own, not that of the agent it asks about.
  const { tenant, agent } = request.caller ?? request.identity;
  const leave = parts.inFlight.enter(JSON.stringify([tenant, agent]));
  // Refused before anything was decided: the one refusal that leaves no entry, so that a flood cannot fill the log.
  if (leave === undefined)
    return refuse(parts, passage, parts.inFlight.stopping ? "stopping" : "too_many_calls");
  try {
    const looked = parts.kill.looked();
    if (looked !== undefined) await looked;
    const around = surroundings(parts);
    const answers = regoAnswers(passage, around);
    const decisionOnly = forward === undefined;
    const judged = judge(passage, around, decisionOnly, answers && (await answers));
    passage.decidedMs = parts.clock.monotonicMs();
    const { judgement, settle } = await admit(parts.gates, passage, judged, decisionOnly);
    const committed = await record(parts, passage, judgement);
    if (committed === undefined) {
      // The entry may or may not be in the log; nothing was forwarded, and the ledger accepts nothing more.
      await settle("not_sent");
      return refuse(parts, passage, "record_failed");
    }
    if (forward !== undefined && lets(judgement))
      return await act(parts, passage, judgement, committed, forward, settle);
    // Whoever asked only for the decision acts on it.
    await settle("ok");
    const outcome = lets(judgement) ? "evaluated" : "refused";
    return answer(parts, passage, judgement, committed, outcome);
  } finally {
    leave();
  }
}

/** The decision is durable. A crash from here on leaves a decision without outcome: `unknown` after restart. */
async function act<A>(
  parts: SpineParts,
  passage: Passage,
  judgement: Judgement,
  committed: Committed,
  forward: Forward<A>,
  settle: Settle,
): Promise<Governed<A>> {
  // Recording took a moment.
  const hold = stopped(parts, passage);
  if (hold !== undefined) {
    await settle("not_sent");
    return await withhold(parts, passage, committed, hold);
  }
  const forwarded = await sendAll(parts, passage, judgement, forward).catch(
    async (thrown: unknown) => {
      await recordOutcome(parts, passage, committed, broken);
      await settle("unknown");
      throw thrown;
    },
  );
  passage.forwardedMs = parts.clock.monotonicMs();
  // The upstream has acted (or may have). The answer waits for the outcome to be durable.
  const recorded = await recordOutcome(parts, passage, committed, forwarded);
  await settle(forwarded.outcome);
  if (!recorded) return refuse(parts, passage, "outcome_unrecorded", receiptOf(parts, committed));
  return answer(parts, passage, judgement, committed, forwarded.outcome, forwarded);
}

/** A forward that threw has broken its promise; what it had sent by then nobody knows. */
const broken: Forwarded<undefined> = {
  outcome: "unknown",
  detail: "the gateway failed while the call was forwarded",
  resultBytes: 0,
  answer: undefined,
};

function begin(parts: SpineParts, asked: ToolRequest): Passage {
  const request = trimmed(asked);
  const wallStartMs = parts.clock.wallMs();
  const startMs = parts.clock.monotonicMs();
  const id = request.released?.callId ?? callId(wallStartMs, parts.entropy.bytes(10));
  return {
    ...asking(request, parts.policy.current(), id, wallStartMs, parts.model),
    startMs,
    span: parts.telemetry.startCall(request.traceparent, request.traceBeside),
    decidedMs: startMs,
    recordedMs: startMs,
    forwardedMs: startMs,
  };
}

async function record(
  parts: SpineParts,
  passage: Passage,
  judgement: Judgement,
): Promise<Committed | undefined> {
  const { request, tool, engine } = passage;
  const entry = decisionEntry(parts.origin, {
    callId: passage.callId,
    wallMs: passage.wallStartMs,
    request,
    tool,
    obliged: judgement.obliged,
    argsRedacted: forRecord(judgement.obliged.args, engine?.redactions(tool.id) ?? []),
    policyVersion: passage.policyVersion,
    prediction: predictionOf(passage),
    approvalId: judgement.approvalId,
    ...(judgement.override === undefined ? {} : { override: judgement.override }),
    ...(judgement.escrow === undefined ? {} : { escrow: judgement.escrow }),
  });
  const appended = await parts.ledger.append(entry);
  passage.recordedMs = parts.clock.monotonicMs();
  passage.forwardedMs = passage.recordedMs;
  if (appended.ok) return appended.value;
  parts.log.write("error", "decision_not_recorded", { call: passage.callId, ...appended.error });
  return undefined;
}

function sendAll<A>(
  parts: SpineParts,
  passage: Passage,
  judgement: Judgement,
  forward: Forward<A>,
): Promise<Forwarded<A>> {
  const { traceparent, tracestate, isExported } = passage.span;
  const { clock, entropy, telemetry, upstreams } = parts;
  return sendWithAttempts(
    { clock, entropy, telemetry, ...upstreams },
    {
      asked: passage,
      around: surroundings(parts),
      args: judgement.obliged.args,
      isStopped: () => parts.inFlight.stopping || stopped(parts, passage) !== undefined,
      send: (form) =>
        forward({
          ...form,
          callId: passage.callId,
          sanitized: judgement.obliged.sanitizedDigest !== null,
          traceparent,
          ...(tracestate === undefined ? {} : { tracestate }),
          ...(isExported === undefined ? {} : { isExported }),
        }),
    },
  );
}

/** Whoever was stopped since the call was judged goes no further. */
function stopped(parts: SpineParts, passage: Passage): Hold | undefined {
  return parts.kill.hold(passage.request, passage.tool) ?? recheck(parts.gates, passage);
}

/** The decision stands in the log as policy made it; its outcome says that nothing was sent, and why. */
async function withhold(
  parts: SpineParts,
  passage: Passage,
  committed: Committed,
  hold: Hold,
): Promise<Governed<never>> {
  const unsent = {
    outcome: "not_sent",
    detail: holdReason(hold),
    resultBytes: 0,
    answer: undefined,
  } as const;
  const settled = await recordOutcome(parts, passage, committed, unsent);
  const receipt = receiptOf(parts, committed);
  return settled
    ? refuse(parts, passage, holdCode(hold), receipt, hold)
    : refuse(parts, passage, "outcome_unrecorded", receipt);
}

async function recordOutcome(
  parts: SpineParts,
  passage: Passage,
  committed: Committed,
  forwarded: Forwarded<unknown>,
): Promise<boolean> {
  const entry = outcomeEntry(parts.origin, {
    callId: passage.callId,
    wallMs: parts.clock.wallMs(),
    tenant: passage.request.identity.tenant,
    decisionIndex: committed.index,
    durationMs: passage.forwardedMs - passage.recordedMs,
    forwarded,
  });
  const appended = await parts.ledger.append(entry);
  if (!appended.ok)
    parts.log.write("error", "outcome_not_recorded", { call: passage.callId, ...appended.error });
  return appended.ok;
}

function answer<A>(
  parts: SpineParts,
  passage: Passage,
  judgement: Judgement,
  committed: Committed,
  outcome: string,
  forwarded?: Forwarded<A>,
): Governed<A> {
  const { refusal } = judgement.decision;
  if (refusal !== undefined) parts.telemetry.count("refusals", { code: refusal });
  observe(parts, passage, judgement.decision, outcome, forwarded?.statusCode);
  const receipt = receiptOf(parts, committed);
  return {
    decision: judgement.decision,
    verdict: judgement.obliged.verdict,
    ...(receipt === undefined ? {} : { receipt }),
    ...(forwarded === undefined ? {} : { forwarded }),
  };
}

function receiptOf(parts: SpineParts, committed: Committed): string | undefined {
  return parts.ledger.receipt(committed.index);
}

function refuse(
  parts: SpineParts,
  passage: Passage,
  code: RefusalCode,
  receipt?: string,
  hold?: Hold,
): Governed<never> {
  const decision =
    hold === undefined
      ? refusalOf(code, passage)
      : refusalOf(code, passage, holdReason(hold), aboutHold(hold));
  parts.telemetry.count("refusals", { code });
  observe(parts, passage, decision, code === "outcome_unrecorded" ? "unknown" : "refused");
  return { decision, ...(receipt === undefined ? {} : { receipt }) };
}

function observe(
  { clock }: SpineParts,
  passage: Passage,
  decision: Decision,
  outcome: string,
  statusCode?: number,
): void {
  const { startMs, decidedMs, recordedMs, forwardedMs } = passage;
  const times = {
    decideMs: decidedMs - startMs,
    recordMs: recordedMs - decidedMs,
    forwardMs: forwardedMs - recordedMs,
    totalMs: clock.monotonicMs() - startMs,
  };
  passage.span.end({ ...observationOf(passage, decision, outcome, statusCode), ...times });
}
