/** Every face of the gateway on one front: MCP, HTTP tools, AuthZEN, and what orchestrators ask. */
import { childProcessPeers } from "../adapters/child-process/index.ts";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { Config, McpUpstreamConfig } from "../cli/index.ts";
import {
  authZen,
  bridgeUrl,
  evaluationPath,
  evaluationsPath,
  type FrontFace,
  type FrontResponse,
  type HttpUpstream,
  httpTools,
  type Identifier,
  jsonResponse,
  type McpUpstream,
  metadataPath,
  type Route,
  routed,
  StdioBridge,
  upstreamFace,
} from "../gateway/index.ts";
import { protectedResourceMetadata } from "../identity/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import type { DataPlane } from "./gateway-process.ts";
import { httpUpstream, revealed } from "./http-upstreams.ts";
import { hostRules } from "./listen.ts";

export interface Faces {
  readonly face: FrontFace;
  close(): Promise<void>;
}

export async function facesOf(
  config: Config,
  plane: DataPlane,
  identifier: Identifier,
): Promise<Result<Faces, string>> {
  const routes: Route[] = [...operations(plane), metadataRoute(config)];
  const closers: (() => void | Promise<void>)[] = [];
  const http = new Map<string, HttpUpstream>();
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    if (upstream.mcp !== undefined) {
      const mcp = mcpUpstream(name, upstream.mcp, config, plane);
      const served = upstreamFace(mcp.upstream, {
        spine: plane.spine,
        identifier,
        clock: systemClock,
        log: plane.log,
      });
      routes.push({ prefix: `/mcp/${name}`, face: served.face });
      closers.push(served.close, mcp.close);
      continue;
    }
    const opened = await httpUpstream(name, upstream.http);
    if (!opened.ok) return opened;
    http.set(name, opened.value);
  }
  routes.push({
    prefix: "/http",
    face: httpTools({
      upstreams: http,
      spine: plane.spine,
      identifier,
      transport: plane.transport,
    }),
  });
  const pdp = authZen({
    spine: plane.spine,
    identifier,
    publicUrl: config.public_url,
    enforcementPoints: config.authzen.enforcement_points,
    bodyBytesMax: config.limits.body_bytes_max,
    evaluationsMax: config.limits.evaluations_max,
  });
  for (const prefix of [evaluationPath, evaluationsPath, metadataPath])
    routes.push({ prefix, face: pdp });
  const close = async (): Promise<void> => {
    for (const closer of closers) await closer();
  };
  return ok({ face: routed(routes, hostRules(config)), close });
}

interface OpenedMcp {
  readonly upstream: McpUpstream;
  readonly close: () => Promise<void>;
}

function mcpUpstream(
  server: string,
  mcp: McpUpstreamConfig,
  config: Config,
  plane: DataPlane,
): OpenedMcp {
  const headers = revealed(mcp.headers);
  const common = { server, trusted: mcp.trusted };
  if (mcp.url !== undefined) {
    const { transport } = plane;
    const credentials = async (): Promise<Result<typeof headers, string>> => ok(headers);
    return {
      upstream: { ...common, url: mcp.url, transport, credentials },
      close: async () => undefined,
    };
  }
  const bridge = new StdioBridge({
    peers: childProcessPeers(plane.log),
    command: {
      command: mcp.command,
      cwd: mcp.cwd,
      env: revealed(mcp.env),
      lineBytesMax: config.limits.line_bytes_max,
    },
    clock: systemClock,
    entropy: systemEntropy,
    log: plane.log,
  });
  return {
    upstream: { ...common, url: bridgeUrl, transport: bridge },
    close: () => bridge.close(),
  };
}

/** RFC 9728: where a client finds out who issues tokens for this gateway. Public, like every metadata document. */
function metadataRoute(config: Config): Route {
  const document = protectedResourceMetadata({
    resource: config.public_url,
    authorizationServers: config.identity.issuers.map(({ issuer }) => issuer),
  });
  return {
    prefix: "/.well-known/oauth-protected-resource",
    face: async () => jsonResponse(200, document),
  };
}

/** Probes and metrics: asked by address, so without the Host check; they tell no secret. */
function operations(plane: DataPlane): readonly Route[] {
  const readiness = async (): Promise<FrontResponse> => {
    const policyVersion = plane.spine.policyVersion();
    const checks = {
      policy:
        policyVersion === undefined ? (plane.policySource.lastError ?? "not loaded yet") : "ok",
      log: plane.ledger.healthy() ? "ok" : "failed: stop, check the disk, restart, verify",
    };
    const ready = Object.values(checks).every((check) => check === "ok");
    return jsonResponse(ready ? 200 : 503, {
      ready,
      checks,
      policy_version: policyVersion ?? null,
      policy_error: plane.policySource.lastError ?? null,
      log_size: plane.ledger.head().size,
    });
  };
  const metrics = async (): Promise<FrontResponse> => {
    const { contentType, text } = await plane.telemetry.metrics();
    return {
      status: 200,
      headers: { "content-type": contentType, "cache-control": "no-store" },
      body: new TextEncoder().encode(text),
    };
  };
  const open = { checkHost: false } as const;
  return [
    { prefix: "/livez", face: async () => jsonResponse(200, { live: true }), ...open },
    { prefix: "/readyz", face: readiness, ...open },
    { prefix: "/metrics", face: metrics, ...open },
  ];
}
