/** The `Probe` port in a simulated world: it says what it is told to say, and keeps the rules of the port whatever that is. */
import type { Clock, Probe, ProbeFinding, ProbeQuestion } from "../ports.ts";
import type { Random } from "./random.ts";

/**
 * `late`: a PASS after so long, or nothing within the time it has. `silent`: nothing at all. `other_site`, `other_question`: a PASS
 * that names another site or an old nonce, as an old primary behind a shared address and a cache give it.
 */
export type SimProbeAnswer =
  | "pass"
  | "fail"
  | "inconclusive"
  | "silent"
  | "other_site"
  | "other_question"
  | { readonly lateMs: number };

/** Asked for each question; `nth` counts from 1 for each component. */
export type SimProbeScript = (question: ProbeQuestion, nth: number) => SimProbeAnswer;

const takesMs = 1;

export class SimProbe implements Probe {
  /** Every question, in order. */
  readonly asked: ProbeQuestion[] = [];
  readonly #clock: Clock;
  readonly #script: SimProbeScript;
  readonly #otherSite: string;

  constructor(clock: Clock, script: SimProbeScript = () => "pass", otherSite = "elsewhere") {
    this.#clock = clock;
    this.#script = script;
    this.#otherSite = otherSite;
  }

  async ask(question: ProbeQuestion, signal: AbortSignal): Promise<ProbeFinding> {
    this.asked.push(question);
    const nth = this.asked.filter(({ component }) => component === question.component).length;
    const answer = this.#script(question, nth);
    const { timeoutMs } = question;
    const neededMs = answer === "silent" ? timeoutMs : waitOf(answer);
    await this.#clock.sleep(Math.min(neededMs, timeoutMs), signal);
    if (signal.aborted) return findingOf(question, "inconclusive", "it was told to stop");
    if (answer === "silent" || neededMs > timeoutMs)
      return findingOf(question, "inconclusive", `nothing was learned within ${timeoutMs} ms`);
    return this.#said(question, answer);
  }

  #said(question: ProbeQuestion, answer: Exclude<SimProbeAnswer, "silent">): ProbeFinding {
    if (answer === "fail") return findingOf(question, "fail", "it is broken");
    if (answer === "inconclusive") return findingOf(question, "inconclusive", "it says nothing");
    const passed = findingOf(question, "pass", "it is intact");
    if (answer === "other_site") return { ...passed, site: this.#otherSite };
    if (answer === "other_question") return { ...passed, nonce: `not-${question.nonce}` };
    return passed;
  }
}

const waitOf = (answer: SimProbeAnswer): number =>
  typeof answer === "object" ? answer.lateMs : takesMs;

function findingOf(
  { site, nonce }: ProbeQuestion,
  verdict: ProbeFinding["verdict"],
  because: string,
): ProbeFinding {
  return { ...{ verdict, because, site, nonce }, observed: {}, boundBy: "echo" };
}

export interface SimProbeFaults {
  /** How likely each is, of every answer. */
  readonly fail: number;
  readonly inconclusive: number;
  readonly silent: number;
  readonly other_site: number;
  readonly other_question: number;
  readonly late: number;
  readonly lateMsMax: number;
}

/** Answers from a seed. */
export function seededProbe(random: Random, faults: SimProbeFaults): SimProbeScript {
  const kinds = ["fail", "inconclusive", "silent", "other_site", "other_question"] as const;
  return () => {
    for (const kind of kinds) if (random.chance(faults[kind])) return kind;
    return random.chance(faults.late) ? { lateMs: random.below(faults.lateMsMax) } : "pass";
  };
}
