/**
 * A search: many candidates judged as calls would be, the question recorded once, the results given out last.
 *
 * Judging takes microseconds a candidate and there may be thousands, so the work is done in turns with room for
 * everything else in between, and ends at a bound of count or time; the rest is the next page.
 */
import type { EntryOrigin } from "../audit/index.ts";
import { callId, err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { Committed, Ledger } from "../ledger/index.ts";
import type { Engine, RegoAnswers } from "../policy/index.ts";
import type { Clock, Entropy, Log, Telemetry } from "../ports.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { answered, type Gate } from "./admit.ts";
import { refusalText } from "./answer.ts";
import type { RefusalCode, Search, Searched, SearchRefusal } from "./call.ts";
import { trimmed } from "./carried.ts";
import type { InFlight } from "./in-flight.ts";
import {
  type Asked,
  asking,
  judge,
  type ModelSource,
  regoAnswers,
  type Surroundings,
} from "./judge.ts";
import { searchEntry } from "./record.ts";
import type { Turns } from "./turns.ts";

interface SearchParts extends Surroundings {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly ledger: Ledger;
  readonly policy: ActivePolicy;
  readonly inFlight: InFlight;
  readonly gates: readonly Gate[];
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly origin: EntryOrigin;
  /** Shared by all searches. */
  readonly searchTurns: Turns;
}

/** The longest that other calls wait for all searches together to step aside. */
export const searchTurnMsMax = 2;

/** One engine and one moment for all candidates of a page. */
interface Moment {
  readonly callId: string;
  readonly wallMs: number;
  readonly engine: Engine | undefined;
}

type Found = Pick<Searched, "results" | "judged" | "withheld">;

export async function search<C>(
  parts: SearchParts,
  carrying: Search<C>,
): Promise<Result<Searched, SearchRefusal>> {
  const asked = trimmed(carrying);
  const wallMs = parts.clock.wallMs();
  const engine = parts.policy.current();
  const moment = { callId: callId(wallMs, parts.entropy.bytes(10)), wallMs, engine };
  const { tenant, agent } = asked.asker;
  const leave = parts.inFlight.enter(JSON.stringify([tenant, agent]));
  // Like a call that finds no room: refused before anything was judged, and not recorded.
  if (leave === undefined)
    return refused(parts, moment, parts.inFlight.stopping ? "stopping" : "too_many_calls");
  try {
    const nothing: Found = { results: [], judged: 0, withheld: 0 };
    const found = engine === undefined ? nothing : await judged(parts, asked, moment);
    const committed = await record(parts, asked, moment, found);
    if (committed === undefined) return refused(parts, moment, "record_failed");
    // From here the question is durable, and its results may be known.
    if (engine === undefined) return refused(parts, moment, "no_policy");
    parts.telemetry.count("searches", { method: asked.method });
    parts.telemetry.count("search_candidates", { method: asked.method }, found.judged);
    const receipt = parts.ledger.receipt(committed.index);
    return ok({
      callId: moment.callId,
      policyVersion: engine.revision,
      ...found,
      ...(receipt === undefined ? {} : { receipt }),
    });
  } finally {
    leave();
  }
}

async function judged<C>(parts: SearchParts, asked: Search<C>, moment: Moment): Promise<Found> {
  const { resultsMax, candidatesMax, timeMsMax, signal } = asked;
  const candidates = asked.candidates.slice(0, candidatesMax);
  const endMs = parts.clock.monotonicMs() + timeMsMax;
  const results: JsonObject[] = [];
  let [judgedCount, withheld] = [0, 0];
  /** What users' own Rego says of the next candidate: asked outside the turn, because others can go on meanwhile. */
  let wanted: Promise<RegoAnswers> | undefined;
  let answers: RegoAnswers | undefined;
  const step = (): boolean => {
    const candidate = candidates[judgedCount];
    if (candidate === undefined || results.length >= resultsMax) return false;
    const mayEnd = judgedCount > 0;
    if (mayEnd && (signal.aborted || parts.clock.monotonicMs() >= endMs)) return false;
    const about = aboutCandidate(asked, moment, candidate, parts.model);
    if (answers === undefined) wanted = regoAnswers(about, parts);
    if (wanted !== undefined) return false;
    const { decision } = answered(parts.gates, about, judge(about, parts, true, answers));
    answers = undefined;
    judgedCount += 1;
    if (decision.refusal !== undefined) withheld += 1;
    const result = asked.resultOf(candidate, decision);
    if (result !== undefined) results.push(result);
    return true;
  };
  for (;;) {
    const more = await parts.searchTurns.turn(step);
    if (wanted === undefined && !more) return { results, judged: judgedCount, withheld };
    answers = await wanted;
    wanted = undefined;
  }
}

function aboutCandidate<C>(
  asked: Search<C>,
  { engine, callId: id, wallMs }: Moment,
  candidate: C,
  model: ModelSource | undefined,
): Asked {
  return asking(asked.requestOf(candidate), engine, id, wallMs, model);
}

async function record<C>(
  parts: SearchParts,
  asked: Search<C>,
  { callId: id, wallMs, engine }: Moment,
  found: Found,
): Promise<Committed | undefined> {
  const facts = { callId: id, wallMs, policyVersion: engine?.revision ?? "none", ...found };
  const appended = await parts.ledger.append(
    searchEntry(parts.origin, { ...facts, asked: asked as Search<unknown> }),
  );
  if (appended.ok) return appended.value;
  parts.log.write("error", "search_not_recorded", { call: id, ...appended.error });
  return undefined;
}

function refused(
  parts: SearchParts,
  { callId: id }: Moment,
  code: RefusalCode,
): Result<never, SearchRefusal> {
  parts.telemetry.count("refusals", { code });
  return err({ code, callId: id, ...refusalText(code) });
}
