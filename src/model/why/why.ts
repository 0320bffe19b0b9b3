import type { Symptom, WhyAnswer } from "../answer.ts";
import type { ModelEvent } from "../event.ts";
import { defaultSettings, type WhySettings } from "./case.ts";
import { changeEvidence } from "./changes/index.ts";
import type { EvidenceSource } from "./finding.ts";
import { rank } from "./rank.ts";
import { rememberedEvidence } from "./remembered.ts";
import { ruleEvidence } from "./rules/index.ts";
import { signalEvidence } from "./signals/index.ts";
import { viewOf } from "./view.ts";

/** Everything that has something to say about causes. */
const sources: readonly EvidenceSource[] = [signalEvidence, ruleEvidence, changeEvidence];

/** Ranked causes of a symptom, with every step that led to them. The same events in any order give the same answer. */
export function why(
  events: Iterable<ModelEvent>,
  symptom: Symptom,
  settings: WhySettings = defaultSettings,
): WhyAnswer {
  const view = viewOf(events, settings.knownAt);
  const question = { symptom, view, settings };
  const found = sources.map((source) => source(question));
  return rank([...found, rememberedEvidence(found, question)]);
}
