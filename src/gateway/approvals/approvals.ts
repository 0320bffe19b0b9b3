/**
 * The gate of people's consent. A call that policy lets through only with approval asks for it here, or takes the grant
 * that its agent was given; once:
 *
 *   claim → decision entry → forward → outcome entry → settle
 *
 * What the store says decides, by the store's clock. A token only names the grant; without one, the same call by the same
 * agent finds it by itself.
 */
import {
  type Approval,
  approvalIn,
  approvalKeys,
  approvalWrites,
  type BoundAction,
  claimsPrefix,
  newestKey,
  type Question,
  settled,
} from "../../approvals/index.ts";
import type { CallOutcome, EntryOrigin } from "../../audit/index.ts";
import { digestOf, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Clock, Log, StoredValues, Telemetry } from "../../ports.ts";
import type { SharedState, StateChange, StateError } from "../../state/index.ts";
import { type Entered, type Gate, turnedAway } from "../admit.ts";
import type { Hold } from "../hold.ts";
import { type Asked, approved, awaiting, type Judgement } from "../judge.ts";
import { forRecord } from "../oblige.ts";
import { Asking, type AskingFacts, type Came, idIn } from "./asking.ts";
import { answerHold, overrideHold } from "./holds.ts";
import type { OverrideKeys } from "./override-keys.ts";
import { type ApprovalTerms, termsFor } from "./terms.ts";

export interface ApprovalsParts {
  readonly state: SharedState;
  readonly clock: Clock;
  readonly keys: OverrideKeys;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  /** Names this life of the instance; no two are the same. */
  readonly run: string;
  /** New questions of one agent; more are denied, so that nobody is flooded. */
  readonly questionsPerMinuteMax: number;
}

/** What the token that came with the call names. */
interface Presented {
  readonly id: string;
  readonly jti: string;
}

/** What somebody can be expected to read, and what the store keeps for each question. */
const shownBytesMax = 32 * 1024;
const settleAgainMs = 1_000;
/** Another gateway or a person changed it meanwhile, so often. */
const movesMax = 8;

export class Approvals implements Gate {
  readonly #parts: ApprovalsParts;
  /** Calls that have ended, of which the store could not be told yet. */
  readonly #unsettled = new Map<string, Ended>();

  constructor(parts: ApprovalsParts) {
    this.#parts = parts;
  }

