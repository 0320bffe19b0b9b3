/** Which headers cross the gateway, in both directions. */

import type { Identity } from "../../identity/index.ts";
import { sha256 } from "../../kernel/index.ts";
import type { FrontHeaders } from "../http-front.ts";

/**
 * Request headers are not part of the judged arguments, so only those that cannot change which action is done are sent
 * on. Credentials, cookies, Host, forwarding, method-override and hop-by-hop headers are among what is left behind.
 */
const sentOn: readonly string[] = [
  "accept",
  "accept-language",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "prefer",
  "range",
  "user-agent",
];

/** Never to be sent on, whatever a configuration says. */
export const neverSentOn: RegExp =
  /^(?:authorization|proxy-.*|cookie2?|host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-.*|forwarded|x-forwarded-.*|x-real-ip|x-original-.*|x-rewrite-.*|x-http-method.*|x-method-override|expect|holdfast-.*|traceparent|tracestate|idempotency-key)$/;

/** `extra` are the configured names (lower case). Repeated values are joined as RFC 9110 5.3 allows. */
export function requestHeaders(
  headers: FrontHeaders,
  extra: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = Object.create(null);
  for (const name of [...sentOn, ...extra]) {
    const values = headers[name];
    if (values !== undefined && values.length > 0 && !neverSentOn.test(name)) {
      kept[name] = values.join(", ");
    }
  }
  return kept;
}

/** 1 to 255 visible characters (draft-ietf-httpapi-idempotency-key-header). */
export const idempotencyKeyPattern: RegExp = /^[\x21-\x7e]{1,255}$/;

/**
 * The key a write carries upstream. A client that sent its own keeps its promise, that a repetition acts once, but the
 * key is bound to who asks and for what, so that no agent can replay or block another's. Without one, the call's own.
 */
export function upstreamIdempotencyKey(
  identity: Identity,
  tool: string,
  fromClient: string | undefined,
  ofCall: string,
): string {
  if (fromClient === undefined) return ofCall;
  const bound = JSON.stringify([identity.tenant, identity.agent, tool, fromClient]);
  return `hf-${Buffer.from(sha256(bound)).toString("base64url")}`;
}

/** Hop-by-hop (RFC 9110 7.6.1), credentials, and what an upstream may not say in the gateway's name. */
const keptBack =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|set-cookie2?|www-authenticate|alt-svc|strict-transport-security|clear-site-data|holdfast-.*)$/;

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** The upstream's headers as the agent sees them: addresses of the upstream become addresses of the gateway. */
export function responseHeaders(
  headers: Headers,
  upstreamBase: string,
  requestUrl: string,
  gatewayPrefix: string,
): Record<string, string | readonly string[]> {
  const named = [headers["connection"] ?? []]
    .flat()
    .join(",")
    .toLowerCase()
    .split(/\s*,\s*/);
  const kept: Record<string, string | readonly string[]> = Object.create(null);
  const rewrite = (url: string): string => rewriteUrl(url, upstreamBase, requestUrl, gatewayPrefix);
  for (const [name, value] of Object.entries(headers)) {
    if (keptBack.test(name) || named.includes(name)) continue;
    if (name === "location" || name === "content-location")
      kept[name] = rewrite([value].flat()[0] ?? "");
    else if (name === "link") {
      kept[name] = [value]
        .flat()
        .join(", ")
        .replaceAll(/<([^<>]*)>/g, (_, url: string) => `<${rewrite(url)}>`);
    } else kept[name] = value;
  }
  return kept;
}

/**
 * An address under the upstream's base becomes a path of the gateway. Any other stays what it was, written out where it
 * was relative, so that it never reads as a path of the gateway.
 */
export function rewriteUrl(
  url: string,
  upstreamBase: string,
  requestUrl: string,
  gatewayPrefix: string,
): string {
  const base = new URL(upstreamBase);
  const absolute = URL.parse(url, requestUrl);
  if (absolute === null || absolute.origin !== base.origin) return url;
  const basePath = base.pathname.replace(/\/$/, "");
  if (absolute.pathname !== basePath && !absolute.pathname.startsWith(`${basePath}/`))
    return absolute.href;
  return gatewayPrefix + absolute.pathname.slice(basePath.length) + absolute.search + absolute.hash;
}
