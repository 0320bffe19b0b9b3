/** How the gateway proves itself to one upstream. References to secrets are resolved before this is made. */
import type { Clock, Disk, Entropy, HttpTransport, Log } from "../../ports.ts";
import type { ClientConfig } from "./client-registration.ts";

export type UpstreamAuthConfig = StaticHeaders | ClientCredentials | AuthorizationCode;

/** The same headers on every request; names lower case. */
export interface StaticHeaders {
  readonly kind: "headers";
  readonly headers: Readonly<Record<string, string>>;
}

interface OAuthConfig {
  /** The upstream's URL, as it is called. */
  readonly url: string;
  /**
   * The only authorization server the gateway's credentials may be shown to. When absent, the first one the upstream
   * names is remembered, and a configured client is never shown to another.
   */
  readonly issuer?: string;
  /** Asked for instead of what the upstream suggests; what a 403 asks for is added. */
  readonly scopes?: readonly string[];
}

/** The gateway acts for itself (RFC 6749 §4.4). */
export interface ClientCredentials extends OAuthConfig {
  readonly kind: "client_credentials";
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A person agrees once, in a browser (RFC 6749 §4.1). */
export interface AuthorizationCode extends OAuthConfig, ClientConfig {
  readonly kind: "authorization_code";
  /**
   * `manual`: the URL is reported and a callback completes it. `automatic`: the gateway follows the URL itself, for
   * servers that agree without a person.
   */
  readonly authorize: "manual" | "automatic";
}

export interface UpstreamAuthPorts {
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Keeps tokens under `upstream-auth/`; files are readable by the owner alone. */
  readonly disk: Disk;
  readonly log: Log;
}

export interface UpstreamAuthError {
  readonly code: "authorization_required" | "failed";
  /** What is wrong and what to do; holds no credential. */
  readonly detail: string;
  /** Where a person goes to agree. */
  readonly authorizationUrl?: string;
}
