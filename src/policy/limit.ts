/** Which limits look at a call, and what each says, in words. */
import type { Engine } from "./decision.ts";
import { anyGlob } from "./glob.ts";
import type { Limit } from "./ir.ts";

export function limitMatcher(limits: readonly Limit[]): Engine["limitsOf"] {
  const compiled = limits.map((limit) => ({
    limit,
    effect: limit.match.effect,
    fitsAgent: anyGlob(limit.match.agents),
    fitsTool: anyGlob(limit.match.tools),
  }));
  return (agent, { name, effect }) =>
    compiled
      .filter(
        (each) =>
          (each.effect === undefined || each.effect === effect) &&
          each.fitsTool(name) &&
          each.fitsAgent(agent),
      )
      .map(({ limit }) => limit);
}

/** `refunds: 100 calls in 3600 s, for each agent and tool` */
export function limitInWords({ id, cap, each }: Limit): string {
  const what =
    cap.kind === "rate"
      ? `${cap.callsMax} calls in ${cap.windowSeconds} s`
      : `${cap.unit === "micro_usd" ? `${cap.max / 1_000_000} USD` : `${cap.max} ${cap.unit}`} a ${cap.period}`;
  return `${id}: ${what}${each.length === 0 ? "" : `, for each ${each.join(" and ")}`}`;
}
