/** Asking users' own Rego before a decision, which itself is pure: the questions of a request, and their answers. */
import type { JsonObject } from "../kernel/index.ts";
import { modelNotAsked, type PolicyRequest } from "./decision.ts";
import type { RegoCondition } from "./ir.ts";

/** One condition, for one agent of the chain. */
export interface RegoQuestion {
  readonly agent: string;
  readonly condition: RegoCondition;
  /** The input document: that of `data.holdfast.verdict`, with `subject.id` being the agent. */
  readonly input: JsonObject;
}

/** Whether the condition holds, or why that could not be told. */
export type RegoAnswer = boolean | { readonly why: string };

/** Answers by agent and condition. One that is missing is a condition that could not be evaluated. */
export class RegoAnswers {
  readonly #answers = new Map<string, RegoAnswer>();

  add({ agent, condition }: RegoQuestion, answer: RegoAnswer): void {
    this.#answers.set(keyOf(agent, condition), answer);
  }

  of(agent: string, condition: RegoCondition): RegoAnswer {
    return this.#answers.get(keyOf(agent, condition)) ?? { why: "its Rego was not asked" };
  }
}

export function keyOf(agent: string, { module, entrypoint, ...limits }: RegoCondition): string {
  return JSON.stringify([agent, module, entrypoint, limits.timeoutMs, limits.memoryMiBMax]);
}

export function regoInput(request: PolicyRequest, agent: string): JsonObject {
  const { subject, action, resource, args, context, model = modelNotAsked } = request;
  const asked = { subject: { ...subject, id: agent }, action, resource, args, context, model };
  return asked as unknown as JsonObject;
}
