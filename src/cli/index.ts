export { configSchemaUrl, type Environment, loadConfig } from "./config.ts";
export { approverOf } from "./config-approvals.ts";
export type {
  ApprovalsConfig,
  ApproverConfig,
  BundleConfig,
  Config,
  DevelopmentTokenConfig,
  EnforcementPointConfig,
  FailoverConfig,
  HttpRouteConfig,
  HttpUpstreamConfig,
  IdentityConfig,
  IssuerConfig,
  LimitsConfig,
  McpUpstreamConfig,
  TelemetryConfig,
  UpstreamAuthConfig,
  UpstreamConfig,
} from "./config-types.ts";
export { scheduledScenarios } from "./failover/drill-files.ts";
export type { DrillsGiven, OpenedDrills } from "./failover/index.ts";
export {
  type ManifestReader,
  manifestReader,
  type ReadManifest,
  type SignedManifest,
} from "./failover/read-manifest.ts";
export { type KnownTool, type KnownTools, knownTools, routesOf, schemasOf } from "./known-tools.ts";
export { readWorld } from "./model/mcp.ts";
export { type ReadWorld, readTools } from "./model/read-tools.ts";
export { remembranceOf } from "./model/remembrance-of.ts";
export type {
  ChannelConfig,
  NoticeRouteConfig,
  NoticesConfig,
  RotationConfig,
  SlackConfig,
  WebhookConfig,
} from "./notice-types.ts";
export { createProgram, type Processes, type Program, type WrapOptions } from "./program.ts";
export { Secret } from "./secret.ts";
