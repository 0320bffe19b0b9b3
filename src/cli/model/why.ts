/**
 * `holdfast why <symptom>`: what caused it, by the model as of a moment. The same events, the same answer. Exit codes: 0 a
 * cause was named, or nothing is wrong; 1 the evidence is not enough; 2 wrong usage, or the model cannot be read.
 */
import { err, instantText, ok, type Result } from "../../kernel/index.ts";
import {
  defaultSettings,
  type Graph,
  incidentAspect,
  memoryOf,
  pictureOfAnswer,
  readSymptom,
  remembranceUnlessGiven,
  type Symptom,
  unexpired,
  type WhyAnswer,
  whyInGraph,
  withKnownOperation,
} from "../../model/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { laterKnown, readMoment, readMoments } from "./moment.ts";
import { formatOf, writePicture } from "./show-picture.ts";
import { timesAsText } from "./times-as-text.ts";
import { whyText } from "./why-text.ts";
import { writeDraft } from "./write-draft.ts";

export interface WhyOptions {
  readonly at?: string;
  readonly knownAt?: string;
  /** How long before the symptom the trouble began at most: `15m`. */
  readonly lookback?: string;
  readonly json?: boolean;
  readonly picture?: string;
  /** Where to write the first cause, for `holdfast model confirm`. */
  readonly draft?: string;
}

export interface Asked {
  readonly answer: WhyAnswer;
  readonly symptom: Symptom;
  /** What was left out, because it was learned later. */
  readonly note?: string;
}

/** The answer of a graph to a symptom in people's words. */
export function askWhy(
  graph: Graph,
  words: readonly string[],
  options: Pick<WhyOptions, "at" | "knownAt" | "lookback">,
  nowMs: number,
  incidentKeepMs: number = remembranceUnlessGiven.incident.keepMs,
): Result<Asked, string> {
  const moments = readMoments(options, nowMs);
  if (!moments.ok) return moments;
  const { atMs, knownAtMs } = moments.value;
  if (atMs > nowMs)
    return err(
      `${instantText(atMs)} is in the future, of which nothing can be known: it is ${instantText(nowMs)} by the clock of the store`,
    );
  const view = graph.asOf(atMs, knownAtMs);
  const read = readSymptom(words.join(" "), atMs, view);
  const symptom = read.ok ? withKnownOperation(read.value, view) : read;
  const note = laterKnown(graph, moments.value);
  if (!symptom.ok) return note === undefined ? symptom : err(`${symptom.error}; ${note}`);
  const lookbackMs = lookbackOf(options.lookback);
  if (lookbackMs === undefined)
    return err(`--lookback: \`${options.lookback}\` is no length of time (90s, 15m, 2h)`);
  const keeping = { now: symptom.value.at, keepMs: incidentKeepMs };
  const memory = unexpired(memoryOf(view.facts(incidentAspect)), keeping);
  const settings = { ...defaultSettings, lookbackMs, knownAt: view.knownAt, memory };
  return ok({
    ...{ answer: whyInGraph(graph, symptom.value, settings), symptom: symptom.value },
    ...(note !== undefined && { note }),
  });
}

/** Milliseconds. */
function lookbackOf(text: string | undefined): number | undefined {
  if (text === undefined) return defaultSettings.lookbackMs;
  const ago = /^\d+[smhd]$/.test(text) ? readMoment(text, 0) : undefined;
  return ago?.ok === true && ago.value < 0 ? -ago.value : undefined;
}

export async function showWhy(
  graph: Graph,
  words: readonly string[],
  options: WhyOptions,
  parts: { readonly io: CommandOutput; readonly nowMs: number; readonly incidentKeepMs?: number },
): Promise<number> {
  const { io, nowMs, incidentKeepMs } = parts;
  const format = formatOf(undefined, options.picture);
  if (!format.ok) return refuse(io, `--picture: ${format.error}`);
  const asked = askWhy(graph, words, options, nowMs, incidentKeepMs);
  if (!asked.ok) return refuse(io, asked.error);
  const { answer, symptom, note } = asked.value;
  if (note !== undefined) io.err(`note: ${note}`);
  if (options.json === true)
    io.out(JSON.stringify(timesAsText({ symptom, ...answer }), undefined, 2));
  else io.out(whyText(answer, symptom).trimEnd());
  // The answer first: who asked for a file as well must not lose it when that cannot be written.
  if (options.picture !== undefined) {
    const picture = pictureOfAnswer(answer, symptom);
    const written = await writePicture(picture, format.value, options.picture, io);
    if (!written.ok) return refuse(io, written.error);
  }
  if (options.draft !== undefined) {
    const written = await writeDraft(asked.value, options.draft, io);
    if (!written.ok) return refuse(io, written.error);
  }
  return answer.verdict === "insufficient" ? 1 : 0;
}

function refuse(io: CommandOutput, message: string): number {
  io.err(`error: ${message}`);
  return 2;
}
