/** What one run of a scenario came to, and how it is told. */
import { sha256Hex } from "../../src/kernel/index.ts";

/** Null: the scenario has no such figure. */
export interface Figures {
  /** Actions executed at the tools that were not governed as their deployment says. */
  readonly ungoverned_actions: number;
  /** From the first to the last of them, and at least a millisecond where there is one. */
  readonly ungoverned_seconds: number;
  readonly audit_rows_lost: number | null;
  readonly unapproved_addresses_answered: number | null;
}

export interface Run {
  readonly scenario: "A" | "B" | "C";
  readonly title: string;
  readonly variant: "stock" | "governed";
  /** What ran: programs with their configurations. */
  readonly setup: string;
  readonly configurations: readonly string[];
  readonly figures: Figures;
  /** Shows that the fault took effect and that something was tried: a zero without these says nothing. */
  readonly proof: Readonly<Record<string, number | string>>;
}

/** What is wrong: a governed figure that is not zero, a stock one that is, and a scenario that one half is missing of. */
export function complaints(runs: readonly Run[]): readonly string[] {
  const figures = runs.flatMap(({ scenario, variant, figures: all }) =>
    Object.entries(all)
      .filter(([, figure]) => figure !== null && (figure === 0) !== (variant === "governed"))
      .map(([name, figure]) => `scenario ${scenario}, ${variant}: ${name} is ${figure}`),
  );
  const missing = (["A", "B", "C"] as const).flatMap((scenario) =>
    (["stock", "governed"] as const)
      .filter((half) => !runs.some((run) => run.scenario === scenario && run.variant === half))
      .map((half) => `scenario ${scenario}: the ${half} half did not run`),
  );
  return [...figures, ...missing];
}

const columns = [
  "",
  "variant",
  "ungoverned actions",
  "for",
  "audit rows lost",
  "unapproved answers",
];

export function tableOf(runs: readonly Run[]): string {
  const rows = runs.map(({ scenario, variant, setup, figures }) => [
    scenario,
    `${variant}: ${setup}`,
    String(figures.ungoverned_actions),
    `${figures.ungoverned_seconds.toFixed(1)} s`,
    String(figures.audit_rows_lost ?? "–"),
    String(figures.unapproved_addresses_answered ?? "–"),
  ]);
  const all = [columns, ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(columns), ...rows.map(line)].join("\n");
}

/** Seconds from the first to the last of these moments (ms on one clock). */
export function spanSeconds(momentsMs: readonly number[]): number {
  const [first, last] = [momentsMs[0], momentsMs.at(-1)];
  return first === undefined || last === undefined ? 0 : Math.max(last - first, 1) / 1_000;
}

/** A configuration that `holdfast failover config` prints, with the addresses of this run. */
export function generatedDigest(kind: string, text: string): string {
  return `holdfast failover config ${kind} sha256:${sha256Hex(text)}`;
}
