/** A run for people. */
import { whyText } from "../../src/cli/model/why-text.ts";
import type { Observed } from "./observe.ts";

const percent = (part: number): string => `${Math.round(part * 1_000) / 10} %`;

export function reportText(observed: Observed): string {
  const { fault, impact, felt, isNamed, isPredicted, answer, chain } = observed;
  const why = whyText(answer, { at: observed.askedAt, text: observed.symptom });
  const { share, target } = impact;
  const predicted =
    share === null
      ? "nothing could be predicted"
      : `predicted ${percent(share.value)} (${percent(share.low)} to ${percent(share.high)})`;
  return [
    "",
    ...why
      .trimEnd()
      .split("\n")
      .map((line) => `  ${line}`),
    "",
    `${isNamed ? "✓" : "✗"} injected: ${fault}`,
    `  its chain: ${percent(chain.recall)} of the steps that the fault really takes, ${percent(chain.precision)} of the steps told are such`,
    `${isPredicted ? "✓" : "✗"} the fix of ${target}: ${predicted} of the traffic to feel it; ${percent(felt)} did`,
    "",
  ].join("\n");
}
