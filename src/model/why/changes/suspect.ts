/**
 * How likely a change brought the trouble: deployed before it and near it, where it began, in its words, and by what it
 * does. That something was deployed is not in itself suspicious: something always was.
 */
import type { CauseKind } from "../../cause-kind.ts";
import type { Change } from "../../event.ts";
import type { NodeId } from "../../graph-words.ts";
import { type Effect, effectOf } from "./diff.ts";
import { hazardWords } from "./hazard.ts";
import { type Trouble, toleranceMs } from "./trouble.ts";
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
}

export interface Suspicion {
  readonly arrival: Arrival;
  readonly kind: CauseKind;
  readonly nats: number;
  readonly reasons: readonly string[];
}

/** A deploy brings much; what it was made for is likelier to matter than what came along. */
const namedNats = 1.5;

export class Suspects {
  readonly #trouble: Trouble;
  readonly #rarity: Rarity;
  readonly #callees: readonly NodeId[];
  readonly #ownWords: ReadonlyMap<string, number>;
  readonly #alertWords: ReadonlySet<string>;
  readonly #isTimed: boolean;

  /** Not `isTimed`: as if nobody knew when anything was changed. */
  constructor(
    trouble: Trouble,
    changes: readonly Change[],
    callees: readonly NodeId[],
    isTimed: boolean,
  ) {
    this.#trouble = trouble;
    this.#isTimed = isTimed;
    this.#callees = callees;
    const texts = changes.map((change) => (change.diff ?? []).map(textOf).join("\n"));
    this.#rarity = new Rarity([...texts, ...trouble.normal.map(({ template }) => template)]);
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
      this.#overlap(change, effect),
      this.#hazard(effect),
      behaviour(change, effect),
    ];
    return {
      arrival,
      kind: kindOf(change, effect),
      nats: parts.reduce((sum, { nats }) => sum + nats, 0),
      reasons: parts.map(({ reason }) => reason).filter((reason) => reason !== ""),
    };
  }

  /** Halving about every half hour: trouble that begins long after a deploy rarely comes of it. */
  #near({ at, isNamed }: Arrival): Part {
    if (!this.#isTimed) return { nats: isNamed ? namedNats : 0, reason: "" };
    const minutes = Math.max(0, this.#trouble.onsetAt - at) / 60_000;
    const nats = -0.4 * Math.log1p(minutes / 5) + (isNamed ? namedNats : 0);
    return { nats, reason: `deployed ${minutes.toFixed(0)} min before the onset` };
  }

  #place({ target }: Arrival): Part {
    const { symptom } = this.#trouble;
    if (target === symptom) return { nats: 1.5, reason: `on ${symptom}, where it shows` };
    if (this.#callees.includes(target))
      return { nats: 0.75, reason: `on ${target}, which it calls` };
    return { nats: -1.5, reason: "" };
  }

  #overlap({ diff, title }: Change, { lost, gained, touched, literals }: Effect): Part {
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
      ...this.#trouble.said.map(({ example }) => example),
    ].join("\n");
    const gone = hazardWords(trouble, lost);
    const come = hazardWords(trouble, gained);
    const words = [...new Set([...gone, ...come])];
    const nats = Math.min(2.5, gone.length + 0.3 * come.length);
    return { nats, reason: words.length === 0 ? "" : `such trouble comes of ${words.join(", ")}` };
  }
}

interface Part {
  readonly nats: number;
  readonly reason: string;
}

const textOf = ({ path, removed, added }: NonNullable<Change["diff"]>[number]): string =>
  [path, ...removed, ...added].join("\n");

/**
 * Errors tell more of a fault than what is merely said more often; what was never said before more than what was; those
 * where it shows, and those they call, more than those who only wait for them.
 */
function saidWords(
  { said, symptom, known }: Trouble,
  callees: readonly NodeId[],
): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  for (const { example, severity, node, template } of said) {
    const isError = severity === "error" || severity === "warn";
    const isNear = node === symptom || callees.includes(node);
    const isNew = !known.has(`${node} ${template}`);
    const weight = (isError ? 1 : 0.5) * (isNear ? 1 : 0.4) * (isNew ? 1 : 0.3);
    for (const word of wordsOf(example)) words.set(word, Math.max(words.get(word) ?? 0, weight));
  }
  return words;
}

/** What only moves code changes nothing; what takes something away more than what adds to it. */
function behaviour({ diff }: Change, effect: Effect): Part {
  const { kinds, kept, takes, brings, lost } = effect;
  if (diff === undefined || diff.every(({ removed, added }) => removed.length + added.length === 0))
    return { nats: -1.5, reason: "" };
  if ([...kinds].every((kind) => kind === "aside"))
    return { nats: -4, reason: "touches nothing that runs" };
  if (kinds.has("dependency") && !kinds.has("code"))
    return effect.isLargeStep
      ? { nats: 0.25, reason: "raises a dependency by more than a patch" }
      : { nats: -1, reason: "" };
  if (!takes && !brings) return { nats: -2, reason: "moves code only" };
  if (kinds.has("config")) return { nats: 0.75, reason: "changes a setting" };
  if (!takes) return { nats: kept > 0 ? -1.5 : -0.25, reason: "" };
  return kept >= 0.75
    ? { nats: -0.25, reason: "" }
    : { nats: 0.75, reason: `takes away ${lost.slice(0, 4).join(", ")}` };
}

function kindOf({ kind }: Change, { kinds }: Effect): CauseKind {
  if (kind === "flag") return "change.flag";
  if (kind === "migration") return "change.migration";
  const isSetting = !kinds.has("code") && (kinds.has("config") || kinds.has("dependency"));
  return kind === "config" || isSetting ? "change.config" : "change.code";
}
