/** Requests to a token endpoint (RFC 6749 §4.1.3, §4.4.2, §6), with the client authentication the server offers. */
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { HttpTransport } from "../../ports.ts";
import { askJson } from "./ask-json.ts";
import type { ServerMetadata } from "./discovery.ts";

/** How the gateway is known to one authorization server; never shown to another (SEP-2352). */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** What registration settled on; chosen from the metadata when absent. */
  readonly tokenAuthMethod?: string;
}

export interface TokenSet {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Seconds from receipt. */
  readonly expiresInS?: number;
  readonly scopes?: readonly string[];
}

export interface TokenRefusal {
  /** The OAuth error code, or `unreachable`, or `malformed`. */
  readonly code: string;
  readonly detail: string;
}

export async function requestToken(
  http: HttpTransport,
  server: ServerMetadata,
  client: OAuthClient,
  grant: Readonly<Record<string, string>>,
): Promise<Result<TokenSet, TokenRefusal>> {
  const { headers, form } = authenticated(server, client, grant);
  const answer = await askJson(http, { url: server.tokenEndpoint, headers, form });
  if (!answer.ok) return err({ code: "unreachable", detail: answer.error });
  const { status, body } = answer.value;
  if (body === undefined) {
    return err({ code: "malformed", detail: `the token endpoint answered ${status} without JSON` });
  }
  if (status !== 200) return err(refusalOf(body, status));
  return readTokens(body);
}

function authenticated(
  server: ServerMetadata,
  client: OAuthClient,
  grant: Readonly<Record<string, string>>,
): { headers: Record<string, string>; form: Record<string, string> } {
  const { clientId, clientSecret } = client;
  const method = clientSecret === undefined ? "none" : methodFor(server, client);
  if (method === "none" || clientSecret === undefined) {
    return { headers: {}, form: { ...grant, client_id: clientId } };
  }
  if (method === "client_secret_post") {
    return { headers: {}, form: { ...grant, client_id: clientId, client_secret: clientSecret } };
  }
  // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
  const pair = [clientId, clientSecret].map(formEncoded).join(":");
  return {
    headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
    form: { ...grant },
  };
}

function methodFor(server: ServerMetadata, client: OAuthClient): string {
  const known = ["client_secret_basic", "client_secret_post", "none"];
  const settled = client.tokenAuthMethod;
  if (settled !== undefined && known.includes(settled)) return settled;
  return known.find((name) => server.tokenAuthMethods.includes(name)) ?? "client_secret_basic";
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

function refusalOf(body: JsonObject, status: number): TokenRefusal {
  const { error, error_description: description } = body;
  const code = typeof error === "string" ? error : "malformed";
  const why = typeof description === "string" ? `: ${description}` : "";
  return { code, detail: `the token endpoint answered ${status} ${code}${why}` };
}

function readTokens(body: JsonObject): Result<TokenSet, TokenRefusal> {
  const { access_token: accessToken, refresh_token: refreshToken, token_type: type } = body;
  const { expires_in: expiresInS, scope } = body;
  if (typeof accessToken !== "string" || !/^[\x21-\x7e]+$/.test(accessToken)) {
    return err({ code: "malformed", detail: "the token endpoint gave no access token" });
  }
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
    return err({ code: "malformed", detail: `a token of type ${JSON.stringify(type ?? null)}` });
  }
  return ok({
    accessToken,
    ...(typeof refreshToken === "string" && { refreshToken }),
    ...(typeof expiresInS === "number" && expiresInS >= 0 && { expiresInS }),
    ...(typeof scope === "string" && { scopes: scope.split(" ").filter(Boolean) }),
  });
}
