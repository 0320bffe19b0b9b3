/**
 * The names of the OpenTelemetry semantic conventions: those for MCP and GenAI (status: development) and for HTTP; under
 * `holdfast.` what they have no name for. Arguments and results, which may be sensitive, are left out, and so is the id of
 * an MCP session, which is a key to it.
 */
import type { Attributes } from "@opentelemetry/api";
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
} from "@opentelemetry/semantic-conventions";
import {
  ATTR_GEN_AI_AGENT_ID,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_JSONRPC_REQUEST_ID,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_MCP_RESOURCE_URI,
  ATTR_RPC_RESPONSE_STATUS_CODE,
  GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
} from "@opentelemetry/semantic-conventions/incubating";
import type { CallObservation } from "../../ports.ts";

type Side = "server" | "client";

/** `tools/call read_file`, `prompts/get summary`, `resources/read`; for HTTP the tool's name already is `METHOD /route`. */
export function spanName({ face, method, tool, prompt }: CallObservation): string {
  if (face === "http") return tool;
  const target = face === "mcp" && method !== "tools/call" ? prompt : tool;
  return target === undefined ? method : `${method} ${target}`;
}

/** Attributes of the SERVER span: what the caller asked for and was told. */
export function served(observation: CallObservation): Attributes {
  return { ...common(observation), ...ofWire(observation, "server") };
}

/** Attributes of the CLIENT span: what the upstream was asked for and answered. */
export function forwarded(observation: CallObservation): Attributes {
  return { ...common(observation), ...ofWire(observation, "client") };
}

/** What the conventions say of both spans and metrics of an MCP operation. */
export function operation(observation: CallObservation, side: Side): Attributes {
  const { method, tool, prompt, protocolVersion } = observation;
  return {
    [ATTR_MCP_METHOD_NAME]: method,
    ...(method === "tools/call"
      ? {
          [ATTR_GEN_AI_OPERATION_NAME]: GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
          [ATTR_GEN_AI_TOOL_NAME]: tool,
        }
      : {}),
    ...given(ATTR_GEN_AI_PROMPT_NAME, prompt),
    ...given(ATTR_MCP_PROTOCOL_VERSION, side === "server" ? protocolVersion : undefined),
    ...given(ATTR_ERROR_TYPE, errorType(observation, side)),
  };
}

function ofWire(observation: CallObservation, side: Side): Attributes {
  const { face, method, tool, requestId, resourceUri, statusCode } = observation;
  if (face === "mcp")
    return {
      ...operation(observation, side),
      ...given(ATTR_JSONRPC_REQUEST_ID, requestId),
      ...given(ATTR_MCP_RESOURCE_URI, resourceUri),
      ...given(ATTR_RPC_RESPONSE_STATUS_CODE, rpcStatus(observation, side)),
    };
  if (face === "http")
    return {
      [ATTR_GEN_AI_OPERATION_NAME]: GEN_AI_OPERATION_NAME_VALUE_EXECUTE_TOOL,
      [ATTR_GEN_AI_TOOL_NAME]: tool,
      [ATTR_HTTP_REQUEST_METHOD]: method,
      [ATTR_HTTP_ROUTE]: tool.slice(tool.indexOf(" ") + 1),
      ...given(ATTR_HTTP_RESPONSE_STATUS_CODE, statusCode),
      ...given(ATTR_ERROR_TYPE, errorType(observation, side)),
      ...given("holdfast.request_id", requestId),
    };
  return given("holdfast.request_id", requestId);
}

/**
 * MCP: `tool_error` for a result with `isError`, which is HTTP 200, so this is the only place that tells; otherwise the code
 * of the JSON-RPC error. HTTP: the status, where it is an error for that side. A call that got no answer: `not_sent`, `unknown`.
 */
function errorType(observation: CallObservation, side: Side): string | undefined {
  const { face, outcome, answeredError, statusCode } = observation;
  if (outcome === "ok" || outcome === "evaluated") return undefined;
  if (face === "mcp" && side === "server") return answeredError;
  if (outcome === "not_sent" || outcome === "unknown") return outcome;
  if (outcome !== "tool_error") return undefined;
  if (face === "mcp") return statusCode === undefined ? "tool_error" : String(statusCode);
  const errorFrom = side === "server" ? 500 : 400;
  return statusCode !== undefined && statusCode >= errorFrom ? String(statusCode) : undefined;
}

/** The code of the JSON-RPC error that this side saw. */
function rpcStatus(observation: CallObservation, side: Side): string | undefined {
  const type = errorType(observation, side);
  return type !== undefined && /^-?\d+$/.test(type) ? type : undefined;
}

function common(observation: CallObservation): Attributes {
  return {
    [ATTR_GEN_AI_AGENT_ID]: observation.agentId,
    "holdfast.call_id": observation.callId,
    "holdfast.agent_id": observation.agentId,
    ...given("holdfast.model", observation.model),
    "holdfast.server": observation.server,
    "holdfast.tool": `${observation.server}:${observation.tool}`,
    "holdfast.face": observation.face,
    "holdfast.decision": observation.decision,
    "holdfast.decision_reason": observation.reason,
    "holdfast.policy_version": observation.policyVersion,
    "holdfast.outcome": observation.outcome,
    "holdfast.cost_estimate_micro_usd": observation.costMicroUsd,
    "holdfast.decide_ms": observation.decideMs,
    "holdfast.record_ms": observation.recordMs,
  };
}

function given(name: string, value: string | number | undefined): Attributes {
  return value === undefined ? {} : { [name]: value };
}
