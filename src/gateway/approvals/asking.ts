/** One transaction of the gate: looks at the approval of one id, and leaves it as this call makes it. Pure. */
import {
  type Answer,
  type Approval,
  type ApprovalKeys,
  approvalIn,
  approvalKeys,
  approvalWrites,
  ask,
  claimsPrefix,
  newestKey,
  type Question,
  unrecordedPrefix,
} from "../../approvals/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import { type Counter, counterKey, take } from "../../limits/index.ts";
import type { StoredValues } from "../../ports.ts";
import type { StateChange } from "../../state/index.ts";
import type { ApprovalTerms } from "./terms.ts";

export interface AskingFacts {
  readonly call: string;
  readonly instance: string;
  readonly run: string;
  readonly question: Question;
  readonly terms: ApprovalTerms;
  /** The approval to look at, if any. */
  readonly id: string | undefined;
  /** Of the token that names it; without one it is the newest of the action. */
  readonly jti: string | undefined;
  readonly questionsPerMinuteMax: number;
}

export type Came =
  | Answer
  | { readonly kind: "too_many"; readonly max: number }
  /** Another approval of the action is the newest by now. */
  | { readonly kind: "moved" };

export class Asking {
  readonly keys: readonly string[];
  readonly #facts: AskingFacts;
  readonly #present: ApprovalKeys | undefined;
  readonly #newest: string;
  readonly #questions: Counter;
  readonly #fresh: string;
  readonly #unrecorded: string;
  readonly #claim: string;

  constructor(facts: AskingFacts) {
    const { call, instance, question, id } = facts;
    this.#facts = facts;
    this.#fresh = `apr-${call}`;
    this.#present = id === undefined ? undefined : approvalKeys(id);
    this.#newest = newestKey(question);
    this.#questions = questionsOf(facts);
    this.#unrecorded = unrecordedPrefix(instance) + this.#fresh;
    this.#claim = claimsPrefix(instance) + (id ?? this.#fresh);
    const present = this.#present === undefined ? [] : [this.#present.open, this.#present.closed];
    const fresh = approvalKeys(this.#fresh).open;
    const own = [this.#newest, counterKey(this.#questions), this.#unrecorded, this.#claim];
    this.keys = [...present, fresh, ...own];
  }

  change(values: StoredValues, nowMs: number): StateChange<Came> {
    const { id, jti, question, call, instance, run, terms } = this.#facts;
    if (jti === undefined && idIn(values.get(this.#newest)) !== id)
      return { writes: new Map(), result: { kind: "moved" } };
    const { validMs, useWithinMs } = terms;
    const asking = { id: this.#fresh, instance, validMs, useWithinMs, afterUnknown: null };
    const claim = { call, instance, run };
    const presented = jti === undefined ? {} : { jti };
    const request = { question, asking, claim, ...presented };
    const { answer, changed } = ask(this.#own(values), request, nowMs);
    const writes = new Map(changed.flatMap((each) => [...approvalWrites(each)]));
    if (answer.kind === "claimed") writes.set(this.#claim, { call, run });
    if (answer.kind !== "pending" || !answer.isNew) return { writes, result: answer };
    return this.#asked(values, nowMs, writes, answer);
  }

  /** The token of one chain of agents is not good for another. */
  #own(values: StoredValues): Approval | undefined {
    const stored = this.#present && approvalIn(values, this.#present);
    return stored !== undefined && newestKey(stored) === this.#newest ? stored : undefined;
  }

  /** People are asked, unless this agent has had them asked too often. */
  #asked(
    values: StoredValues,
    nowMs: number,
    writes: Map<string, JsonObject | null>,
    answer: Answer,
  ): StateChange<Came> {
    const { call, instance, run, questionsPerMinuteMax: max } = this.#facts;
    const key = counterKey(this.#questions);
    const taker = { call, instance, run, amount: 1 };
    // Unreadable counts as full: nobody is flooded on a guess.
    const taken = take(this.#questions, values.get(key), nowMs, taker);
    if (taken?.ok !== true) return { writes: new Map(), result: { kind: "too_many", max } };
    writes.set(key, taken.stored);
    writes.set(this.#newest, { id: this.#fresh });
    writes.set(this.#unrecorded, { state: "pending" });
    return { writes, result: answer };
  }
}

/** A limit like those of the policy, and counted where they are. */
function questionsOf({ question, questionsPerMinuteMax }: AskingFacts): Counter {
  return {
    limit: "approvals/questions_per_minute_max",
    cap: { kind: "rate", callsMax: questionsPerMinuteMax, windowSeconds: 60 },
    each: { tenant: question.tenant, agent: question.agent },
  };
}

export function idIn(stored: JsonObject | undefined): string | undefined {
  const id = stored?.["id"];
  return typeof id === "string" ? id : undefined;
}
