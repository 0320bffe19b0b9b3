/** What a diff takes away and brings, once what was only moved is left out. */
import type { DiffPart } from "../../event.ts";
import { wordsOf } from "./words.ts";

export type FileKind = "code" | "config" | "dependency" | "image" | "aside";

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
  /** Where nothing but numbers differs: by how much the one that differs most was multiplied or divided. */
  readonly factor?: number;
  /** A dependency that changed by more than a patch. */
  readonly isLargeStep: boolean;
  /** … by its first number. */
  readonly isBreaking: boolean;
}

/**
 * Nothing that runs in production reads these: words for people, tests, how things are built and checked, what is looked at,
 * and other environments.
 */
const aside = new RegExp(
  [
    "(?:^|/)(?:docs?|documentation|tests?|testdata|__tests__|__snapshots__|examples?|locale)/",
    String.raw`(?:^|/)\.(?:github|gitlab|circleci|buildkite)/|(?:^|/)(?:\.gitlab-ci|azure-pipelines|\.travis)\.ya?ml$|(?:^|/)Jenkinsfile$`,
    "(?:^|/)(?:dashboards?|grafana|alerts?|monitoring)/",
    "(?:^|[/._-])(?:staging|sandbox|qa)(?:[/._-]|$)",
    String.raw`\.(?:md|rst|txt|css|scss|svg|png|snap|po)$|theme\.\w+$`,
    String.raw`(?:^|/)(?:CODEOWNERS|LICENSE|\.\w+ignore|\.(?:golangci|eslint\w*|editorconfig|prettierrc)(?:\.\w+)?)$`,
    String.raw`[._](?:test|spec)\.\w+$|Tests?\.\w+$`,
  ].join("|"),
  "i",
);
const dependency =
  /(?:^|\/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|requirements[\w-]*\.txt|poetry\.lock|Cargo\.(?:toml|lock)|pom\.xml|(?:build|settings)\.gradle(?:\.kts)?|libs\.versions\.toml|[\w.]+\.csproj|Directory\.Packages\.props|Pipfile(?:\.lock)?|pyproject\.toml|uv\.lock|composer\.(?:json|lock)|pnpm-lock\.yaml|Gemfile(?:\.lock)?)$/i;
const config = /\.(?:ya?ml|json|toml|ini|conf|cfg|env|properties|tf|hcl)$|(?:^|\/)Dockerfile$/i;

/** What was seen to differ in an object: with another image or version other code runs, and nothing tells which. */
const object = /^(?:object|workload|service):\S+ /;
const image = /^workload:\S+ .*\.image$|^service:\S+ version\./;

export function fileKind(path: string): FileKind {
  if (object.test(path)) return image.test(path) ? "image" : "config";
  if (dependency.test(path)) return "dependency";
  if (aside.test(path)) return "aside";
  return config.test(path) ? "config" : "code";
}