  async enter(asked: Asked, judgement: Judgement): Promise<Entered> {
    const { engine, tool } = asked;
    if (judgement.decision.decision !== "approval_needed" || engine === undefined)
      return { judgement };
    const terms = termsFor(engine, judgement.obliged.verdict.determiningRules, tool.risk);
    const question = questionOf(asked, judgement, terms);
    const bytes = JSON.stringify(question.args_redacted).length;
    // Nobody says yes to what they cannot see.
    if (bytes > shownBytesMax)
      return this.#turnedAway(asked, {
        kind: "approval_too_large",
        detail: `its arguments have ${bytes} bytes, and people are shown at most ${shownBytesMax}`,
      });
    const presented = await this.#presented(asked, question);
    if ("kind" in presented) return this.#turnedAway(asked, presented);
    const came = await this.#ask(asked, question, terms, presented.token);
    switch (came.kind) {
      case "pending":
        if (came.isNew) this.#told(came.approval);
        return { judgement: awaiting(asked, judgement, came.approval) };
      case "claimed":
        return {
          judgement: approved(asked, judgement, came.approval),
          settle: (outcome) => this.#settle({ id: came.approval.id, call: asked.callId, outcome }),
        };
      case "approvals_unknown":
        return this.#turnedAway(asked, came);
      default:
        return this.#turnedAway(asked, answerHold(question.agent, came));
    }
  }

  #turnedAway(asked: Asked, hold: Hold): Entered {
    if (hold.kind.startsWith("override_")) {
      // A grant that is tried twice, or by somebody else, is worth a look.
      this.#parts.telemetry.count("overrides_refused", { reason: hold.kind });
      const { callId: call, tool, request } = asked;
      const { agent } = request.identity;
      this.#parts.log.write("warn", "override_refused", {
        call,
        agent,
        tool: tool.id,
        reason: hold.kind,
      });
    }
    return turnedAway(asked, hold);
  }

  #told({ id, agent, tool, risk }: Approval): void {
    this.#parts.log.write("info", "approval_asked", { approval: id, agent, tool, risk });
    this.#parts.telemetry.count("approvals_asked", { risk });
  }

  /** What the token says, when one came: a hold when it is not for exactly this call. */
  async #presented({ request }: Asked, question: Question): Promise<{ token?: Presented } | Hold> {
    if (request.override === undefined) return {};
    const verified = await this.#parts.keys.verify(request.override);
    if (!verified.ok) return overrideHold("override_forged", verified.error);
    const { approval_id: id, jti, tenant, agent, tool, args_digest } = verified.value;
    if (agent !== question.agent || tenant !== question.tenant)
      return overrideHold("override_other_agent", `it was given to ${agent}`);
    if (tool !== question.tool) return overrideHold("override_other_tool", `it is for ${tool}`);
    if (args_digest !== question.args_digest)
      return overrideHold("override_other_arguments", `${id} approved other arguments`);
    return { token: { id, jti } };
  }

  async #ask(
    { callId: call }: Asked,
    question: Question,
    terms: ApprovalTerms,
    token: Presented | undefined,
  ): Promise<Exclude<Came, { kind: "moved" }> | UnknownHold> {
    const { origin, run, questionsPerMinuteMax } = this.#parts;
    const facts = { call, instance: origin.instance, run, question, terms, questionsPerMinuteMax };
    let failed: StateError | undefined;
    for (let moves = 0; moves < movesMax; moves++) {
      const id = token === undefined ? await this.#newestId(question) : ok(token.id);
      const done = id.ok ? await this.#transact({ ...facts, id: id.value, jti: token?.jti }) : id;
      if (done.ok && done.value.kind !== "moved") return done.value;
      if (done.ok) continue;
      // Connections of a process that was stopped are gone when it goes on: once more, on new ones. Not while a hold of
      // this call may have to be given back: that would give back the next one.
      if (failed !== undefined || this.#unsettled.has(call)) return unknown(done.error);
      failed = done.error;
    }
    return { kind: "approvals_unknown", detail: "it changes faster than it can be read" };
  }

  async #newestId(question: Question): Promise<Result<string | undefined, StateError>> {
    const newest = newestKey(question);
    const read = await this.#parts.state.read([newest]);
    return read.ok ? ok(idIn(read.value.get(newest))) : read;
  }

  async #transact(facts: AskingFacts): Promise<Result<Came, StateError>> {
    const asking = new Asking(facts);
    const done = await this.#parts.state.transact(asking.keys, (values, nowMs) =>
      asking.change(values, nowMs),
    );
    // It may have been claimed all the same; whoever asks again must find it free.
    const { id, call } = facts;
    if (!done.ok && id !== undefined && done.error.kind === "unknown")
      await this.#settle({ id, call, outcome: "not_sent" });
    return done;
  }

  /** Used up when the call took effect or may have; given back when nothing was sent. */
  async #settle(ended: Ended): Promise<void> {
    const { state, log, origin } = this.#parts;
    const { id, call } = ended;
    const keys = approvalKeys(id);
    const claim = claimsPrefix(origin.instance) + id;
    const done = await state.transact([keys.open, keys.closed, claim], (values, nowMs) =>
      settling(values, nowMs, { ...ended, claim }),
    );
    if (done.ok) this.#unsettled.delete(call);
    else if (!this.#unsettled.has(call)) {
      // Until then it is claimed, and nobody can use it. After a crash the next start looks into the log.
      this.#unsettled.set(call, ended);
      log.write("error", "approval_not_settled", { call, approval: id, ...done.error });
    }
  }

  /** Tells the store what it could not be told at once, until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(settleAgainMs, signal);
      for (const ended of [...this.#unsettled.values()]) await this.#settle(ended);
    }
  }
}

interface Ended {
  readonly id: string;
  readonly call: string;
  readonly outcome: CallOutcome;
}

interface Settling extends Ended {
  readonly claim: string;
}

/** The settlement of one claim, for a call that has ended and for one that a dead run left. */
export function settling(
  values: StoredValues,
  nowMs: number,
  { id, call, outcome, claim }: Settling,
): StateChange<Approval | undefined> {
  const before = approvalIn(values, approvalKeys(id));
  const settlement = outcome === "ok" || outcome === "tool_error" ? "done" : outcome;
  const after = before && settled(before, call, settlement, nowMs);
  const writes = new Map<string, JsonObject | null>();
  if (after !== undefined && after !== before)
    for (const [key, value] of approvalWrites(after)) writes.set(key, value);
  // Another call of this gateway may hold it by now.
  if (values.get(claim)?.["call"] === call) writes.set(claim, null);
  return { writes, result: after };
}

type UnknownHold = { readonly kind: "approvals_unknown"; readonly detail: string };

function unknown({ kind, detail }: StateError): UnknownHold {
  return { kind: "approvals_unknown", detail: `the store is ${kind}: ${detail}` };
}

function boundAction({ request, tool }: Asked): BoundAction {
  const { identity, args } = request;
  return {
    tenant: identity.tenant,
    agent: identity.agent,
    delegation: identity.delegation,
    principal: identity.principal ?? null,
    tool: tool.id,
    args_digest: digestOf(args),
  };
}

function questionOf(asked: Asked, { obliged }: Judgement, terms: ApprovalTerms): Question {
  const { request, tool, engine, policyVersion } = asked;
  const { verdict } = obliged;
  return {
    ...boundAction(asked),
    model: request.identity.model ?? null,
    effect: tool.effect,
    risk: tool.risk,
    args_redacted: forRecord(obliged.args, engine?.redactions(tool.id) ?? []),
    cost_estimate_micro_usd: tool.costMicroUsd,
    definition_digest: tool.definitionDigest,
    policy_version: policyVersion,
    determining_rules: verdict.determiningRules,
    reason: verdict.reason,
    requirements: terms.requirements,
    batch: terms.batch,
  };
}
