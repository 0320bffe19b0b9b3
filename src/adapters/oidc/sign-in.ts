/**
 * Sign-in by OpenID Connect: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1, RFC 9700 §2.1).
 * Tokens are used here and forgotten here: who it was is all that leaves this file.
 */
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  type HttpTransport,
  type Log,
  type SignedIn,
  type SignIn,
  type SignInError,
  TransportFailure,
} from "../../ports.ts";
import { fetchOver } from "./transport.ts";

export interface OidcClient {
  readonly issuer: string;
  readonly clientId: string;
  /** Called when it is needed, and not kept. */
  readonly clientSecret?: () => string;
  /** With `openid`. */
  readonly scopes: readonly string[];
  /** Registered with the provider, character by character. */
  readonly redirectUri: string;
}

/** The provider is asked for its endpoints when somebody first needs them, and again after a failure. */
export function oidcSignIn(client: OidcClient, http: HttpTransport, log: Log): SignIn {
  const provider = new Provider(client, http);
  const attempt = async <T>(
    step: string,
    work: () => Promise<T>,
  ): Promise<Result<T, SignInError>> => {
    try {
      return ok(await work());
    } catch (thrown) {
      const error = errorOf(thrown, client.issuer, step);
      log.write("warn", "sign_in_failed", { step, kind: error.kind, why: reasonOf(thrown) });
      return err(error);
    }
  };
  return {
    start: () => attempt("start", () => begin(provider, client)),
    finish: (query, pending) =>
      attempt("finish", async () => {
        const config = await provider.configuration();
        const answered = new URL(client.redirectUri);
        answered.search = query;
        const tokens = await authorizationCodeGrant(config, answered, {
          expectedState: pending.state,
          expectedNonce: pending.nonce,
          pkceCodeVerifier: pending.verifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims() ?? {};
        return signedIn(client.issuer, await withUserInfo(config, claims, tokens.access_token));
      }),
    keysUrl: () =>
      attempt("keys", async () => {
        const { jwks_uri: url } = (await provider.configuration()).serverMetadata();
        if (url === undefined) throw new Error("the provider publishes no jwks_uri");
        return url;
      }),
  };
}

async function begin(
  provider: Provider,
  { redirectUri, scopes }: OidcClient,
): Promise<{ url: string; pending: { state: string; nonce: string; verifier: string } }> {
  const config = await provider.configuration();
  const pending = {
    state: randomState(),
    nonce: randomNonce(),
    verifier: randomPKCECodeVerifier(),
  };
  const url = buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: ["openid", ...scopes.filter((scope) => scope !== "openid")].join(" "),
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
  });
  return { url: url.href, pending };
}

class Provider {
  readonly #client: OidcClient;
  readonly #http: HttpTransport;
  #found: Promise<Configuration> | undefined;

  constructor(client: OidcClient, http: HttpTransport) {
    this.#client = client;
    this.#http = http;
  }

  configuration(): Promise<Configuration> {
    this.#found ??= this.#discover().catch((thrown: unknown) => {
      this.#found = undefined;
      throw thrown;
    });
    return this.#found;
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId } = this.#client;
    const url = new URL(issuer);
    const found = await discovery(url, clientId, {}, this.#proof(), {
      [customFetch]: fetchOver(this.#http),
      // The signature of the ID token counts too, not only the connection that it came by.
      execute: [
        enableNonRepudiationChecks,
        ...(url.protocol === "http:" ? [allowInsecureRequests] : []),
      ],
    });
    // The library allows for a trailing slash; whom we trust is written down character by character.
    const said = found.serverMetadata().issuer;
    if (said !== issuer) throw new Error(`the provider calls itself ${said}, not ${issuer}`);
    return found;
  }

  /** The secret goes the way the provider names; where it names none, by Basic (RFC 8414 §2). */
  #proof(): ClientAuth {
    const { clientSecret } = this.#client;
    if (clientSecret === undefined) return None();
    return (server, client, body, headers) => {
      const ways = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
      const prove = ways.includes("client_secret_basic") ? ClientSecretBasic : ClientSecretPost;
      prove(clientSecret())(server, client, body, headers);
    };
  }
}

type Claims = Readonly<Record<string, unknown>>;

/** Many providers tell the address only at their userinfo endpoint (OpenID Connect Core 1.0 §5.4). */
async function withUserInfo(
  config: Configuration,
  claims: Claims,
  accessToken: string,
): Promise<Claims> {
  const { userinfo_endpoint: endpoint } = config.serverMetadata();
  if (endpoint === undefined || claims["email"] !== undefined) return claims;
  const told = await fetchUserInfo(config, accessToken, String(claims["sub"]));
  return { ...told, ...claims };
}

function signedIn(issuer: string, claims: Claims): SignedIn {
  const { sub, email, email_verified: verified, name } = claims;
  if (typeof sub !== "string" || sub === "") throw new Error("the ID token names nobody");
  return {
    issuer,
    subject: sub,
    ...(typeof email === "string" && { email }),
    ...(typeof name === "string" && { name }),
    emailVerified: verified === true,
  };
}

/** The provider's own words go to the log; the person is told what to do. */
function errorOf(thrown: unknown, issuer: string, step: string): SignInError {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const isDown = [thrown, cause].some((each) => each instanceof TransportFailure);
  if (isDown || step !== "finish")
    return {
      kind: "unreachable",
      detail: `${issuer} cannot be asked who you are. Try again in a moment.`,
    };
  if (thrown instanceof AuthorizationResponseError && thrown.error === "access_denied")
    return { kind: "refused", detail: "The sign-in was cancelled." };
  return {
    kind: "refused",
    detail:
      "The sign-in did not succeed. Begin it again; the log of the control process says why it failed.",
  };
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? `: ${thrown.cause.message}` : "";
  return `${thrown.message}${cause}`;
}