export function effectOf(diff: readonly DiffPart[]): Effect {
  const parts = diff.filter(({ path }) => !/^(?:aside|image)$/.test(fileKind(path)));
  const removed = parts.flatMap((part) => part.removed.map(withoutComment));
  const added = parts.flatMap((part) => part.added.map(withoutComment));
  const [before, after] = [tokensOf(removed), tokensOf(added)];
  const settings = parts.filter(({ path }) => fileKind(path) !== "code");
  const set = changedLines(settings);
  const dropped = tokensOf(added.filter((line) => drops.test(line)));
  const lost = [...minus(before, after), ...set.lost, ...dropped];
  const code = parts.filter(({ path }) => fileKind(path) === "code");
  const named = localNames(code.flatMap((part) => [...part.removed, ...part.added]));
  const differs = (tokens: readonly string[]): boolean => tokens.some((each) => !named.has(each));
  const gained = [...minus(after, before), ...set.gained];
  return {
    lost: words(lost),
    gained: words(gained),
    touched: words([...before, ...after]),
    takes: differs(minus(before, after)) || dropped.length > 0,
    brings: differs(minus(after, before)),
    literals: [...minus(quoted(removed), quoted(added)), ...minus(quoted(added), quoted(removed))],
    kept: before.length === 0 ? 0 : 1 - minus(before, after).length / before.length,
    kinds: new Set(diff.map(({ path }) => fileKind(path))),
    ...factorOf(removed, added),
    isLargeStep: isStep(removed, added, /\bv?(\d+\.\d+)\.\d+/),
    isBreaking: isStep(removed, added, /\bv?([1-9]\d*)\.\d+\.\d+/),
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

/** What only writes a log changes nothing but the log, whose words it then has. */
const logs =
  /^(?:\w+\s*=\s*)?(?:await\s+)?(?:self\.|this\.|_)?(?:log(?:ger|ging)?|slog|zap|console|klog|logrus)\b(?:\.\w+(?:\([^)]*\))?)*\s*\(|^(?:fmt\.)?[pP]rint(?:ln|f)?!?\(|^System\.out\./i;

/** A migration adds a line to take something away. */
const drops =
  /\bdrop\s+(?:index|table|column|constraint|view|foreign)|\b(?:remove|drop)_?(?:index|column|table|constraint|foreign_key)\b/i;

/** `//`, `#` and `--` to the end of the line, and lines of a block comment; an address has its `//` after a colon. */
function withoutComment(line: string): string {
  const text = line.trim();
  if (logs.test(text)) return "";
  if (/^(?:\/\/|\/\*|\*|#(?!include|define)|--\s|<!--)/.test(text)) return "";
  return text.replace(/(?:^|[^:])\/\/.*$/, "");
}

/** Identifiers, numbers and quoted texts, as often as they stand there. */
function tokensOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap(
    (line) => line.match(/"[^"]*"|'[^']*'|`[^`]*`|[A-Za-z_][\w-]*|\d[\w.]*/g) ?? [],
  );
}

/** What a line names for its own use: how it is called, or that it has no name any more, changes nothing. */
function localNames(lines: readonly string[]): ReadonlySet<string> {
  const declared =
    /(?:^|[({;])\s*(?:(?:var|let|const|val|final|auto)\s+(?:mut\s+)?([A-Za-z_]\w*)\s*=|([A-Za-z_]\w*)\s*:=)/g;
  const names = lines.flatMap((line) =>
    [...line.matchAll(declared)].map(([, keyed, short]) => keyed ?? short ?? ""),
  );
  return new Set([...names, "var", "let", "const", "val", "final", "auto", "mut"]);
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

const number = /\d[\d_]*(?:\.\d+)?/g;

function factorOf(removed: readonly string[], added: readonly string[]): { factor?: number } {
  const bare = (lines: readonly string[]): readonly string[] => lines.filter((line) => line !== "");
  const [before, after] = [bare(removed), bare(added)];
  const shapes = (lines: readonly string[]): string =>
    lines.map((line) => line.replace(number, "#")).join("\n");
  if (before.length === 0 || shapes(before) !== shapes(after)) return {};
  const numbers = (lines: readonly string[]): readonly number[] =>
    lines.flatMap((line) =>
      (line.match(number) ?? []).map((each) => Number(each.replaceAll("_", ""))),
    );
  const [old, now] = [numbers(before), numbers(after)];
  const factors = old.map((value, i) => Math.abs(Math.log((now[i] ?? value) / value)));
  const most = Math.max(0, ...factors.filter((each) => Number.isFinite(each)));
  return most === 0 ? {} : { factor: Math.exp(most) };
}

/** https://semver.org: a change of the first number, or of the second, may change what callers see. */
function isStep(removed: readonly string[], added: readonly string[], part: RegExp): boolean {
  const versions = (lines: readonly string[]): readonly string[] =>
    lines.flatMap((line) => part.exec(line)?.[1] ?? []);
  const [before, after] = [versions(removed), versions(added)];
  return before.some((version, i) => after[i] !== undefined && after[i] !== version);
}
