/** How the gateway is known to an authorization server: configured, by metadata document, or registered (RFC 7591). */
import { err, ok, type Result } from "../../kernel/index.ts";
import type { HttpTransport } from "../../ports.ts";
import { askJson } from "./ask-json.ts";
import type { ServerMetadata } from "./discovery.ts";
import type { OAuthClient } from "./token-endpoint.ts";

export interface ClientConfig {
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** URL of a client ID metadata document; used where the server supports them. */
  readonly clientIdMetadataUrl?: string;
  readonly redirectUri: string;
}

/** The client to use at `server`: configured first, then the metadata document, then registration. */
export async function clientFor(
  http: HttpTransport,
  server: ServerMetadata,
  config: ClientConfig,
): Promise<Result<OAuthClient, string>> {
  const { clientId, clientSecret, clientIdMetadataUrl } = config;
  if (clientId !== undefined) {
    return ok({ clientId, ...(clientSecret !== undefined && { clientSecret }) });
  }
  if (clientIdMetadataUrl !== undefined && server.clientIdMetadataDocument) {
    return ok({ clientId: clientIdMetadataUrl, tokenAuthMethod: "none" });
  }
  if (server.registrationEndpoint !== undefined) {
    return register(http, server, server.registrationEndpoint, config);
  }
  return err(`${server.issuer} registers no clients: configure clientId for this upstream`);
}

async function register(
  http: HttpTransport,
  server: ServerMetadata,
  url: string,
  config: ClientConfig,
): Promise<Result<OAuthClient, string>> {
  const preferred = ["none", "client_secret_basic", "client_secret_post"];
  const method = preferred.find((name) => server.tokenAuthMethods.includes(name));
  const json = {
    client_name: "Holdfast",
    redirect_uris: [config.redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: method ?? "client_secret_basic",
    application_type: new URL(config.redirectUri).protocol === "https:" ? "web" : "native",
  };
  const answer = await askJson(http, { url, json });
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  const clientId = body?.["client_id"];
  if ((status !== 201 && status !== 200) || typeof clientId !== "string") {
    return err(`${server.issuer} refused to register the gateway (status ${status})`);
  }
  const secret = body?.["client_secret"];
  const settled = body?.["token_endpoint_auth_method"];
  return ok({
    clientId,
    ...(typeof secret === "string" && { clientSecret: secret }),
    ...(typeof settled === "string" && { tokenAuthMethod: settled }),
  });
}
