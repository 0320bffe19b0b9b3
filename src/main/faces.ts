/** Every face of the gateway on one front: MCP, HTTP tools, AuthZEN, and what orchestrators ask. */
import { childProcessPeers } from "../adapters/child-process/index.ts";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { Config, McpUpstreamConfig } from "../cli/index.ts";
import {
  ApprovalLegs,
  acrossEras,
  aggregateFace,
  approvalFace,
  approvalStatus,
  authorizedTransport,
  authZen,
  authZenPaths,
  type BundleSubscription,
  bridgeUrl,
  dataPath,
  type EscrowExecutor,
  type FrontFace,
  type FrontResponse,
  type HoldRules,
  type HttpToolLimits,
  type HttpUpstream,
  httpSender,
  httpTools,
  type Identifier,
  jsonResponse,
  type McpUpstream,
  mcpLimitsDefault,
  mcpSender,
  opaApi,
  ownServer,
  ownTools,
  type Route,
  routed,
  type Sender,
  StdioBridge,
  type ToolPins,
  type UpstreamCredentials,
  upstreamFace,
} from "../gateway/index.ts";
import { protectedResourceMetadata } from "../identity/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import { escrowExecutor } from "./escrow.ts";
import type { DataPlane } from "./gateway-process.ts";
import { httpUpstream, revealed } from "./http-upstreams.ts";
import { hostRules } from "./listen.ts";
import { toolPinsOf } from "./tool-pins.ts";
import { callbackRoute, upstreamCredentials } from "./upstream-credentials.ts";
import { version } from "./version.ts";

export interface Faces {
  readonly face: FrontFace;
  /** Carries out held writes that people let go, until the signal aborts. */
  readonly follow: (signal: AbortSignal) => Promise<void>;
  close(): Promise<void>;
}

export async function facesOf(
  config: Config,
  plane: DataPlane,
  identifier: Identifier,
): Promise<Result<Faces, string>> {
  const credentials = upstreamCredentials(config, plane);
  const pins = await toolPinsOf(mcpServers(config), config.data, plane);
  if (!pins.ok) return pins;
  const mcp = mcpFaces(config, plane, identifier, credentials, pins.value);
  const http = await httpFace(config, plane, identifier);
  if (!http.ok) return http;
  const senders = new Map([...mcp.senders, ...http.value.senders]);
  const executor = escrowExecutor(config, plane, senders);
  const routes: readonly Route[] = [
    ...operations(plane, pins.value, executor),
    metadataRoute(config),
    callbackRoute(credentials),
    ...mcp.routes,
    { prefix: "/http", face: http.value.face },
    {
      prefix: "/approvals",
      face: approvalFace(identifier, approvalStatus(plane.state, plane.overrideKeys)),
    },
    ...decisionRoutes(config, plane, identifier),
  ];
  return ok({
    face: routed(routes, hostRules(config)),
    follow: (signal) => executor.follow(signal),
    close: mcp.close,
  });
}

function mcpServers({ upstreams }: Config): readonly string[] {
  return Object.keys(upstreams).filter((name) => upstreams[name]?.mcp !== undefined);
}

interface McpFaces {
  readonly routes: readonly Route[];
  readonly senders: ReadonlyMap<string, Sender>;
  readonly close: () => Promise<void>;
}

/** `/mcp/{upstream}` for each, and `/mcp` for all of them as one server. */
function mcpFaces(
  config: Config,
  plane: DataPlane,
  identifier: Identifier,
  credentials: UpstreamCredentials,
  pins: ReadonlyMap<string, ToolPins>,
): McpFaces {
  const parts = {
    ...{ spine: plane.spine, identifier, clock: systemClock, log: plane.log },
    ...holdRules(config, plane),
  };
  const limits = {
    messageBytesMax: config.limits.body_bytes_max,
    depthMax: config.limits.depth_max,
  };
  const world = { clock: systemClock, entropy: systemEntropy };
  const members = new Map<string, FrontFace>();
  const senders = new Map<string, Sender>();
  const closers: (() => void | Promise<void>)[] = [];
  for (const [name, { mcp }] of Object.entries(config.upstreams)) {
    if (mcp === undefined) continue;
    const opened = mcpUpstream(name, mcp, config, plane, credentials);
    const pinned = pins.get(name);
    const upstream = pinned === undefined ? opened.upstream : { ...opened.upstream, pins: pinned };
    const reached = acrossEras(upstream, world);
    const served = upstreamFace(reached, { ...parts, limits });
    senders.set(name, mcpSender(reached, systemClock, limits));
    members.set(name, served.face);
    closers.push(served.close, opened.close, () => pinned?.stored());
  }
  const shown = new Map(members);
  // Nobody could grant anything: then these tools would only be noise to a model.
  if (config.approvals.approvers.length > 0) {
    const status = approvalStatus(plane.state, plane.overrideKeys);
    const limitsOf = { ...mcpLimitsDefault, ...limits };
    shown.set(ownServer, ownTools({ identifier, status, limits: limitsOf }));
  }
  const aggregate = aggregateFace(shown, { ...parts, limits, entropy: systemEntropy });
  closers.unshift(aggregate.close);
  return {
    routes: [
      { prefix: "/mcp", face: aggregate.face },
      ...[...members].map(([name, face]) => ({ prefix: `/mcp/${name}`, face })),
    ],
    senders,
    close: async () => {
      await Promise.all(closers.map((close) => close()));
    },
  };
}

