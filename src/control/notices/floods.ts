/**
 * Too many questions at once. Who gets a hundred messages reads none, and clicks; so what is over the limits is told in
 * one message, and, where so configured, declined.
 */
import type { Approval } from "../../approvals/index.ts";

export interface FloodLimits {
  /** Pending questions of one agent. */
  readonly perAgentMax: number;
  /** Of all agents; critical ones count, and are never held back by it. */
  readonly totalMax: number;
  readonly decline: boolean;
}

export interface Flood {
  /** Null: of all agents together. */
  readonly agent: string | null;
  readonly tenant: string | null;
  readonly approvals: readonly Approval[];
  readonly max: number;
}

export interface Split {
  readonly calm: readonly Approval[];
  readonly floods: readonly Flood[];
}

/** `pending` is in the order in which it was asked; the first ones stay calm, so that what people were told stays told. */
export function splitFloods(
  pending: readonly Approval[],
  { perAgentMax, totalMax }: FloodLimits,
): Split {
  const seen = new Map<string, number>();
  const over = new Map<string, Approval[]>();
  const within: Approval[] = [];
  for (const approval of pending) {
    const key = JSON.stringify([approval.tenant, approval.agent]);
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    if (nth <= perAgentMax) within.push(approval);
    else over.set(key, [...(over.get(key) ?? []), approval]);
  }
  const isCalm = ({ risk }: Approval, i: number): boolean => i < totalMax || risk === "critical";
  const calm = within.filter(isCalm);
  const rest = within.filter((each, i) => !isCalm(each, i));
  const floods = [...over.values()].map((approvals): Flood => {
    const { agent = null, tenant = null } = approvals[0] ?? {};
    return { agent, tenant, approvals, max: perAgentMax };
  });
  return {
    calm,
    floods:
      rest.length === 0
        ? floods
        : [...floods, { agent: null, tenant: null, approvals: rest, max: totalMax }],
  };
}

/** Why a question was closed without anybody's vote. */
export function floodReason({ agent, max }: Flood): string {
  const whose = agent === null ? "of all agents" : `of ${agent}`;
  return `more than ${max} questions ${whose} were waiting (approvals.floods)`;
}
