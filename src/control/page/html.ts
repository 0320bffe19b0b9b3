/** HTML that cannot be broken out of: whatever is put in is escaped, unless it is HTML made here. */

export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = string | number | Html | readonly Html[] | undefined;

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: strings }, ...parts.map(markupOf)));
}

function markupOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "object") return part.map(({ markup }) => markup).join("");
  return escaped(String(part));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}

/**
 * Characters that are not seen, or turn what follows around (Unicode Technical Report 36, bidirectional text spoofing).
 * Line ends are seen. Hangul fillers and the blank Braille pattern are letters to Unicode and nothing to the eye.
 */
const unseen = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800]|[\ufe00-\ufe0f]/gu;

/** Text of agents and tools as people must see it: what is hidden in it is named. */
export function shown(text: string): Html {
  const pieces: string[] = [];
  let from = 0;
  for (const { 0: character, index } of text.matchAll(unseen)) {
    if (character === "\n") continue;
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    pieces.push(
      escaped(text.slice(from, index)),
      `<mark title="unseen character">U+${code}</mark>`,
    );
    from = index + character.length;
  }
  return new Html(pieces.join("") + escaped(text.slice(from)));
}