/** State-only answers that clients repeat by themselves; measured: all of them do so ten times. */
const holdLegsMax = 9;

/** Where there is nobody who could answer meanwhile, calls that need approval are answered at once. */
function holdRules({ approvals }: Config, { state }: DataPlane): { approvalHold?: HoldRules } {
  if (approvals.hold_seconds === 0 || approvals.approvers.length === 0) return {};
  const page = approvals.url.replace(/\/$/, "");
  return {
    approvalHold: {
      legs: new ApprovalLegs(state, systemEntropy),
      legMs: approvals.hold_seconds * 1_000,
      legsMax: holdLegsMax,
      url: (id) => `${page}/approvals/${encodeURIComponent(id)}`,
    },
  };
}

async function httpFace(
  config: Config,
  plane: DataPlane,
  identifier: Identifier,
): Promise<
  Result<{ readonly face: FrontFace; readonly senders: ReadonlyMap<string, Sender> }, string>
> {
  const upstreams = new Map<string, HttpUpstream>();
  for (const [name, { http }] of Object.entries(config.upstreams)) {
    if (http === undefined) continue;
    const opened = await httpUpstream(name, http);
    if (!opened.ok) return opened;
    upstreams.set(name, opened.value);
  }
  const { transport, spine } = plane;
  const limits = httpLimits(config);
  const senders = [...upstreams].map(
    ([name, upstream]) => [name, httpSender(upstream, transport, limits)] as const,
  );
  const approvalWaitMsMax = config.approvals.hold_seconds * 1_000;
  const face = httpTools({ upstreams, spine, identifier, transport, approvalWaitMsMax, limits });
  return ok({ face, senders: new Map(senders) });
}

function httpLimits({ limits }: Config): Partial<HttpToolLimits> {
  return {
    bodyBytesMax: limits.body_bytes_max,
    depthMax: limits.depth_max,
    pathBytesMax: limits.path_bytes_max,
    parametersMax: limits.parameters_max,
    holdBytesMax: limits.answer_hold_bytes_max,
    headTimeoutMs: limits.upstream_head_timeout_ms,
    idleTimeoutMs: limits.upstream_idle_timeout_ms,
  };
}

/** Enough for one durable write to hold many of them; the caller's other calls keep room. */
const evaluationsAtOnceMax = 16;

/** The decision alone: OpenID AuthZEN 1.0, and OPA's data API. */
function decisionRoutes(
  config: Config,
  plane: DataPlane,
  identifier: Identifier,
): readonly Route[] {
  const { limits, public_url: publicUrl } = config;
  const common = {
    ...{ spine: plane.spine, identifier },
    enforcementPoints: config.authzen.enforcement_points,
    ...{ bodyBytesMax: limits.body_bytes_max, depthMax: limits.depth_max },
  };
  const authzen = authZen({
    ...{ ...common, publicUrl, directory: plane.directory, clock: systemClock },
    evaluationsMax: limits.evaluations_max,
    evaluationsAtOnceMax: Math.min(evaluationsAtOnceMax, limits.calls_in_flight_per_agent_max),
    searchResultsMax: limits.search_results_max,
    searchCandidatesMax: limits.search_candidates_max,
    searchTimeMsMax: limits.search_time_ms_max,
  });
  return [
    ...authZenPaths(publicUrl).map((prefix) => ({ prefix, face: authzen })),
    { prefix: dataPath, face: opaApi(common) },
  ];
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
  credentials: UpstreamCredentials,
): OpenedMcp {
  const common = {
    ...{ server, trusted: mcp.trusted },
    isHeld: () => plane.care.breakers.isHeld(server),
  };
  if (mcp.url !== undefined) {
    const transport = authorizedTransport(plane.transport, server, credentials);
    const upstream = { ...common, url: mcp.url, transport };
    return { upstream, close: async () => undefined };
  }
  const bridge = new StdioBridge({
    peers: childProcessPeers(plane.log),
    command: {
      command: mcp.command,
      cwd: mcp.cwd,
      env: { ...plainEnvironment(), ...revealed(mcp.env) },
      lineBytesMax: config.limits.line_bytes_max,
    },
    clock: systemClock,
    entropy: systemEntropy,
    log: plane.log,
  });
  return {
    upstream: {
      ...common,
      url: bridgeUrl,
      transport: bridge,
      transportFor: (owner) => bridge.transportFor(owner),
    },
    close: () => bridge.close(),
  };
}

