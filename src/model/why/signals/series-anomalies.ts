/** Measured series that have left their past, as trouble of nodes. */
import type { CauseKind } from "../../cause-kind.ts";
import type { Series, Signal } from "../../event.ts";
import type { Case } from "../case.ts";
import type { Anomaly, Aspect } from "./anomaly.ts";
import type { Callees } from "./calls.ts";
import { onsetOf } from "./onset.ts";
import { countedNats, excessOf, requestsOf } from "./requests.ts";
import { deviationOf, quietZ, type Span, tellingOf } from "./series.ts";
import { natsOf } from "./statistics.ts";

interface Meaning {
  readonly aspect: Aspect;
  readonly kind: CauseKind;
  /** Of the node alone; otherwise of whole calls, with what callees add. */
  readonly own: boolean;
}

/** What a signal that deviates says of its node. The others say too little by themselves. */
export const meanings: Partial<Record<Signal, Meaning>> = {
  latency: { aspect: "slow", kind: "code.latency", own: false },
  availability: { aspect: "failing", kind: "code.result", own: false },
  errors: { aspect: "failing", kind: "code.exception", own: false },
  cpu: { aspect: "load", kind: "compute.cpu", own: true },
  memory: { aspect: "load", kind: "compute.memory", own: true },
};

export function spanOf(question: Case): Span {
  const { symptom, settings } = question;
  return {
    cutAt: symptom.at - settings.lookbackMs,
    onsetAt: onsetOf(question),
    alignToOnset: !settings.without.has("time"),
  };
}

export function seriesAnomalies(question: Case, callees: Callees): Anomaly[] {
  const { view } = question;
  const span = spanOf(question);
  const skipped = skippedOf(question, callees);
  const requests = requestsOf(view.of("series"), span.cutAt);
  return tellingOf(view.of("series")).flatMap((series) => {
    const meaning = meanings[series.signal];
    if (meaning === undefined || skipped(series, meaning)) return [];
    const deviation = deviationOf(series, span);
    if (deviation === undefined) return [];
    const { z, lastingZ, onsetAt, usual, now, usualShare } = deviation;
    const says = `${series.name} is ${figure(now)}, usually ${figure(usual)} (${z.toFixed(1)} deviations)`;
    const excess = excessOf(deviation, requests);
    const counted = countedNats(deviation, requests, span.cutAt) ?? Number.POSITIVE_INFINITY;
    // What it does every few minutes is rare by how often it does it, however far that is from its median.
    const rare = usualShare === 0 ? Number.POSITIVE_INFINITY : -Math.log(usualShare);
    const strength = Math.min(natsOf(z), Math.log1p(counted), rare);
    const { node, origin } = series;
    const about = { node, ...meaning, strength, onsetAt, says, origin };
    const lasting = lastingZ > quietZ;
    return [meaning.own || excess === undefined ? about : { ...about, excess, lasting }];
  });
}

/** Measures of whole calls that cannot be told from what callees add, or that spans tell better. */
function skippedOf(
  { view }: Case,
  callees: Callees,
): (series: Series, meaning: Meaning) => boolean {
  const timed = new Set(view.of("traffic").flatMap(({ callee, selfMs }) => (selfMs ? callee : [])));
  const placed = new Set([...callees].flatMap(([caller, all]) => [caller, ...all]));
  return ({ node, signal }, { own }) =>
    !own && ((placed.size > 0 && !placed.has(node)) || (signal === "latency" && timed.has(node)));
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
