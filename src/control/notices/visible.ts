/** Text from agents and tools, made safe for eyes: what cannot be seen, or turns the direction of reading, is written out. */

const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;

const written = (character: string): string =>
  Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");

/** One line. */
export function visible(text: string): string {
  return text.replace(unseen, written);
}

/** JSON over several lines; the escapes mean in JSON what they stand for. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value, null, 2).split("\n").map(visible).join("\n");
}

/** At most so many characters (UTF-16 units), with … at the end where something was cut off. */
export function cut(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const kept = text.slice(0, charactersMax - 1);
  // Not between the halves of a pair.
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}