/** What a program needs to be found and to find its home; nothing else of the gateway's own environment. */
function plainEnvironment(): Readonly<Record<string, string>> {
  const names = ["PATH", "HOME", "LANG", "TMPDIR", "USER"];
  return Object.fromEntries(
    names.flatMap((name) => [[name, process.env[name] ?? ""]]).filter(([, value]) => value !== ""),
  );
}

/** RFC 9728: where a client finds out who issues tokens for this gateway. Public, like every metadata document. */
function metadataRoute(config: Config): Route {
  const document = protectedResourceMetadata({
    resource: config.public_url,
    // A name that is no address (`holdfast-local`) is an issuer, but no server a client could ask.
    authorizationServers: config.identity.issuers
      .map(({ issuer }) => issuer)
      .filter((issuer) => /^https?:/.test(issuer) && URL.canParse(issuer)),
  });
  return {
    prefix: "/.well-known/oauth-protected-resource",
    face: async () => jsonResponse(200, document),
  };
}

/** A stale policy still decides, so the gateway stays ready; whoever looks sees it here and in the metrics. */
function bundleStatus({ status }: BundleSubscription): object {
  const { url, confirmedSecondsAgo, stale, error } = status;
  return { url, confirmed_seconds_ago: confirmedSecondsAgo, stale, error };
}

/** Probes and metrics: asked by address, so without the Host check; they tell no secret. */
function operations(
  plane: DataPlane,
  pins: ReadonlyMap<string, ToolPins>,
  escrow: Pick<EscrowExecutor, "status">,
): readonly Route[] {
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
      policy_serial: plane.policySource.serial,
      ...(plane.subscription === undefined ? {} : { bundle: bundleStatus(plane.subscription) }),
      log_size: plane.ledger.head().size,
    });
  };
  const metrics = async (): Promise<FrontResponse> => {
    const { telemetry, ledger, spine } = plane;
    telemetry.gauge("ledger_entries", {}, ledger.head().size);
    telemetry.gauge("ledger_healthy", {}, ledger.healthy() ? 1 : 0);
    if (plane.subscription !== undefined) {
      const { ageSeconds, stale } = plane.subscription.status;
      telemetry.gauge("policy_confirmed_age_seconds", {}, ageSeconds);
      telemetry.gauge("policy_stale", {}, stale ? 1 : 0);
    }
    telemetry.gauge("policy_serial", {}, plane.policySource.serial);
    telemetry.gauge("policy_loaded", {}, spine.policyVersion() === undefined ? 0 : 1);
    const { contentType, text } = await telemetry.metrics();
    return {
      status: 200,
      headers: { "content-type": contentType, "cache-control": "no-store" },
      body: new TextEncoder().encode(text),
    };
  };
  // What people should look at although the gateway is ready.
  const status = async (): Promise<FrontResponse> =>
    jsonResponse(200, {
      version,
      policy_version: plane.spine.policyVersion() ?? null,
      kill_switch: plane.kill.status,
      breakers: plane.care.board.status,
      upstreams: plane.care.rooms.status,
      escrow: escrow.status,
      tool_definitions: Object.fromEntries([...pins].map(([name, each]) => [name, each.status])),
    });
  // As OPA answers: alive, and with `?bundles` able to decide.
  const health: FrontFace = async ({ query }) => {
    const loaded = plane.spine.policyVersion() !== undefined;
    const asked = new URLSearchParams(query).get("bundles") ?? "false";
    const well = plane.ledger.healthy() && (loaded || asked === "false");
    return jsonResponse(well ? 200 : 500, well ? {} : { error: "not ready, see /readyz" });
  };
  const open = { checkHost: false } as const;
  return [
    { prefix: "/livez", face: async () => jsonResponse(200, { live: true }), ...open },
    { prefix: "/readyz", face: readiness, ...open },
    { prefix: "/health", face: health, ...open },
    { prefix: "/statusz", face: status, ...open },
    { prefix: "/metrics", face: metrics, ...open },
  ];
}
