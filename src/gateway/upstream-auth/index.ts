export { authorizedTransport } from "./authorized-transport.ts";
export { type UpstreamAuthorizer, UpstreamCredentials } from "./authorizer.ts";
export type { UpstreamAuthConfig, UpstreamAuthError, UpstreamAuthPorts } from "./config.ts";
