/** What the sets have in common that ask for a ranking of services. */
import { type NodeKind, splitNodeId, type WhyAnswer } from "../../../src/model/index.ts";
import type { OpenSet, Prediction, Scores } from "../reader.ts";

interface ServiceLabel {
  readonly root_cause: string;
  readonly fault_type: string;
}

type Name = (node: { kind: NodeKind; name: string }) => string | undefined;

/** Predictions `{"ranking": [service, …]}`; `nameOf` gives the set's name of a node, or undefined where it has none. */
export function byServiceName(nameOf: Name): Pick<OpenSet, "predict" | "score" | "groups"> {
  return {
    predict: (answer) => ({ ranking: rankingOf(answer, nameOf) }),
    score: (prediction, label) => scoreOf(prediction, (label as ServiceLabel).root_cause),
    groups: (label) => [`type ${(label as ServiceLabel).fault_type}`],
  };
}

function rankingOf(answer: WhyAnswer, nameOf: Name): string[] {
  const names = answer.causes.flatMap(({ node }) => {
    const parts = splitNodeId(node);
    return (parts && nameOf(parts)) ?? [];
  });
  return [...new Set(names)];
}

function scoreOf(prediction: Prediction, cause: string): Scores {
  const ranking = prediction["ranking"] as readonly string[];
  const at = ranking.indexOf(cause);
  const within = (n: number) => Number(at >= 0 && at < n);
  return { top1: within(1), top3: within(3), top5: within(5) };
}
