/** Whether what is complained about is there, and which trouble is large enough to be behind it. */
import type { RuledOut } from "../../answer.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { Case } from "../case.ts";
import type { Anomaly, Aspect } from "./anomaly.ts";
import { type Callees, reachableFrom } from "./calls.ts";
import { rarityOf } from "./own-history.ts";
import { excessOf, requestsOf } from "./requests.ts";
import { measure, tellingOf } from "./series.ts";
import { meanings, spanOf } from "./series-anomalies.ts";

/** Slowness can come of failures and failures of slowness, but trouble mostly travels as what it is. */
const otherAspectShare = 0.3;
/** Trouble with less than this share of the symptom's excess is somebody else's. */
const leastShare = 0.1;
/** Below half a deviation that lasts nothing is felt. */
const feltZ = 0.5;
/** A symptom that in its own past one stretch in so many was like is there, whatever else is seen. */
const rare = 1 / 100;
/** One that was more often so is there if lasting trouble below accounts for so much of it. */
const faint = 1 / 10;
const accountedShare = 0.5;
/** Where the past is too short to tell how rare it is: at so many deviations. */
const clearZ = 2;

/** Six nats are as good as proof; what is counted is given by their logarithm. */
const proven = Math.log1p(6);

interface Measured {
  readonly aspect: Aspect;
  readonly lastingZ: number;
  readonly rarity: number | undefined;
  /** Time or failures a second more than usual; 0 when the number of requests is not known. */
  readonly excess: number;
}

export interface Checked {
  readonly anomalies: readonly Anomaly[];
  readonly ruledOut: readonly RuledOut[];
  /** Undefined: what is complained about is not measured. */
  readonly symptomSeen: boolean | undefined;
}

export function checkSymptom(
  anomalies: readonly Anomaly[],
  question: Case,
  callees: Callees,
): Checked {
  const symptom = measuredSymptom(question);
  const below = belowSymptom(question.symptom.node, callees);
  const isApart = apartFrom(question, callees);
  const ruledOut = new Map<NodeId, string>();
  const kept = anomalies.filter((anomaly) => {
    const because = isApart(anomaly.node)
      ? "it has trouble, but nothing that was seen connects it with anything else"
      : reasonAgainst(anomaly, symptom, below);
    if (because !== undefined) ruledOut.set(anomaly.node, because);
    return because === undefined;
  });
  for (const { node } of kept) ruledOut.delete(node);
  return {
    anomalies: kept.map((each) => weighed(each, question)),
    ruledOut: [...ruledOut].map(([node, because]) => ({ node, because })),
    symptomSeen:
      symptom &&
      (isThere(symptom, kept, question.symptom.node) ||
        isCounted(symptom.aspect, anomalies, question.symptom.node)),
  };
}

function measuredSymptom(question: Case): Measured | undefined {
  const { node, signal } = question.symptom;
  const meaning = signal && meanings[signal];
  if (node === undefined || meaning === undefined) return undefined;
  const span = spanOf(question);
  const series = tellingOf(question.view.of("series")).filter(
    (each) => each.node === node && each.signal === signal,
  );
  const [worst] = series
    .flatMap((each) => measure(each, span) ?? [])
    .toSorted((a, b) => b.lastingZ - a.lastingZ);
  if (worst === undefined) return undefined;
  const excess = excessOf(worst, requestsOf(question.view.of("series"), span.cutAt)) ?? 0;
  const rarity = rarityOf(worst.series, span);
  return { aspect: meaning.aspect, lastingZ: worst.lastingZ, rarity, excess };
}

/** Undefined where nothing is known to lie below: then everything may. */
function belowSymptom(node: NodeId | undefined, callees: Callees): ReadonlySet<NodeId> | undefined {
  const below = node === undefined ? undefined : reachableFrom(callees, node);
  return below === undefined || below.size < 2 ? undefined : below;
}

/**
 * Where no node is complained about but calls are seen: a service that neither calls nor is called, nor is joined to anything
 * by an edge, such as to a machine that it shares.
 */
function apartFrom({ symptom, view }: Case, callees: Callees): (node: NodeId) => boolean {
  if (symptom.node !== undefined || callees.size === 0) return () => false;
  const joined = new Set([
    ...[...callees].flatMap(([caller, all]) => [caller, ...all]),
    ...view.of("edge").flatMap(({ from, to }) => [from, to]),
  ]);
  return (node) => !joined.has(node) && splitNodeId(node)?.kind === "service";
}

function reasonAgainst(
  { node, aspect, excess }: Anomaly,
  symptom: Measured | undefined,
  below: ReadonlySet<NodeId> | undefined,
): string | undefined {
  if (below !== undefined && !below.has(node))
    return "it has trouble, but the symptom's node does not call it, nor does anything that it calls";
  if (symptom === undefined || excess === undefined || aspect !== symptom.aspect) return undefined;
  const share = excess / symptom.excess;
  return symptom.excess > 0 && share < leastShare
    ? `its trouble is ${(share * 100).toFixed(1)} % of what the symptom amounts to`
    : undefined;
}

function weighed(anomaly: Anomaly, { symptom }: Case): Anomaly {
  const asked = symptom.signal && meanings[symptom.signal]?.aspect;
  return asked === undefined || anomaly.own || anomaly.aspect === asked
    ? anomaly
    : { ...anomaly, strength: anomaly.strength * otherAspectShare };
}

/** Calls and lines of the node itself that show it are enough: a metric may be of something else, or count no failures. */
function isCounted(
  asked: Aspect,
  anomalies: readonly Anomaly[],
  symptomNode: NodeId | undefined,
): boolean {
  return anomalies.some(
    ({ node, aspect, own, strength }) =>
      own && node === symptomNode && aspect === asked && strength >= proven,
  );
}

function isThere(symptom: Measured, kept: readonly Anomaly[], node: NodeId | undefined): boolean {
  const { lastingZ, rarity, aspect, excess } = symptom;
  if (lastingZ < feltZ) return false;
  if (rarity === undefined ? lastingZ >= clearZ : rarity <= rare) return true;
  return (
    (rarity ?? 0) <= faint &&
    kept.some(
      (each) =>
        each.node !== node &&
        each.aspect === aspect &&
        each.lasting === true &&
        (each.excess ?? 0) >= accountedShare * excess,
    )
  );
}
