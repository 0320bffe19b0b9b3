/** Finds who issues tokens for an upstream: RFC 9728 resource metadata, then RFC 8414 or OpenID server metadata. */
import {
  err,
  isJsonArray,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../../kernel/index.ts";
import type { HttpTransport } from "../../ports.ts";
import { askJson, secureUrl } from "./ask-json.ts";

export interface ResourceMetadata {
  /** The `resource` (RFC 8707) to ask tokens for. */
  readonly resource: string;
  readonly issuer: string;
  readonly scopesSupported?: readonly string[];
}

export interface ServerMetadata {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint?: string;
  readonly registrationEndpoint?: string;
  readonly tokenAuthMethods: readonly string[];
  readonly scopesSupported: readonly string[];
  /** RFC 9207: an authorization response without `iss` is then refused. */
  readonly issInResponse: boolean;
  readonly clientIdMetadataDocument: boolean;
}

/**
 * The metadata of the resource behind `serverUrl`: from the URL its challenge named, else from the well-known places.
 * A server that publishes none is taken as its own issuer, as in the first revision of MCP authorization.
 */
export async function discoverResource(
  http: HttpTransport,
  serverUrl: string,
  named: string | undefined,
): Promise<Result<ResourceMetadata, string>> {
  const url = new URL(serverUrl);
  const path = url.pathname === "/" ? "" : url.pathname;
  const wellKnown = `${url.origin}/.well-known/oauth-protected-resource`;
  const places = named === undefined ? [...new Set([`${wellKnown}${path}`, wellKnown])] : [named];
  for (const place of places) {
    const answer = await askJson(http, { url: place });
    if (!answer.ok) return answer;
    const { status, body } = answer.value;
    if (status === 200 && body !== undefined) return readResource(body, url);
    if (status >= 500) return err(`${place} answered ${status}`);
  }
  if (named !== undefined) return err(`${named} holds no resource metadata`);
  return ok({ resource: serverUrl, issuer: url.origin });
}

function readResource(body: JsonObject, server: URL): Result<ResourceMetadata, string> {
  const { resource, authorization_servers: servers, scopes_supported: scopes } = body;
  if (typeof resource !== "string" || !covers(resource, server)) {
    return err(`the metadata is about ${JSON.stringify(resource ?? null)}, not ${server.href}`);
  }
  const issuer = isJsonArray(servers) ? servers[0] : undefined;
  if (typeof issuer !== "string") return err("the resource metadata names no authorization server");
  const scopesSupported = isJsonArray(scopes) ? strings(scopes) : undefined;
  return ok({ resource, issuer, ...(scopesSupported && { scopesSupported }) });
}

/** Same origin, and the server's path is the resource's or below it. */
function covers(resource: string, server: URL): boolean {
  if (!URL.canParse(resource)) return false;
  const { origin, pathname } = new URL(resource);
  const within = pathname.endsWith("/") ? pathname : `${pathname}/`;
  return origin === server.origin && `${server.pathname}/`.startsWith(within);
}

/** The metadata of an issuer, from the places RFC 8414 §3 and OpenID Discovery §4 give; its `issuer` must be the same text. */
export async function discoverServer(
  http: HttpTransport,
  issuer: string,
): Promise<Result<ServerMetadata, string>> {
  const url = secureUrl(issuer);
  if (!url.ok) return url;
  const { origin } = url.value;
  const path = url.value.pathname.replace(/\/$/, "");
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  for (const place of new Set(places)) {
    const answer = await askJson(http, { url: place });
    if (!answer.ok) return answer;
    const { status, body } = answer.value;
    if (status === 200 && body !== undefined) return readServer(body, issuer);
    if (status >= 500) return err(`${place} answered ${status}`);
  }
  return err(`${issuer} publishes no metadata at ${places.join(", ")}`);
}

function readServer(body: JsonObject, issuer: string): Result<ServerMetadata, string> {
  const {
    token_endpoint: tokenEndpoint,
    authorization_endpoint: authorizationEndpoint,
    registration_endpoint: registrationEndpoint,
    code_challenge_methods_supported: challenges,
  } = body;
  if (body["issuer"] !== issuer) {
    return err(`the metadata of ${issuer} says issuer ${JSON.stringify(body["issuer"] ?? null)}`);
  }
  if (typeof tokenEndpoint !== "string") return err(`${issuer} has no token endpoint`);
  if (isJsonArray(challenges) && !challenges.includes("S256")) {
    return err(`${issuer} does not offer PKCE with S256`);
  }
  const methods = strings(body["token_endpoint_auth_methods_supported"]);
  return ok({
    issuer,
    tokenEndpoint,
    ...(typeof authorizationEndpoint === "string" && { authorizationEndpoint }),
    ...(typeof registrationEndpoint === "string" && { registrationEndpoint }),
    // RFC 8414 §2: client_secret_basic when nothing is said.
    tokenAuthMethods: methods.length > 0 ? methods : ["client_secret_basic"],
    scopesSupported: strings(body["scopes_supported"]),
    issInResponse: body["authorization_response_iss_parameter_supported"] === true,
    clientIdMetadataDocument: body["client_id_metadata_document_supported"] === true,
  });
}

function strings(value: JsonValue | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}
