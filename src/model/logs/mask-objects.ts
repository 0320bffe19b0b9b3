/** Objects and lists printed into a log line: what they hold varies, that there is one stays. */

interface Open {
  /** Where its bracket is in what is written. */
  readonly at: number;
  /** It holds fields, or is the value of one. */
  isObject: boolean;
}

const opening = new Set(["(", "[", "{"]);
const closing = new Set([")", "]", "}"]);
const wordCharacter = /[\p{L}\p{N}_.$<*>]/u;

/**
 * `Seat(date=1, to=x)`, `{a=1}`, and a list after a colon or an equals sign become `by`, from the innermost outward, each
 * with the word before its bracket. One that the line's end cuts off, too. Linear in the line.
 */
export function maskObjects(line: string, by: string): string {
  let written = "";
  const open: Open[] = [];
  for (const character of line) {
    if (opening.has(character)) open.push({ at: written.length, isObject: isValue(written) });
    const top = open.at(-1);
    if (character === "=" && top !== undefined) top.isObject = true;
    written += character;
    if (!closing.has(character)) continue;
    const closed = open.pop();
    if (closed?.isObject === true) written = written.slice(0, wordStart(written, closed.at)) + by;
  }
  const cut = open.find(({ isObject }) => isObject);
  return cut === undefined ? written : written.slice(0, wordStart(written, cut.at)) + by;
}

function isValue(written: string): boolean {
  const last = written.at(-1) === " " ? written.at(-2) : written.at(-1);
  return last === ":" || last === "=";
}

/** Names are not longer. */
const wordMax = 60;

function wordStart(written: string, bracketAt: number): number {
  let at = bracketAt;
  while (at > 0 && bracketAt - at < wordMax && wordCharacter.test(written[at - 1] ?? "")) at -= 1;
  return at;
}
