export { ActivePolicy } from "./active-policy.ts";
export type { Gate } from "./admit.ts";
export { AdoptionGate, adoptedKey } from "./adoption.ts";
export {
  ApprovalLegs,
  type ApprovalStatus,
  Approvals,
  ApprovalWatch,
  approvalFace,
  approvalStatus,
  OverrideKeys,
  recoverClaims,
} from "./approvals/index.ts";
export type { UpstreamRules } from "./attempts.ts";
export { type AuthZen, authZen, authZenPaths } from "./authzen/index.ts";
export { BreakerBoard, type BreakerBoardParts } from "./breaker-board.ts";
export { Breakers } from "./breakers.ts";
export { BundleSubscription, type SubscriptionStatus } from "./bundle-subscription.ts";
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
  Search,
  Searched,
  SearchRefusal,
  Spine,
  ToolDefinition,
  ToolRequest,
} from "./call.ts";
export { Directory, type KnownEntity, subjectName } from "./directory.ts";
export type { EnforcementPoint } from "./enforcement-point.ts";
export {
  EscrowExecutor,
  EscrowGate,
  type EscrowGateParts,
  EscrowWords,
  type ExecutorParts,
  type Sender,
} from "./escrow/index.ts";
export type { FrontFace, FrontHeaders, FrontRequest, FrontResponse } from "./http-front.ts";
export { emptyResponse, headerOf, jsonResponse, problemResponse } from "./http-front.ts";
export {
  definitionOf,
  effectOfMethod,
  type HttpRoute,
  type HttpToolLimits,
  type HttpTools,
  type HttpUpstream,
  httpSender,
  httpToolLimits,
  httpTools,
  neverSentOn,
  type ParameterType,
  type RouteTable,
  readOpenApi,
  routeTable,
  toolOfRoute,
} from "./http-tools/index.ts";
export { type IdentifyConfig, type IssuerConfig, TokenIdentifier } from "./identify.ts";
export { InFlight } from "./in-flight.ts";
export { KillWatch, type KillWatchParts, presencePrefix } from "./kill-watch.ts";
export { LimitWatch, type LimitWatchParts } from "./limit-watch.ts";
export {
  type AggregateParts,
  acrossEras,
  aggregateFace,
  bridgeUrl,
  type EraBridgeParts,
  governedMethods,
  type HoldRules,
  type McpLimits,
  type McpParts,
  type McpUpstream,
  mcpLimitsDefault,
  mcpSender,
  ownServer,
  ownTools,
  StdioBridge,
  type StdioBridgeParts,
  type StdioLimits,
  type UpstreamFace,
  upstreamFace,
  type WrapParts,
  wrapStdio,
} from "./mcp/index.ts";
export { ModelWatch } from "./model-watch.ts";
export { dataPath, type OpaApi, opaApi } from "./opa/index.ts";
export {
  type KnownManifest,
  type PermitAnswer,
  PermitWatch,
  type PermitWatchParts,
} from "./permit-watch.ts";
export { PolicySource, type PolicySourceParts, type VerifiedBundle } from "./policy-source.ts";
export {
  Reservations,
  type ReservationsParts,
  type Reserved,
} from "./reservations.ts";
export { type ResolvedTool, resolveTool } from "./resolve.ts";
export { type HostRules, loopbackRules, type Route, routed } from "./routes.ts";
export { createSpine, type SpineParts } from "./spine.ts";
export { type PinnedTool, readToolFile } from "./tool-file.ts";
export {
  openToolPins,
  type ToolPins,
  type ToolPinsParts,
  type ToolPinsStatus,
} from "./tool-pins.ts";
export {
  authorizedTransport,
  type UpstreamAuthConfig,
  type UpstreamAuthorizer,
  UpstreamCredentials,
} from "./upstream-auth/index.ts";
export { type RoomLimits, UpstreamRooms } from "./upstream-rooms.ts";
