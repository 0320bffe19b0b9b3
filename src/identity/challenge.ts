/** What a client is told when it is not let in: RFC 6750 challenges and RFC 9728 resource metadata. */
import type { JsonObject } from "../kernel/index.ts";

export interface Challenge {
  /** Absent when the request carried no token at all (RFC 6750 §3.1). */
  readonly error?: "invalid_request" | "invalid_token" | "insufficient_scope";
  readonly description?: string;
  readonly scope?: readonly string[];
  /** URL of the resource metadata document (RFC 9728 §5.1). */
  readonly resourceMetadata?: string;
}

/** The value of `WWW-Authenticate`. */
export function bearerChallenge(challenge: Challenge): string {
  const { error, description, scope, resourceMetadata } = challenge;
  const parameters = Object.entries({
    realm: "holdfast",
    error,
    error_description: description,
    scope: scope?.join(" "),
    resource_metadata: resourceMetadata,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${plain(value)}"`]));
  return `Bearer ${parameters.join(", ")}`;
}

/** RFC 6750 §3: printable ASCII without quote and backslash. */
function plain(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "?");
}

export interface ProtectedResource {
  /** The URL clients use, also the audience of their tokens. */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopesSupported?: readonly string[];
  readonly documentation?: string;
}

/** The metadata document of RFC 9728 §2. Tokens are taken from the Authorization header only. */
export function protectedResourceMetadata(of: ProtectedResource): JsonObject {
  return {
    resource: of.resource,
    authorization_servers: [...of.authorizationServers],
    bearer_methods_supported: ["header"],
    resource_name: "Holdfast",
    ...(of.scopesSupported && { scopes_supported: [...of.scopesSupported] }),
    ...(of.documentation !== undefined && { resource_documentation: of.documentation }),
  };
}

/** Where that document is served (RFC 9728 §3.1): the well-known part goes between host and path. */
export function resourceMetadataUrl(resource: string): string {
  const url = new URL(resource);
  const path = url.pathname === "/" ? "" : url.pathname;
  return `${url.origin}/.well-known/oauth-protected-resource${path}${url.search}`;
}
