/**
 * Between the judgement and its record stand the gates: people's consent, what is held back, limits. Each takes what it
 * needs or turns the call away, in their order; whatever was taken is settled when the outcome of the call is known. A
 * gate that turns a call away has taken nothing.
 */
import type { CallOutcome } from "../audit/index.ts";
import type { Hold } from "./hold.ts";
import { type Asked, held, type Judgement } from "./judge.ts";

/** Ends what a gate took: once, when it is known what became of the call. Never rejects. */
export type Settle = (outcome: CallOutcome) => Promise<void>;

export interface Entered {
  readonly judgement: Judgement;
  readonly settle?: Settle;
}

export interface Gate {
  /** Called for every judgement, also for one that lets nothing through. `decisionOnly`: somebody else acts on it. */
  enter(asked: Asked, judgement: Judgement, decisionOnly: boolean): Entered | Promise<Entered>;
  /** What the gate says, at once and taking nothing, to a question that is not a call (a search). */
  answer?(asked: Asked): Hold | undefined;
  /** Asked once more right before the call is forwarded; at once, because nothing may come in between. */
  recheck?(asked: Asked): Hold | undefined;
}

export interface Admitted {
  readonly judgement: Judgement;
  readonly settle: Settle;
}

export function lets({ decision: { decision } }: Judgement): boolean {
  return decision === "allow" || decision === "sanitize";
}

export async function admit(
  gates: readonly Gate[],
  asked: Asked,
  judged: Judgement,
  decisionOnly: boolean,
): Promise<Admitted> {
  let judgement = judged;
  const taken: Settle[] = [];
  const settle: Settle = async (outcome) => {
    await Promise.all(taken.splice(0).map((each) => each(outcome)));
  };
  try {
    for (const gate of gates) {
      const entered = await gate.enter(asked, judgement, decisionOnly);
      judgement = entered.judgement;
      if (entered.settle !== undefined) taken.push(entered.settle);
    }
  } catch (thrown) {
    // A gate that broke lets nothing through, and keeps nothing of what those before it took.
    await settle("not_sent");
    throw thrown;
  }
  // Turned away after something was taken: it is given back before the refusal is recorded.
  if (!lets(judgement)) await settle("not_sent");
  return { judgement, settle };
}

/** What is told of a judgement that is part of a search: whoever acts on it comes through no gate. */
export function answered(gates: readonly Gate[], asked: Asked, judgement: Judgement): Judgement {
  if (!lets(judgement)) return judgement;
  for (const gate of gates) {
    const hold = gate.answer?.(asked);
    if (hold !== undefined) return held(asked, hold);
  }
  return judgement;
}

/** What any gate has against the call at this very moment. */
export function recheck(gates: readonly Gate[], asked: Asked): Hold | undefined {
  for (const gate of gates) {
    const hold = gate.recheck?.(asked);
    if (hold !== undefined) return hold;
  }
  return undefined;
}

/** The gate turns the call away. */
export function turnedAway(asked: Asked, hold: Hold): Entered {
  return { judgement: held(asked, hold) };
}
