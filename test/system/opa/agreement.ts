/** One group of questions, asked of the native engine, of its plain twin and of a real OPA. */
import { compile, type Verdict } from "../../../src/policy/index.ts";
import { twinDecide } from "../../unit/policy/twin.ts";
import { opaVerdicts, type Question } from "./opa.ts";
import { differences } from "./questions.ts";

export function native(
  questions: readonly Question[],
  compiler: typeof compile = compile,
): Verdict[] {
  const engines = new Map(
    [...new Set(questions.map(({ set }) => set))].map((set) => [set, compiler(set, "r")]),
  );
  return questions.map(({ set, request }) => engines.get(set)?.decide(request) as Verdict);
}

export const twin = (questions: readonly Question[]): Verdict[] =>
  questions.map(({ set, request }) => twinDecide(set, request));

export interface Agreement {
  /** Of the native engine. */
  readonly verdicts: readonly Verdict[];
  /** Where another one answers differently. */
  readonly differences: readonly unknown[];
}

export async function agreementOn(questions: readonly Question[]): Promise<Agreement> {
  const verdicts = native(questions);
  const opa = await opaVerdicts(questions);
  return {
    verdicts,
    differences: [
      ...differences(questions, verdicts, twin(questions)),
      ...differences(questions, verdicts, opa),
    ],
  };
}
