/** A finished call as metrics and spans see it. */
import type { CallObservation } from "../ports.ts";
import type { Decision, ToolRequest } from "./call.ts";
import type { ResolvedTool } from "./resolve.ts";

interface Finished {
  readonly callId: string;
  readonly request: ToolRequest;
  readonly tool: ResolvedTool;
  readonly policyVersion: string;
  readonly wallStartMs: number;
}

type Times = "decideMs" | "recordMs" | "forwardMs" | "totalMs";

export function observationOf(
  { callId, request, tool, policyVersion, wallStartMs }: Finished,
  decision: Decision,
  outcome: string,
  statusCode: number | undefined,
): Omit<CallObservation, Times> {
  const { face, method, identity, traceparent, requestId } = request;
  const separator = tool.id.indexOf(":");
  return {
    ...{ callId, face, method, policyVersion, wallStartMs, outcome },
    agentId: identity.agent,
    server: tool.id.slice(0, separator),
    tool: tool.id.slice(separator + 1),
    decision: decision.decision,
    reason: decision.reason,
    costMicroUsd: tool.costMicroUsd,
    ...(identity.model === undefined ? {} : { model: identity.model }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(face === "mcp" ? mcpFacts(request, outcome, statusCode) : {}),
  };
}

/** What the semantic conventions for MCP name beyond method and tool. */
function mcpFacts(
  { method, args, errorClass, protocolVersion, resource }: ToolRequest,
  outcome: string,
  statusCode: number | undefined,
): Partial<CallObservation> {
  const answeredError = outcome === "ok" ? undefined : errorOf(outcome, statusCode, errorClass);
  return {
    ...(answeredError === undefined ? {} : { answeredError }),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(method === "prompts/get" ? { prompt: String(args["name"]) } : {}),
    ...(method === "resources/read" && resource !== undefined ? { resourceUri: resource.id } : {}),
  };
}

/** A JSON-RPC error of the upstream reaches the caller as it is; every other failure is told in our words. */
function errorOf(
  outcome: string,
  statusCode: number | undefined,
  errorClass: ToolRequest["errorClass"],
): string | undefined {
  if (outcome === "refused") return errorClass?.refused;
  return outcome === "tool_error" && statusCode !== undefined
    ? String(statusCode)
    : errorClass?.failed;
}
