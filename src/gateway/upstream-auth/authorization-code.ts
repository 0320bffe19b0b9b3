/** The authorization code grant with PKCE (RFC 7636), resource indicator (RFC 8707) and issuer check (RFC 9207). */
import { err, ok, type Result, sha256 } from "../../kernel/index.ts";
import type { Entropy } from "../../ports.ts";
import type { ServerMetadata } from "./discovery.ts";
import type { OAuthClient } from "./token-endpoint.ts";

/** An authorization that waits for its redirect. */
export interface PendingAuthorization {
  /** Where a person goes to agree. */
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
  readonly server: ServerMetadata;
  readonly client: OAuthClient;
  readonly resource: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

export type AuthorizationRequest = Omit<PendingAuthorization, "url" | "state" | "verifier">;

export function beginAuthorization(
  request: AuthorizationRequest,
  entropy: Entropy,
): Result<PendingAuthorization, string> {
  const endpoint = request.server.authorizationEndpoint;
  if (endpoint === undefined || !URL.canParse(endpoint)) {
    return err(`${request.server.issuer} has no authorization endpoint`);
  }
  const [state = "", verifier = ""] = [entropy.bytes(32), entropy.bytes(32)].map(base64url);
  const url = new URL(endpoint);
  const parameters = {
    response_type: "code",
    client_id: request.client.clientId,
    redirect_uri: request.redirectUri,
    code_challenge: base64url(sha256(verifier)),
    code_challenge_method: "S256",
    state,
    resource: request.resource,
    ...(request.scopes.length > 0 && { scope: request.scopes.join(" ") }),
    // OpenID Connect Core §11: offline access is granted only when the person is asked.
    ...(request.scopes.includes("offline_access") && { prompt: "consent" }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return ok({ ...request, url: url.href, state, verifier });
}

/** The grant that redeems the code of an authorization response, once its state and issuer are the ones that were asked. */
export function codeGrant(
  pending: PendingAuthorization,
  response: URLSearchParams,
): Result<Readonly<Record<string, string>>, string> {
  const { server } = pending;
  for (const name of ["state", "iss", "code", "error"]) {
    if (response.getAll(name).length > 1) return err(`the redirect holds ${name} twice`);
  }
  if (response.get("state") !== pending.state) return err("the redirect is not for this request");
  const iss = response.get("iss");
  if (iss === null ? server.issInResponse : iss !== server.issuer) {
    return err(`the redirect comes from ${JSON.stringify(iss)}, not from ${server.issuer}`);
  }
  const error = response.get("error");
  if (error !== null) return err(`${server.issuer} answered ${JSON.stringify(error)}`);
  const code = response.get("code");
  if (code === null || code === "") return err("the redirect holds no code");
  return ok({
    grant_type: "authorization_code",
    code,
    code_verifier: pending.verifier,
    redirect_uri: pending.redirectUri,
    resource: pending.resource,
  });
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}
