/**
 * The official SDK's OAuth client, for the direct side of authorization scenarios: a browser that agrees at once, and no
 * memory beyond the scenario.
 */
import {
  auth,
  ClientCredentialsProvider,
  computeScopeUnion,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
  type FetchLike,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from "@modelcontextprotocol/client";
import type { Appointment } from "./meeting.ts";

/** The name that the suite's authorization server expects of a client with a metadata document. */
export const clientMetadataUrl = "https://conformance-test.local/client-metadata.json";
const redirectUrl = "http://localhost:3000/callback";
const triesMax = 3;

/** Adds a token to every request, and gets one when the server asks for it. */
export function authorizedFetch(appointment: Appointment): FetchLike {
  const browser = new AgreeingBrowser();
  const opened = providerFor(appointment, browser);
  return async (input, init) => {
    const provider = await opened;
    for (let tries = 1; ; tries++) {
      const headers = new Headers(init?.headers);
      const token = (await provider.tokens())?.access_token;
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      const response = await fetch(input, { ...init, headers });
      if ((response.status !== 401 && response.status !== 403) || tries === triesMax)
        return response;
      await response.body?.cancel();
      await authorize(provider, browser, appointment.url, response);
    }
  };
}

async function authorize(
  provider: OAuthClientProvider,
  browser: AgreeingBrowser,
  serverUrl: string,
  challenge: Response,
): Promise<void> {
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(challenge);
  const tokens = await provider.tokens();
  const wanted = computeScopeUnion(tokens?.scope, scope);
  const asked = {
    serverUrl,
    ...(resourceMetadataUrl && { resourceMetadataUrl }),
    ...(wanted !== undefined && { scope: wanted }),
    // A refresh cannot widen what was granted (RFC 6749 §6).
    forceReauthorization: challenge.status === 403,
  };
  // The server may have moved to another authorization server.
  if (challenge.status === 401) await provider.invalidateCredentials?.("discovery");
  if ((await auth(provider, asked)) === "REDIRECT")
    await auth(provider, { ...asked, ...browser.answer() });
}

async function providerFor(
  { scenario, url, context }: Appointment,
  browser: AgreeingBrowser,
): Promise<OAuthClientProvider> {
  const clientId = context["client_id"] as string | undefined;
  const clientSecret = context["client_secret"] as string | undefined;
  if (clientId === undefined || clientSecret === undefined) return codeProvider(browser, undefined);
  if (scenario !== "auth/client-credentials-basic")
    return codeProvider(browser, { client_id: clientId, client_secret: clientSecret });
  const { authorizationServerUrl: expectedIssuer } = await discoverOAuthServerInfo(url);
  return new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer });
}

function codeProvider(
  browser: AgreeingBrowser,
  known: StoredOAuthClientInformation | undefined,
): OAuthClientProvider {
  const clients = new Map<string, StoredOAuthClientInformation>();
  let tokens: StoredOAuthTokens | undefined;
  let verifier = "";
  let discovered: OAuthDiscoveryState | undefined;
  return {
    redirectUrl,
    clientMetadataUrl,
    clientMetadata: {
      client_name: "conformance",
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
    // A client that is known beforehand belongs to the one server it is shown to first.
    clientInformation: (ctx) =>
      known === undefined ? clients.get(ctx?.issuer ?? "") : { ...known, ...ctx },
    saveClientInformation: (client, ctx) => {
      clients.set(ctx?.issuer ?? "", client);
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved;
    },
    redirectToAuthorization: (url) => browser.visit(url),
    saveCodeVerifier: (saved) => {
      verifier = saved;
    },
    codeVerifier: () => verifier,
    saveDiscoveryState: (saved) => {
      discovered = saved;
    },
    discoveryState: () => discovered,
    invalidateCredentials: (what) => {
      if (what === "discovery" || what === "all") discovered = undefined;
    },
  };
}

/** Follows the authorization URL one step, and keeps what the redirect back says. */
class AgreeingBrowser {
  #answer = new URLSearchParams();

  async visit(url: URL): Promise<void> {
    const response = await fetch(url, { redirect: "manual" });
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (location === null) throw new Error(`${url.href} redirected nowhere`);
    this.#answer = new URL(location).searchParams;
  }

  answer(): { readonly authorizationCode: string; readonly iss?: string } {
    const iss = this.#answer.get("iss");
    return {
      authorizationCode: this.#answer.get("code") ?? "",
      ...(iss === null ? {} : { iss }),
    };
  }
}
