/** What a diff takes away and brings, once what was only moved is left out. */
import type { DiffPart } from "../../event.ts";
import { wordsOf } from "./words.ts";

export type FileKind = "code" | "config" | "dependency" | "aside";

export interface Effect {
  /** Words that were there and are not, of code and settings, without comments. */
  readonly lost: readonly string[];
  readonly gained: readonly string[];
  /** Words of all changed lines, moved or not. */
  readonly touched: readonly string[];
  /** Something was taken away that did not come back, of whatever kind. */
  readonly takes: boolean;
  readonly brings: boolean;
  /** Quoted texts that differ. */
  readonly literals: readonly string[];
  /** 0 to 1: how much of what was removed came back. */
  readonly kept: number;
  readonly kinds: ReadonlySet<FileKind>;
  /** A dependency that changed by more than a patch. */
  readonly isLargeStep: boolean;
}

/** Nothing that runs in production reads these. */
const aside =
  /(?:^|\/)(?:docs?|tests?|testdata|__tests__|\.github|examples?)\/|\.(?:md|rst|txt|css|scss|svg|png|snap)$|(?:^|\/)(?:CODEOWNERS|LICENSE|\.\w+ignore)$|[._](?:test|spec)\.\w+$|theme\.\w+$/i;
const dependency =
  /(?:^|\/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|requirements[\w-]*\.txt|poetry\.lock|Cargo\.(?:toml|lock)|pom\.xml|build\.gradle\w*|Gemfile(?:\.lock)?)$/i;
const config = /\.(?:ya?ml|json|toml|ini|conf|cfg|env|properties|tf|hcl)$|(?:^|\/)Dockerfile$/i;

export function fileKind(path: string): FileKind {
  if (dependency.test(path)) return "dependency";
  if (aside.test(path)) return "aside";
  return config.test(path) ? "config" : "code";
}

export function effectOf(diff: readonly DiffPart[]): Effect {
  const parts = diff.filter(({ path }) => fileKind(path) !== "aside");
  const removed = parts.flatMap((part) => part.removed.map(withoutComment));
  const added = parts.flatMap((part) => part.added.map(withoutComment));
  const [before, after] = [tokensOf(removed), tokensOf(added)];
  const settings = parts.filter(({ path }) => fileKind(path) !== "code");
  const set = changedLines(settings);
  const lost = [...minus(before, after), ...set.lost];
  const gained = [...minus(after, before), ...set.gained];
  return {
    lost: words(lost),
    gained: words(gained),
    touched: words([...before, ...after]),
    takes: minus(before, after).length > 0,
    brings: minus(after, before).length > 0,
    literals: [...minus(quoted(removed), quoted(added)), ...minus(quoted(added), quoted(removed))],
    kept: before.length === 0 ? 0 : 1 - minus(before, after).length / before.length,
    kinds: new Set(diff.map(({ path }) => fileKind(path))),
    isLargeStep: isLargeStep(removed, added),
  };
}

/** Of a setting and a dependency the name matters though only its value differs: all words of lines that differ. */
function changedLines(parts: readonly DiffPart[]): {
  lost: readonly string[];
  gained: readonly string[];
} {
  const removed = parts.flatMap((part) => part.removed.map(withoutComment));
  const added = parts.flatMap((part) => part.added.map(withoutComment));
  const bare = (lines: readonly string[]): ReadonlySet<string> =>
    new Set(lines.map((line) => line.replace(/\s+/g, " ").trim()));
  const only = (lines: readonly string[], others: readonly string[]): readonly string[] =>
    tokensOf([...bare(lines)].filter((line) => !bare(others).has(line)));
  return { lost: only(removed, added), gained: only(added, removed) };
}

/** `//`, `#` and `--` to the end of the line, and lines of a block comment; an address has its `//` after a colon. */
function withoutComment(line: string): string {
  const text = line.trim();
  if (/^(?:\/\/|\/\*|\*|#(?!include|define)|--\s|<!--)/.test(text)) return "";
  return text.replace(/(?:^|[^:])\/\/.*$/, "");
}

/** Identifiers, numbers and quoted texts, as often as they stand there. */
function tokensOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap(
    (line) => line.match(/"[^"]*"|'[^']*'|`[^`]*`|[A-Za-z_][\w-]*|\d[\w.]*/g) ?? [],
  );
}

/** Texts in quotes, of whatever stands around them. */
function quoted(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) =>
    [...line.matchAll(/"([^"]+)"|'([^']+)'/g)].map(([, double, single]) => double ?? single ?? ""),
  );
}

/** What of `a` is left when each of `b` has taken one. */
function minus(a: readonly string[], b: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const token of b) counts.set(token, (counts.get(token) ?? 0) + 1);
  return a.filter((token) => {
    const left = counts.get(token) ?? 0;
    if (left > 0) counts.set(token, left - 1);
    return left === 0;
  });
}

const words = (tokens: readonly string[]): readonly string[] => [
  ...new Set(tokens.flatMap(wordsOf)),
];

/** https://semver.org: a change of the first number, or of the second, may change what callers see. */
function isLargeStep(removed: readonly string[], added: readonly string[]): boolean {
  const versions = (lines: readonly string[]): readonly string[] =>
    lines.flatMap((line) => /\bv?(\d+\.\d+)\.\d+/.exec(line)?.[1] ?? []);
  const [before, after] = [versions(removed), versions(added)];
  return before.some((version, i) => after[i] !== undefined && after[i] !== version);
}
