export { type AggregateParts, aggregateFace } from "./aggregate/aggregate.ts";
export { ownServer, ownTools } from "./aggregate/own-tools.ts";
export { acrossEras, type EraBridgeParts } from "./bridge/era-bridge.ts";
export {
  bridgeUrl,
  StdioBridge,
  type StdioBridgeParts,
  type StdioLimits,
} from "./bridge/stdio-bridge.ts";
export type { HoldRules } from "./face/approval-hold.ts";
export { type McpParts, type UpstreamFace, upstreamFace } from "./face/face.ts";
export { mcpSender } from "./face/held-sender.ts";
export { governedMethods } from "./wire/methods.ts";
export { type McpLimits, type McpUpstream, mcpLimitsDefault } from "./wire/upstream.ts";
export { type WrapParts, wrapStdio } from "./wrap.ts";
