export { type McpParts, type UpstreamFace, upstreamFace } from "./face.ts";
export { type McpLimits, type McpUpstream, mcpLimitsDefault } from "./upstream.ts";
