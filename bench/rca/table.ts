/** Figures for people: means with Wilson's interval of 95 %, and the time an answer takes. */
import type { Asked } from "./ask.ts";
import type { OpenSet, Scores } from "./reader.ts";

type Labels = Readonly<Record<string, unknown>>;

/** Wilson's score interval for k of n. */
export function wilson(k: number, n: number): [number, number] {
  const z = 1.96;
  if (n === 0) return [0, 1];
  const p = k / n;
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const [middle, scale] = [p + (z * z) / (2 * n), 1 + (z * z) / n];
  return [(middle - spread) / scale, (middle + spread) / scale];
}

export function scoreTable(asked: readonly Asked[], set: OpenSet, labels?: Labels): string {
  const head = `n ${asked.length}, ${verdicts(asked)}; an answer takes ${times(asked)} of processor time`;
  if (labels === undefined) return head;
  const rows = [...groupsOf(asked, set, labels)].map(([name, scores]) => row(name, scores));
  return [head, ...rows, ...reliability(asked, set, labels)].join("\n");
}

/** One row for each way of asking about the same set: with a part left out, or perturbed. */
export function comparison(
  runs: readonly { name: string; asked: readonly Asked[] }[],
  set: OpenSet,
  labels?: Labels,
): string {
  const rows = runs.map(({ name, asked }) => {
    const scores = labels && groupsOf(asked, set, labels).get("all");
    return scores === undefined
      ? `  ${name.padEnd(28)} n ${asked.length}, ${verdicts(asked)}`
      : row(name, scores);
  });
  return rows.join("\n");
}

/** The means of all cases, and of each group of them. */
export function meansTable(
  scores: readonly (readonly [id: string, Scores])[],
  groups: (id: string) => readonly string[],
): string {
  return [...grouped(scores, groups)].map(([name, each]) => row(name, each)).join("\n");
}

function groupsOf(asked: readonly Asked[], set: OpenSet, labels: Labels): Map<string, Scores[]> {
  const scores = asked.map(({ id, line, answer }) => {
    const label = labels[id];
    if (label === undefined) throw new Error(`labels.json has no ${id}`);
    const own = set.score(line, label);
    return [id, { ...own, ...confident(own, answer) }] as const;
  });
  return grouped(scores, (id) => [halfOf(id), ...set.groups(labels[id])]);
}

function grouped(
  scores: readonly (readonly [id: string, Scores])[],
  groupsOfCase: (id: string) => readonly string[],
): Map<string, Scores[]> {
  const groups = new Map<string, Scores[]>([["all", []]]);
  for (const [id, each] of scores)
    for (const name of ["all", ...groupsOfCase(id)])
      groups.set(name, [...(groups.get(name) ?? []), each]);
  return new Map([...groups].sort(([a], [b]) => order(a, b)));
}

/** A set in two parts that nobody chose, to see whether both say the same. */
function halfOf(id: string): string {
  const hash = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
  return hash % 2 === 0 ? "half one (by hash of id)" : "half two";
}

function order(a: string, b: string): number {
  if (a === "all" || b === "all") return a === "all" ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Sure, and wrong: the worst answer. */
function confident(scores: Scores, answer: Asked["answer"]): Scores {
  const sure = answer.verdict === "cause" && (answer.causes[0]?.confidence ?? 0) >= 0.8;
  return { sure: Number(sure), sureAndWrong: Number(sure && scores["top1"] !== 1) };
}

/** What confidence was worth: of the answers within a band, how many were right. */
function reliability(asked: readonly Asked[], set: OpenSet, labels: Labels): string[] {
  const bands = [0, 0.25, 0.5, 0.8, 0.9, 1.01];
  return bands.slice(1).flatMap((to, at) => {
    const from = bands[at] ?? 0;
    const within = asked.filter(({ answer }) => {
      const confidence = answer.causes[0]?.confidence ?? 0;
      return confidence >= from && confidence < to;
    });
    if (within.length === 0) return [];
    const right = within.filter(({ id, line }) => set.score(line, labels[id])["top1"] === 1).length;
    const band = `confidence ${from.toFixed(2)}–${Math.min(1, to).toFixed(2)}`;
    return [`  ${band.padEnd(28)} n ${String(within.length).padStart(3)}  right ${right}`];
  });
}

function row(name: string, scores: readonly Scores[]): string {
  const names = [...new Set(scores.flatMap((each) => Object.keys(each)))];
  const figures = names.map((measure) => {
    const values = scores.flatMap((each) => each[measure] ?? []);
    const sum = values.reduce((a, b) => a + b, 0);
    const [low, high] = wilson(sum, values.length);
    const isOfAll = values.length === scores.length;
    const n = isOfAll ? "" : `, n ${values.length}`;
    const interval =
      measure === "top1" || !isOfAll ? ` (${low.toFixed(2)}–${high.toFixed(2)}${n})` : "";
    return `${measure} ${(sum / Math.max(1, values.length)).toFixed(3)}${interval}`;
  });
  return `  ${name.padEnd(28)} n ${String(scores.length).padStart(3)}  ${figures.join("  ")}`;
}

function verdicts(asked: readonly Asked[]): string {
  const counts = (["cause", "none", "insufficient"] as const).map(
    (verdict) => `${asked.filter(({ answer }) => answer.verdict === verdict).length} ${verdict}`,
  );
  return counts.join(", ");
}

function times(asked: readonly Asked[]): string {
  const sorted = asked.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return `p50 ${(at(0.5) ?? 0).toFixed(1)} ms, p95 ${(at(0.95) ?? 0).toFixed(1)} ms`;
}
