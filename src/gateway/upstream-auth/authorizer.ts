/** Credentials of upstreams. They live here and nowhere else: no agent's token reaches an upstream, no upstream's an agent. */
import { err, ok, type Result } from "../../kernel/index.ts";
import type { UpstreamAuthConfig, UpstreamAuthError, UpstreamAuthPorts } from "./config.ts";
import { type ChallengeAnswer, OAuthSession } from "./oauth-session.ts";

export interface UpstreamAuthorizer {
  /** The headers to add to a request to `server` (none when it needs none); an error means: do not send. */
  headersFor(server: string): Promise<Result<Readonly<Record<string, string>>, UpstreamAuthError>>;
  /**
   * The upstream answered 401 or 403 (so it did nothing). `retry`: ask `headersFor` again and send once more;
   * `pending`: a person must agree first, see `pending`; `give_up`: hand the refusal on. `sent` are the headers that
   * `headersFor` gave for the refused request: when there is a newer token since, the answer is `retry` at once.
   */
  onChallenge(
    server: string,
    status: number,
    wwwAuthenticate: string | undefined,
    sent: Readonly<Record<string, string>>,
  ): Promise<ChallengeAnswer>;
}

/** One per gateway. */
export class UpstreamCredentials implements UpstreamAuthorizer {
  readonly #headers = new Map<string, Readonly<Record<string, string>>>();
  readonly #sessions = new Map<string, OAuthSession>();

  constructor(configs: Readonly<Record<string, UpstreamAuthConfig>>, ports: UpstreamAuthPorts) {
    for (const [server, config] of Object.entries(configs)) {
      if (config.kind === "headers") this.#headers.set(server, config.headers);
      else this.#sessions.set(server, new OAuthSession(server, config, ports));
    }
  }

  async headersFor(
    server: string,
  ): Promise<Result<Readonly<Record<string, string>>, UpstreamAuthError>> {
    const session = this.#sessions.get(server);
    if (session === undefined) return ok(this.#headers.get(server) ?? {});
    const token = await session.accessToken();
    if (token !== undefined) return ok({ authorization: `Bearer ${token}` });
    const { pending } = session;
    if (pending === undefined) return ok({});
    const detail = `${server} waits for a person to agree. Open the authorization URL in a browser.`;
    return err({ code: "authorization_required", detail, authorizationUrl: pending.url });
  }

  async onChallenge(
    server: string,
    status: number,
    wwwAuthenticate: string | undefined,
    sent: Readonly<Record<string, string>>,
  ): Promise<ChallengeAnswer> {
    if (status !== 401 && status !== 403) return "give_up";
    const session = this.#sessions.get(server);
    if (session === undefined) return "give_up";
    const token = await session.accessToken();
    if (token !== undefined && sent["authorization"] !== `Bearer ${token}`) return "retry";
    return session.challenged(status, wwwAuthenticate);
  }

  /** Authorizations that wait for a person, for the status page and the log. */
  pending(): readonly { readonly server: string; readonly authorizationUrl: string }[] {
    return [...this.#sessions].flatMap(([server, { pending }]) =>
      pending === undefined ? [] : [{ server, authorizationUrl: pending.url }],
    );
  }

  /** Why the last authorization of `server` failed. */
  problem(server: string): string | undefined {
    return this.#sessions.get(server)?.problem;
  }

  /** The redirect of an authorization arrived. Answers which upstream it completed. */
  async complete(response: URLSearchParams): Promise<Result<string, UpstreamAuthError>> {
    const state = response.get("state");
    for (const [server, session] of this.#sessions) {
      if (state === null || session.pending?.state !== state) continue;
      const completed = await session.complete(response);
      return completed.ok ? ok(server) : err({ code: "failed", detail: completed.error });
    }
    return err({
      code: "failed",
      detail: "No authorization with this state is pending. Start again.",
    });
  }
}
