/** Reasons of all sources become one ranking, with the probability that its first is right. */
import type { Cause, WhyAnswer } from "../answer.ts";
import type { Finding, Found } from "./finding.ts";

/** What speaks, in nats, for a cause that no source has a finding for. */
const unseenCauseNats = 1;
/** No answer is surer than this: what nobody thought of happens. */
const mostConfidence = 0.98;
/** Below this the first cause is a guess, and said to be one. */
const leastConfidence = 0.25;
const mostCauses = 10;

interface Candidate {
  readonly findings: Finding[];
  score: number;
}

/** Sums the weights of findings that name the same cause, and turns sums into probabilities. */
export function rank(found: readonly Found[]): WhyAnswer {
  const candidates = candidatesOf(unexplained(found.flatMap(({ findings }) => findings)));
  const top = candidates[0];
  const seen = found.some(({ symptomSeen }) => symptomSeen === true);
  const denied = !seen && found.some(({ symptomSeen }) => symptomSeen === false);
  const confidences = confidencesOf(candidates.map(({ score }) => score));
  const causes = candidates
    .slice(0, mostCauses)
    .map((candidate, at) => causeOf(candidate, confidences[at] ?? 0));
  return {
    verdict: verdictOf(top === undefined, denied, confidences[0] ?? 0),
    causes,
    ruledOut: found.flatMap(({ ruledOut }) => ruledOut ?? []),
    checkNext: found.flatMap(({ checkNext }) => checkNext ?? []),
  };
}

function verdictOf(empty: boolean, denied: boolean, first: number): WhyAnswer["verdict"] {
  if (denied) return "none";
  return empty || first < leastConfidence ? "insufficient" : "cause";
}

/** A deviation where a cause was found that accounts for it is a consequence; that cause must be likely to count. */
const explainingNats = 2;
/** Likelier than that something unknown came, and not sure: the place is known, and what came to it is not. */
const placeNats = 4;

function unexplained(findings: readonly Finding[]): readonly Finding[] {
  const likely = findings.filter(({ weight }) => weight >= explainingNats);
  const explainedBy = (each: readonly Finding[]) =>
    new Set(each.flatMap(({ explains }) => explains ?? []));
  const known = explainedBy(likely.filter(({ kind }) => kind !== "external.unknown"));
  const all = explainedBy(likely);
  return findings.flatMap((finding) => {
    const { node, explains, weight } = finding;
    if (explains !== undefined || !all.has(node)) return finding;
    return known.has(node) ? [] : { ...finding, weight: Math.min(weight, placeNats) };
  });
}

function candidatesOf(findings: readonly Finding[]): Candidate[] {
  const byName = new Map<string, Candidate>();
  for (const finding of findings) {
    const name = JSON.stringify([finding.node, finding.kind, finding.change ?? ""]);
    const candidate = byName.get(name);
    if (candidate === undefined) byName.set(name, { findings: [finding], score: finding.weight });
    else {
      candidate.findings.push(finding);
      candidate.score += finding.weight;
    }
  }
  return [...byName]
    .sort(([a, x], [b, y]) => y.score - x.score || (a < b ? -1 : 1))
    .map(([, candidate]) => candidate);
}

/** Each candidate's share among all of them and the cause that nobody has found. */
function confidencesOf(scores: readonly number[]): number[] {
  const top = Math.max(unseenCauseNats, ...scores);
  const odds = scores.map((score) => Math.exp(score - top));
  const all = odds.reduce((sum, each) => sum + each, Math.exp(unseenCauseNats - top));
  return odds.map((each) => Math.min(mostConfidence, each / all));
}

function causeOf({ findings }: Candidate, confidence: number): Cause {
  const byWeight = findings.toSorted((a, b) => b.weight - a.weight);
  const [first] = byWeight;
  if (first === undefined) throw new Error("a candidate has a finding");
  const onsets = findings.flatMap(({ onsetAt }) => (onsetAt === null ? [] : [onsetAt]));
  return {
    node: first.node,
    kind: first.kind,
    ...(first.change === undefined ? {} : { change: first.change }),
    confidence,
    onsetAt: onsets.length === 0 ? null : Math.min(...onsets),
    // The one that leaves out least.
    path: byWeight
      .map(({ path }) => path ?? [])
      .reduce((longest, path) => (path.length > longest.length ? path : longest), []),
    evidence: byWeight.flatMap(({ evidence }) => evidence),
    remembered: [...new Set(findings.flatMap(({ remembered }) => remembered ?? []))].sort(),
  };
}
