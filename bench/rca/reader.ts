/** What a set of incidents has to give: cases as events, and answers as its predictions. A reader translates and concludes nothing. */
import type {
  ConfirmedIncident,
  Memory,
  ModelEvent,
  Symptom,
  WhyAnswer,
  WhySettings,
} from "../../src/model/index.ts";
import type { Telling } from "./telling.ts";

export interface Incident {
  readonly id: string;
  readonly events: readonly ModelEvent[];
  readonly symptom: Symptom;
  readonly settings?: Partial<Pick<WhySettings, "lookbackMs">>;
}

/** Names of measures with values from 0 to 1, of one case; their means are the figures of the set. */
export type Scores = Readonly<Record<string, number>>;
export type Prediction = Readonly<Record<string, unknown>>;

export interface OpenSet<L = unknown> {
  readonly ids: readonly string[];
  read(id: string): Incident;
  /** The set's own line for an answer; id, confidence and verdict are added by the command. */
  predict(answer: WhyAnswer, incident: Incident, memory: Memory): Prediction;
  /** What a label confirms, for sets whose incidents are worth remembering. */
  confirmed?(label: L, incident: Incident): ConfirmedIncident | undefined;
  score(prediction: Prediction, label: L): Scores;
  /** The groups that figures are also given for (a fault type, a system). */
  groups(label: L): readonly string[];
  /** Windows of healthy operation, asked about as if they were incidents. */
  readonly healthy?: { readonly ids: readonly string[]; read(id: string): Incident };
}

/** Opens the folder of one split; throws with file and reason when it cannot be read. */
export type Reader = (folder: string, telling?: Telling) => OpenSet;
