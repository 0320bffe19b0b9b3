import type { Symptom, WhyAnswer } from "../answer.ts";
import type { ModelEvent } from "../event.ts";
import type { Graph } from "../graph/index.ts";
import { defaultSettings, type WhySettings } from "./case.ts";
import { changeEvidence } from "./changes/index.ts";
import type { EvidenceSource } from "./finding.ts";
import { leftOut } from "./left-out.ts";
import { rank } from "./rank.ts";
import { rememberedEvidence } from "./remembered.ts";
import { ruleEvidence } from "./rules/index.ts";
import { scopeOf } from "./scope.ts";
import { signalEvidence } from "./signals/index.ts";
import { answerInSilence, isSilent, newestTelemetryAt, telemetryOf } from "./silence.ts";
import { viewOf } from "./view.ts";

/** Everything that has something to say about causes. */
const sources: readonly EvidenceSource[] = [signalEvidence, ruleEvidence, changeEvidence];

/**
 * The same of a graph of any size: of the events nearest to the trouble, where there are more than can be looked at. Then
 * the answer says so.
 */
export function whyInGraph(
  graph: Graph,
  symptom: Symptom,
  settings: WhySettings = defaultSettings,
): WhyAnswer {
  const { events, bounded } = scopeOf(graph, symptom, settings);
  const answer = answerOf(events, symptom, settings, () =>
    newestTelemetryAt(graph.events(), { at: symptom.at, knownAt: settings.knownAt }),
  );
  if (bounded === undefined || bounded.left === 0) return answer;
  const { nodes, left } = bounded;
  const says = `only the ${nodes} nodes nearest to the trouble were looked at, at least ${left} more were not: ask again about one that is nearer to the cause`;
  return { ...answer, checkNext: [...answer.checkNext, says] };
}

/** Ranked causes of a symptom, with every step that led to them. The same events in any order give the same answer. */
export function why(
  events: Iterable<ModelEvent>,
  symptom: Symptom,
  settings: WhySettings = defaultSettings,
): WhyAnswer {
  return answerOf(events, symptom, settings, () => undefined);
}

/** `newestElsewhere`: when something was last measured of what is not among the events. */
function answerOf(
  events: Iterable<ModelEvent>,
  symptom: Symptom,
  settings: WhySettings,
  newestElsewhere: () => number | undefined,
): WhyAnswer {
  const known = viewOf(events, { at: symptom.at, knownAt: settings.knownAt });
  const view = leftOut(known, settings.without);
  const question = { symptom, view, settings };
  const newestAt =
    newestTelemetryAt(telemetryOf(view), { at: symptom.at, knownAt: settings.knownAt }) ??
    newestElsewhere();
  if (isSilent(newestAt, question)) return answerInSilence(question, newestAt);
  const found = sources.map((source) => source(question));
  return rank([...found, rememberedEvidence(found, question)]);
}
