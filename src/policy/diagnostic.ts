/** What is wrong with a policy file, where, and what was probably meant. */

/** Both counted from 1, in UTF-16 code units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic extends Position {
  /** An error keeps the whole set from loading; a warning does not. */
  readonly severity: "error" | "warning";
  /** Stable, for machines: `unknown-field`, `wrong-type`, … */
  readonly code: string;
  readonly file: string;
  readonly message: string;
  /** The valid word nearest to the one that is not. */
  readonly nearest?: string;
  readonly hint?: string;
}

/** A diagnostic before its place is known. */
export interface Problem {
  readonly severity?: "warning";
  readonly code: string;
  readonly message: string;
  readonly nearest?: string | undefined;
  readonly hint?: string | undefined;
}

export function diagnosticAt(file: string, at: Position, problem: Problem): Diagnostic {
  return {
    severity: problem.severity ?? "error",
    code: problem.code,
    file,
    line: at.line,
    column: at.column,
    message: problem.message,
    ...(problem.nearest === undefined ? {} : { nearest: problem.nearest }),
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  };
}

/** `payments.yaml:12:5: error: unknown field outcom; did you mean outcome?` */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message, nearest, hint } = diagnostic;
  const meant = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  const advice = hint === undefined ? "" : `\n    ${hint}`;
  return `${file}:${line}:${column}: ${severity}: ${message}${meant}${advice}`;
}

/** By file, then by place. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort(
    (a, b) =>
      (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}

/** The known word with the smallest edit distance, when it is near enough to have been meant. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Damerau-Levenshtein (optimal string alignment): a swap of neighbours is one edit. Stops counting at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cell(i, j, row));
    [before, previous] = [previous, row];
  }
  return previous[b.length] ?? limit;

  function cell(i: number, j: number, row: readonly number[]): number {
    const change = a[i - 1] === b[j - 1] ? 0 : 1;
    const least = Math.min(
      (previous[j] ?? 0) + 1,
      (row[j - 1] ?? 0) + 1,
      (previous[j - 1] ?? 0) + change,
    );
    const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
    return swapped ? Math.min(least, (before[j - 2] ?? 0) + 1) : least;
  }
}
