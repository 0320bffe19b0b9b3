/** Names that came from outside, as they may be kept and shown: of bounded length, and nothing in them that cannot be seen. */
import { createHash } from "node:crypto";

/** A longer name keeps its beginning, and the digest of all of it tells it from others. */
const nameCharactersMax = 256;
const textCharactersMax = 4_096;

/** Control characters, what turns the direction of text, what is invisible, and halves of characters. */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A name (of a node, an operation …): the same for the same text, another for another, and itself when it is harmless. */
export function boundedName(text: string): string {
  return bounded(visible(text.slice(0, nameCharactersMax + 1)), text, nameCharactersMax);
}

/** Whether `boundedName` would change it. */
export function isHostileName(text: string): boolean {
  return text.length > nameCharactersMax || visible(text) !== text;
}

/** Text for people: may have line breaks and tabs. */
export function boundedText(text: string): string {
  const seen = text
    .slice(0, textCharactersMax + 1)
    .replace(unseen, (each) => (/[\n\t]/.test(each) ? each : escaped(each)));
  return seen.length <= textCharactersMax ? seen : `${seen.slice(0, textCharactersMax - 1)}…`;
}

function visible(text: string): string {
  return text.replace(unseen, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function bounded(seen: string, whole: string, charactersMax: number): string {
  if (whole.length <= charactersMax && seen.length <= charactersMax) return seen;
  const digest = createHash("sha256").update(whole).digest("hex").slice(0, 12);
  const cut = seen.slice(0, charactersMax - 14);
  // A pair that was cut in two is no character any more.
  return `${cut.replace(/[\ud800-\udbff]$/, "")}…${digest}`;
}
