/** Which face answers which path, and the checks every face shares. */
import {
  type FrontFace,
  type FrontRequest,
  type FrontResponse,
  headerOf,
  problemResponse,
} from "./http-front.ts";

/** `prefix` matches itself and everything below it (`/mcp` matches `/mcp` and `/mcp/x`, not `/mcpx`). */
export interface Route {
  readonly prefix: string;
  readonly face: FrontFace;
  /** False for probes and metrics, which orchestrators ask by address. Default true. */
  readonly checkHost?: boolean;
}

/** Names without port, IPv6 in brackets. `*` alone allows every Host; Origin has no such wildcard. */
export interface HostRules {
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

const loopback = ["localhost", "127.0.0.1", "[::1]"] as const;

/** Host and Origin accepted when nothing is configured: this machine only. */
export const loopbackRules: HostRules = { allowedHosts: loopback, allowedOrigins: loopback };

/** One face for all routes: the longest matching prefix wins. */
export function routed(routes: readonly Route[], rules: HostRules = loopbackRules): FrontFace {
  const byLength = [...routes].sort((a, b) => b.prefix.length - a.prefix.length);
  return async (request) => {
    const route = byLength.find(({ prefix }) => under(prefix, request.path));
    const refused = route?.checkHost === false ? undefined : refuseForeignHost(request, rules);
    if (refused !== undefined) return refused;
    if (route === undefined) {
      return problemResponse(404, "Not found", `Nothing is served at ${request.path}.`);
    }
    return await route.face(request);
  };
}

function under(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}

/** `uri-host [ ":" port ]` (RFC 9110 §7.2), and nothing that a parser of addresses could take for more: no user, no path. */
const hostForm = /^(?:[\w.~!$&'()*+,;=%-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Protection against DNS rebinding (MCP Streamable HTTP, security warning): a browser made to resolve a foreign name to
 * this address still sends that name as Host, and the page's own site as Origin.
 */
export function refuseForeignHost(
  request: FrontRequest,
  rules: HostRules,
): FrontResponse | undefined {
  const written = headerOf(request, "host") ?? "";
  const host = hostForm.test(written) ? hostnameOf(`http://${written}`) : undefined;
  if (
    host === undefined ||
    !(rules.allowedHosts.includes("*") || rules.allowedHosts.includes(host))
  )
    return problemResponse(
      403,
      "Host not allowed",
      "This gateway answers only for the host names in its configuration (`allowed_hosts`).",
    );
  const origins = request.headers["origin"];
  if (origins === undefined || (origins.length === 1 && origins[0] === "")) return undefined;
  const origin = origins.length === 1 ? hostnameOf(origins[0] ?? "") : undefined;
  if (origin !== undefined && rules.allowedOrigins.includes(origin)) return undefined;
  return problemResponse(
    403,
    "Origin not allowed",
    "This gateway answers web pages only of the origins in its configuration (`allowed_origins`).",
  );
}

function hostnameOf(url: string): string | undefined {
  try {
    const { hostname } = new URL(url);
    return hostname === "" ? undefined : hostname;
  } catch {
    return undefined;
  }
}
