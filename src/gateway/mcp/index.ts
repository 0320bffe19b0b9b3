export { type AggregateParts, aggregateFace } from "./aggregate.ts";
export type { HoldRules } from "./approval-hold.ts";
export { acrossEras, type EraBridgeParts } from "./era-bridge.ts";
export { type McpParts, type UpstreamFace, upstreamFace } from "./face.ts";
export { governedMethods } from "./methods.ts";
export { ownServer, ownTools } from "./own-tools.ts";
export { bridgeUrl, StdioBridge, type StdioBridgeParts, type StdioLimits } from "./stdio-bridge.ts";
export { type McpLimits, type McpUpstream, mcpLimitsDefault } from "./upstream.ts";
export { type WrapParts, wrapStdio } from "./wrap.ts";
