/**
 * A search: many candidates judged as calls would be, the question recorded once, the results given out last.
 *
 * Judging takes microseconds a candidate and there may be thousands, so the work is cut into slices with room for
 * everything else in between, and ends at a bound of count or time; the rest is the next page.
 */
import type { EntryOrigin } from "../audit/index.ts";
import { callId, err, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { Committed, Ledger } from "../ledger/index.ts";
import type { Engine } from "../policy/index.ts";
import type { Clock, Entropy, Log, Telemetry } from "../ports.ts";
import type { ActivePolicy } from "./active-policy.ts";
import { refusalText } from "./answer.ts";
import type { RefusalCode, Search, Searched, SearchRefusal } from "./call.ts";
import { trimmed } from "./carried.ts";
import type { InFlight } from "./in-flight.ts";
import { asking, judge, type Surroundings } from "./judge.ts";
import { searchEntry } from "./record.ts";

interface SearchParts extends Surroundings {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly ledger: Ledger;
  readonly policy: ActivePolicy;
  readonly inFlight: InFlight;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly origin: EntryOrigin;
}

/** The longest that other calls wait for a search to step aside. */
const sliceMsMax = 2;

/** One engine and one moment for all candidates of a page. */
interface Moment {
  readonly callId: string;
  readonly wallMs: number;
  readonly engine: Engine | undefined;
}

interface Found {
  readonly results: readonly JsonObject[];
  readonly judged: number;
}

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
    const nothing: Found = { results: [], judged: 0 };
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
  const { candidates, resultsMax, candidatesMax, timeMsMax, signal } = asked;
  const results: JsonObject[] = [];
  const startMs = parts.clock.monotonicMs();
  let sliceStartMs = startMs;
  let count = 0;
  for (const candidate of candidates.slice(0, candidatesMax)) {
    if (results.length >= resultsMax) break;
    const nowMs = parts.clock.monotonicMs();
    if (count > 0 && (nowMs - startMs >= timeMsMax || signal.aborted)) break;
    if (nowMs - sliceStartMs >= sliceMsMax) {
      await parts.clock.sleep(0);
      sliceStartMs = parts.clock.monotonicMs();
    }
    const request = asked.requestOf(candidate);
    const { decision } = judge(
      asking(request, moment.engine, moment.callId, moment.wallMs),
      parts,
      true,
    );
    count += 1;
    const result = asked.resultOf(candidate, decision);
    if (result !== undefined) results.push(result);
  }
  return { results, judged: count };
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
