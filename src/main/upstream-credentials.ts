/** How the gateway proves itself to each MCP upstream, from the configuration; and the callback a browser comes back to. */
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import type { Config, UpstreamAuthConfig as Configured, McpUpstreamConfig } from "../cli/index.ts";
import { type Route, type UpstreamAuthConfig, UpstreamCredentials } from "../gateway/index.ts";
import type { DataPlane } from "./gateway-process.ts";
import { revealed } from "./http-upstreams.ts";

const callbackPath = "/oauth/callback";

export function upstreamCredentials(config: Config, plane: DataPlane): UpstreamCredentials {
  const configs: Record<string, UpstreamAuthConfig> = {};
  for (const [server, { mcp }] of Object.entries(config.upstreams))
    if (mcp?.url !== undefined) configs[server] = authOf(mcp, mcp.url, config.public_url);
  return new UpstreamCredentials(configs, {
    http: plane.transport,
    clock: systemClock,
    entropy: systemEntropy,
    disk: openDisk(config.data),
    log: plane.log,
  });
}

function authOf(mcp: McpUpstreamConfig, url: string, publicUrl: string): UpstreamAuthConfig {
  const { auth } = mcp;
  if (auth === undefined) return { kind: "headers", headers: revealed(mcp.headers) };
  const common = {
    url,
    ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
    ...(auth.scopes.length === 0 ? {} : { scopes: auth.scopes }),
  };
  return auth.flow === "client_credentials"
    ? { kind: "client_credentials", ...common, ...client(auth) }
    : { kind: "authorization_code", ...common, ...codeFlow(auth, publicUrl) };
}

function client({ client_id: id, client_secret: secret }: Configured) {
  return { clientId: id ?? "", clientSecret: secret?.reveal() ?? "" };
}

function codeFlow(auth: Configured, publicUrl: string) {
  return {
    authorize: auth.authorize,
    redirectUri: new URL(callbackPath, publicUrl).href,
    ...(auth.client_id === undefined ? {} : { clientId: auth.client_id }),
    ...(auth.client_secret === undefined ? {} : { clientSecret: auth.client_secret.reveal() }),
    ...(auth.client_metadata_url === undefined
      ? {}
      : { clientIdMetadataUrl: auth.client_metadata_url }),
  };
}

/** Where the authorization server sends the browser back to. Only the `state` of a pending authorization completes it. */
export function callbackRoute(credentials: UpstreamCredentials): Route {
  return {
    prefix: callbackPath,
    face: async (request) => {
      const completed = await credentials.complete(new URLSearchParams(request.query));
      const text = completed.ok
        ? `${completed.value} is connected. You can close this page.`
        : `Not connected: ${completed.error.detail}`;
      return {
        status: completed.ok ? 200 : 400,
        headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
        body: new TextEncoder().encode(text),
      };
    },
  };
}
