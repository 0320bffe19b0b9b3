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

export { nearestWord } from "../kernel/index.ts";

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
