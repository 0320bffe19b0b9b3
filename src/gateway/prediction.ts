/** What the record keeps of what the runtime model said, to be compared with what then happens. */
import type { DecisionEntry } from "../audit/index.ts";
import { targetOf } from "../policy/index.ts";
import type { Asked } from "./judge.ts";

/** Undefined for a tool of which the catalog says no target. */
export function predictionOf({
  engine,
  tool,
  request,
  model,
}: Pick<Asked, "engine" | "tool" | "request" | "model">): DecisionEntry["prediction"] {
  const template = engine?.tool(tool.id)?.target;
  if (template === undefined) return undefined;
  if (!model.known)
    return { known: false, target: targetOf(template, request.args) ?? null, why: model.why };
  const { trafficShare, trafficShareLow, trafficShareHigh, services } = model.blastRadius;
  return {
    known: true,
    target: model.target,
    change: template.change,
    share: trafficShare,
    share_low: trafficShareLow,
    share_high: trafficShareHigh,
    services,
    age_seconds: model.ageSeconds,
  };
}
