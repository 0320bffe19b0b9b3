/** A HAProxy configuration as its sections and lines (Configuration Manual, section 2): words, quotes, escapes, comments. */

export interface HaproxyLine {
  /** From 1. */
  readonly line: number;
  readonly words: readonly string[];
}

export interface HaproxySection {
  /** `global`, `defaults`, `frontend`, `backend`, `listen`, … */
  readonly kind: string;
  readonly name: string;
  readonly line: number;
  readonly lines: readonly HaproxyLine[];
  /** Whole comment lines right before the section, with their `#`. */
  readonly comments: readonly { readonly text: string; readonly line: number }[];
}

const sectionKinds = [
  ...["global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers"],
  ...[
    "userlist",
    "cache",
    "program",
    "http-errors",
    "ring",
    "log-forward",
    "fcgi-app",
    "crt-store",
  ],
];

export function readHaproxySections(text: string): readonly HaproxySection[] {
  const sections: { -readonly [K in keyof HaproxySection]: HaproxySection[K] }[] = [];
  let comments: { text: string; line: number }[] = [];
  for (const [at, source] of text.split("\n").entries()) {
    const line = at + 1;
    if (source.trim().startsWith("#")) {
      comments.push({ text: source.trim(), line });
      continue;
    }
    const words = wordsOf(source);
    const [first = "", name = ""] = words;
    if (first === "") {
      comments = [];
    } else if (sectionKinds.includes(first)) {
      sections.push({ kind: first, name, line, lines: [], comments });
      comments = [];
    } else {
      const last = sections.at(-1);
      if (last) last.lines = [...last.lines, { line, words }];
      comments = [];
    }
  }
  return sections;
}

const pieces = /#.*$|\s+|"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)|([^\s"'\\#]+)/g;

/** Words of a line: double quotes take escapes, single quotes nothing, and `#` begins a comment. */
function wordsOf(source: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [piece, double, single, escaped, plain] of source.matchAll(pieces)) {
    if (piece.startsWith("#") || /^\s/.test(piece)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else
      word = (word ?? "") + (double?.replace(/\\(.)/g, "$1") ?? single ?? escaped ?? plain ?? "");
    if (piece.startsWith("#")) break;
  }
  return word === undefined ? words : [...words, word];
}
