export { ActivePolicy } from "./active-policy.ts";
export type {
  Decision,
  Face,
  Forward,
  Forwarded,
  Governed,
  Identifier,
  IdentifyAnswer,
  Judged,
  RefusalCode,
  Spine,
  ToolDefinition,
  ToolRequest,
} from "./call.ts";
export type { FrontFace, FrontHeaders, FrontRequest, FrontResponse } from "./http-front.ts";
export { emptyResponse, headerOf, jsonResponse, problemResponse } from "./http-front.ts";
export {
  type McpLimits,
  type McpParts,
  type McpUpstream,
  mcpLimitsDefault,
  type UpstreamFace,
  upstreamFace,
} from "./mcp/index.ts";
export { type HostRules, loopbackRules, type Route, routed } from "./routes.ts";
export { InFlight } from "./in-flight.ts";
export { PolicySource, type PolicySourceParts, type VerifiedBundle } from "./policy-source.ts";
export { createSpine, type SpineParts } from "./spine.ts";
