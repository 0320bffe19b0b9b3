/** The words that identifiers, log lines and file names are made of. */

/** Of a language or a log format, in most texts, and telling nothing of what a change does. */
const common = new Set(
  "the and for not with from this that was were has have are but its into out over per via func function return err error errors const var let new def class self public private static void package import export async await struct type interface name value data info warn debug log logger printf println fmt msg message string get set add use used using".split(
    " ",
  ),
);
const lettersMin = 3;

/** `registerPredefinedAgents` is register, predefined, agent: cut at case, digits and signs; plurals and tenses folded. */
export function wordsOf(text: string): readonly string[] {
  return text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length >= lettersMin && !common.has(word))
    .map(folded);
}

/** Not a stemmer: what differs in number or tense only is one word. */
function folded(word: string): string {
  if (word.length > 5 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 6 && word.endsWith("ing")) return word.slice(0, -3);
  if (word.length > 5 && word.endsWith("ed")) return word.slice(0, -2);
  if (word.length > 4 && word.endsWith("s") && !/(?:ss|us|is)$/.test(word))
    return word.slice(0, -1);
  return word;
}

/** How rare a word is among texts that have nothing to do with the trouble: 0 for what most have, 1 for what none has. */
export class Rarity {
  readonly #texts: number;
  readonly #with = new Map<string, number>();

  constructor(texts: readonly string[]) {
    this.#texts = texts.length;
    for (const text of texts)
      for (const word of new Set(wordsOf(text)))
        this.#with.set(word, (this.#with.get(word) ?? 0) + 1);
  }

  /** Inverse document frequency, scaled to 1. */
  of(word: string): number {
    const all = Math.log(this.#texts + 2);
    return Math.log((this.#texts + 2) / ((this.#with.get(word) ?? 0) + 1)) / all;
  }
}
