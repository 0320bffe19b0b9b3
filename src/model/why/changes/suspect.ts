/**
 * How likely a change brought the trouble: deployed before it and near it, where it began, in its words, and by what it
 * does. That something was deployed is not in itself suspicious: something always was.
 */
import type { CauseKind } from "../../cause-kind.ts";
import type { Change } from "../../event.ts";
import { type NodeId, splitNodeId } from "../../graph-words.ts";
import type { View } from "../view.ts";
import { behaviour, kindOf } from "./behaviour.ts";
import { type Effect, effectOf } from "./diff.ts";
import { hazardWords } from "./hazard.ts";
import { marksOf } from "./marks.ts";
import type { Part } from "./part.ts";
import { type Surge, surgeOf } from "./surge.ts";
import { type Trouble, toleranceMs } from "./trouble.ts";
import { isUnprompted, servedWell } from "./wait.ts";
import { Rarity, wordsOf } from "./words.ts";

/** A change as it came to where it runs. */
export interface Arrival {
  readonly change: Change;
  readonly target: NodeId;
  /** What was changed, where that is not the target itself but what the target reads or runs on. */
  readonly changed?: NodeId;
  readonly at: number;
  /** The deploy names it; others it only carries. */
  readonly isNamed: boolean;
  /** It is carried, and another deploy names it: it is for somebody else, though one repository holds both. */
  readonly isAnothers: boolean;
}

export interface Suspicion {
  readonly arrival: Arrival;
  readonly kind: CauseKind;
  readonly nats: number;
  readonly reasons: readonly string[];
}

/** A deploy brings much; what it was made for is likelier to matter than what came along. */
const namedNats = 1.5;
const anothersNats = -0.75;
const waitingNats = 0.3;

export class Suspects {
  readonly #view: View;
  readonly #trouble: Trouble;
  readonly #surge: Surge | undefined;
  readonly #rarity: Rarity;
  readonly #callees: readonly NodeId[];
  readonly #callers: ReadonlySet<NodeId>;
  readonly #isPassive: boolean;
  readonly #ownWords: ReadonlyMap<string, number>;
  readonly #alertWords: ReadonlySet<string>;
  readonly #isTimed: boolean;
  readonly #isUnprompted: boolean;

