export { configSchemaUrl, type Environment, loadConfig } from "./config.ts";
export type {
  ClientCredentialsConfig,
  Config,
  DevelopmentTokenConfig,
  EnforcementPointConfig,
  HttpRouteConfig,
  HttpUpstreamConfig,
  IdentityConfig,
  IssuerConfig,
  LimitsConfig,
  McpUpstreamConfig,
  TelemetryConfig,
  UpstreamConfig,
} from "./config-types.ts";
export { createProgram, type Processes, type Program } from "./program.ts";
export { Secret } from "./secret.ts";
