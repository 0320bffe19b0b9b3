/**
 * Stage 3: what is this tool? The operator's catalog wins; then what the wire itself says of a read (`GET`,
 * `resources/read`); then an annotation of a trusted server. Nothing known means a write of high risk.
 */
import type { ToolId } from "../kernel/index.ts";
import type { Effect, Engine, PolicyRequest, Risk } from "../policy/index.ts";
import type { ToolDefinition } from "./call.ts";

export interface ResolvedTool {
  readonly id: ToolId;
  readonly effect: Effect;
  readonly risk: Risk;
  readonly costMicroUsd: number;
  readonly definitionDigest: string | null;
  /** Who says what its effect is. */
  readonly from: "catalog" | "question" | "wire" | "annotation" | "default";
}

export function resolveTool(
  engine: Engine | undefined,
  id: ToolId,
  definition: ToolDefinition | undefined,
  effectHint: Effect | undefined,
): ResolvedTool {
  const definitionDigest = definition?.digest ?? null;
  const declared = engine?.tool(id);
  if (declared !== undefined) {
    const { effect, risk, costMicroUsd } = declared;
    return { id, effect, risk, costMicroUsd, definitionDigest, from: "catalog" };
  }
  const isRead = effectHint === "read" || (effectHint === undefined && definition?.readOnlyHint);
  const annotated = definition?.readOnlyHint === undefined ? "default" : "annotation";
  return {
    id,
    effect: isRead ? "read" : "write",
    risk: isRead ? "low" : "high",
    costMicroUsd: 0,
    definitionDigest,
    from: effectHint === undefined ? annotated : "wire",
  };
}

/** The tool of a question that was put whole: what the catalog says, and for a tool it does not know, what is asked. */
export function resolveAsked(
  engine: Engine | undefined,
  { name, effect, risk }: PolicyRequest["action"],
): ResolvedTool {
  const resolved = resolveTool(engine, name, undefined, undefined);
  return resolved.from === "catalog" ? resolved : { ...resolved, effect, risk, from: "question" };
}