  /** Not `isTimed`: as if nobody knew when anything was changed. */
  constructor(view: View, trouble: Trouble, callees: readonly NodeId[], isTimed: boolean) {
    this.#view = view;
    this.#isTimed = isTimed;
    this.#isUnprompted = isUnprompted(view, trouble);
    this.#trouble = trouble;
    this.#surge = surgeOf(view, trouble);
    this.#callees = callees;
    this.#callers = new Set(
      view
        .of("edge")
        .flatMap(({ from, to, kind }) =>
          kind === "calls" && to === trouble.symptom ? [from] : [],
        ),
    );
    this.#isPassive = !view.of("change").some(({ targets }) => targets.includes(trouble.symptom));
    const departed = new Set(trouble.departed.map(({ series }) => series));
    this.#rarity = new Rarity([
      ...view.of("change").map((change) => (change.diff ?? []).map(textOf).join("\n")),
      ...trouble.normal.map(({ template }) => template),
      ...view.of("series").flatMap((series) => (departed.has(series) ? [] : [series.name])),
    ]);
    this.#ownWords = saidWords(trouble, callees);
    this.#alertWords = new Set(wordsOf(trouble.alerted));
  }

  /** Absent when it came too late to have done it. */
  judge(arrival: Arrival): Suspicion | undefined {
    const { onsetAt } = this.#trouble;
    if (this.#isTimed && arrival.at > onsetAt + toleranceMs) return undefined;
    const { change } = arrival;
    const effect = effectOf(change.diff ?? []);
    const parts = [
      this.#near(arrival),
      this.#place(arrival),
      this.#overlap(arrival, effect),
      this.#hazard(effect),
      ...(this.#isTimed ? this.#past(arrival) : []),
      behaviour(change, effect),
    ];
    return {
      arrival,
      kind: kindOf(change, effect),
      nats: parts.reduce((sum, { nats }) => sum + nats, 0),
      reasons: parts.map(({ reason }) => reason).filter((reason) => reason !== ""),
    };
  }

  /** What was seen between its arrival and the trouble. */
  #past(arrival: Arrival): readonly Part[] {
    const marks = marksOf(this.#view, this.#trouble, arrival);
    const isMarked = marks.some(({ nats }) => nats > 0);
    return this.#isUnprompted && !isMarked
      ? [...marks, servedWell(arrival.at, this.#trouble)]
      : marks;
  }

  /**
   * What breaks at once breaks within minutes. What did not lay in wait for something else, for hours as well as for
   * minutes: how long hardly tells two such changes apart.
   */
  #near({ at, isNamed, isAnothers }: Arrival): Part {
    if (!this.#isTimed) return { nats: isNamed ? namedNats : 0, reason: "" };
    const minutes = Math.max(0, this.#trouble.onsetAt - at) / 60_000;
    const nats =
      (isNamed ? namedNats : 0) +
      (isAnothers ? anothersNats : 0) -
      waitingNats * Math.log1p(minutes / 5);
    return { nats, reason: `deployed ${minutes.toFixed(0)} min before the onset` };
  }

  #place({ target }: Arrival): Part {
    const { symptom, affected, onsetAt } = this.#trouble;
    if (target === symptom) return { nats: 1.5, reason: `on ${symptom}, where it shows` };
    if (this.#surge?.makers.includes(target) === true)
      return {
        nats: 2,
        reason: `on ${target}, which sends ${symptom} ${this.#surge.growth.toFixed(1)} times the requests and gets no more itself`,
      };
    if (this.#callees.includes(target)) {
      const since = affected.get(target);
      const isFirst = since !== undefined && since <= onsetAt;
      const nats = isFirst ? 1.5 : since === undefined ? 0.5 : 1.25;
      return { nats, reason: `on ${target}, which it calls` };
    }
    if (this.#callers.has(target) && !this.#isPassive)
      return { nats: 0, reason: `on ${target}, which calls ${symptom}` };
    // What nothing is deployed to (a database, a queue) does what it is asked to.
    if (this.#isPassive && this.#callers.has(target))
      return { nats: 0.75, reason: `on ${target}, which calls ${symptom}, to which nothing came` };
    return { nats: -1.5, reason: "" };
  }

  #overlap(
    { change: { diff, title }, target }: Arrival,
    { lost, gained, touched, literals }: Effect,
  ): Part {
    // Every change of a service has its name somewhere.
    const own = new Set(wordsOf(splitNodeId(target)?.name ?? ""));
    const changed = new Set([...lost, ...gained]);
    const paths = new Set((diff ?? []).flatMap(({ path }) => wordsOf(path)));
    const titled = new Set(wordsOf(title));
    const shared = new Map<string, number>();
    const placeOf = (word: string): number => {
      if (changed.has(word)) return 1;
      if (paths.has(word)) return 0.4;
      if (touched.includes(word)) return 0.3;
      return titled.has(word) ? 0.2 : 0;
    };
    const weigh = (word: string, by: number): void => {
      if (own.has(word)) return;
      const nats = placeOf(word) * by * this.#rarity.of(word);
      if (nats > 0) shared.set(word, Math.max(shared.get(word) ?? 0, nats));
    };
    for (const [word, by] of this.#ownWords) weigh(word, by);
    for (const word of this.#alertWords) weigh(word, 0.4);
    const quoted = literals.filter((text) => text.length > 2 && this.#isQuoted(text));
    const sum = [...shared.values()].reduce((a, b) => a + b, 0) + 1.5 * quoted.length;
    const top = [...shared].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, 5);
    const names = [...quoted.map((text) => `'${text}'`), ...top.map(([word]) => word)];
    // What is shared beyond a few words adds little.
    const nats = 4 * (1 - Math.exp(-sum / 3));
    return {
      nats,
      reason: names.length === 0 ? "" : `shares ${names.join(", ")} with what is said`,
    };
  }

  #isQuoted(text: string): boolean {
    return this.#trouble.said.some(({ example }) =>
      [`'${text}'`, `"${text}"`].some((quoted) => example.includes(quoted)),
    );
  }

  #hazard({ lost, gained }: Effect): Part {
    const trouble = [
      this.#trouble.alerted,
      ...this.#trouble.departed.map(({ series }) => series.name),
      ...this.#trouble.said.map(({ example }) => example),
    ].join("\n");
    const gone = hazardWords(trouble, lost);
    const come = hazardWords(trouble, gained);
    const words = [...new Set([...gone, ...come])];
    const nats = Math.min(2.5, gone.length + 0.3 * come.length);
    return { nats, reason: words.length === 0 ? "" : `such trouble comes of ${words.join(", ")}` };
  }
}

const textOf = ({ path, removed, added }: NonNullable<Change["diff"]>[number]): string =>
  [path, ...removed, ...added].join("\n");

/**
 * Errors tell more of a fault than what is merely said more often; what was never said before more than what was; those
 * where it shows, and those they call, more than those who only wait for them.
 */
function saidWords(
  { said, symptom, known, departed }: Trouble,
  callees: readonly NodeId[],
): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  const isNear = (node: NodeId): boolean => node === symptom || callees.includes(node);
  const add = (text: string, weight: number): void => {
    for (const word of wordsOf(text)) words.set(word, Math.max(words.get(word) ?? 0, weight));
  };
  for (const { example: line, severity, node, template } of said) {
    // Where a class is from says which library speaks, in every error that passes through it.
    const example = line.replace(/\b(?:[a-z_][\w$]*\.){2,}(?=[A-Z])/g, "");
    const isError = severity === "error" || severity === "warn";
    const isNew = !known.has(`${node} ${template}`);
    add(example, (isError ? 1 : 0.5) * (isNear(node) ? 1 : 0.4) * (isNew ? 1 : 0.3));
  }
  // What is measured is named after what is done.
  for (const { node, series } of departed) add(series.name, isNear(node) ? 0.5 : 0.2);
  return words;
}
