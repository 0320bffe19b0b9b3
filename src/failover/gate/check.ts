/** One validation: who is asked when, and what the answers come to. */

import type { OnFailure } from "../manifest/manifest.ts";
import type { ProbeVerdict } from "./answer.ts";
import { stricter, type Tier } from "./tier.ts";

export interface GateRules {
  readonly components: readonly GateComponent[];
  readonly validationMs: number;
  readonly remediationMs: number;
  /** Of a verdict, and of the lease. */
  readonly ttlMs: number;
}

export interface GateComponent {
  readonly name: string;
  readonly onFailure: OnFailure;
  /** Asked only once these are shown to be intact. */
  readonly dependsOn: readonly string[];
  /** How often it may be repaired; 0: never. */
  readonly attemptsMax: number;
}

export interface Check {
  readonly round: number;
  readonly endsMs: number;
  /** In the order in which they were asked. */
  readonly asked: readonly string[];
  readonly answers: Readonly<Record<string, Answered>>;
}

interface Answered {
  readonly verdict: ProbeVerdict;
  readonly because: string;
}

export interface Failing {
  readonly component: string;
  readonly verdict: "fail" | "inconclusive";
  readonly because: string;
}

export function firstAsked({ components }: GateRules): readonly string[] {
  return components.filter(({ dependsOn }) => dependsOn.length === 0).map(({ name }) => name);
}

/** Asks whoever waited for the answers there are; what depends on something that failed is not asked at all. */
export function dependents({ components }: GateRules, check: Check): Check {
  const asked = [...check.asked];
  const answers: Record<string, Answered> = { ...check.answers };
  // Dependencies have no cycle, so each pass settles one more layer at least.
  for (let before = -1; before !== asked.length + Object.keys(answers).length; ) {
    before = asked.length + Object.keys(answers).length;
    for (const { name, dependsOn } of components) {
      if (asked.includes(name) || name in answers) continue;
      const broken = dependsOn.find((each) => isBroken(answers[each]));
      if (broken !== undefined)
        answers[name] = {
          verdict: "inconclusive",
          because: `it depends on ${broken}, which is not shown to be intact`,
        };
      else if (dependsOn.every((each) => answers[each]?.verdict === "pass")) asked.push(name);
    }
  }
  return { ...check, asked, answers };
}

function isBroken(answer: Answered | undefined): boolean {
  return answer !== undefined && answer.verdict !== "pass";
}

/** Every component without a PASS. Whoever was not heard is one of them. */
export function failingOf({ components }: GateRules, { answers }: Check): readonly Failing[] {
  return components.flatMap(({ name }): readonly Failing[] => {
    const answer = answers[name] ?? unheard;
    const { verdict, because } = answer;
    return verdict === "pass" ? [] : [{ component: name, verdict, because }];
  });
}

const unheard: Answered = {
  verdict: "inconclusive",
  because: "it did not answer before the validation had to end",
};

/** `blocked`, or what may go on. */
export type Conclusion = "blocked" | { readonly tier: Tier; readonly enhanced: boolean };

/** One component that blocks is enough, whatever the others say (AG-403 4.3). */
export function conclusion({ components }: GateRules, failing: readonly Failing[]): Conclusion {
  let tier: Tier = "full";
  for (const { component } of failing) {
    const { onFailure } = components.find(({ name }) => name === component) ?? blocking;
    if (onFailure === "block") return "blocked";
    if (onFailure !== "alert") tier = stricter(tier, onFailure.degrade);
  }
  return { tier, enhanced: failing.length > 0 };
}

const blocking: Pick<GateComponent, "onFailure"> = { onFailure: "block" };
