/** The gateway as OAuth client of one upstream: MCP authorization, 2025-11-25 and 2026-07-28. */
import { err, ok, type Result } from "../../kernel/index.ts";
import { secureUrl } from "./ask-json.ts";
import { beginAuthorization, codeGrant, type PendingAuthorization } from "./authorization-code.ts";
import { readBearerChallenge, type UpstreamChallenge } from "./bearer-challenge.ts";
import { clientFor } from "./client-registration.ts";
import type { AuthorizationCode, ClientCredentials, UpstreamAuthPorts } from "./config.ts";
import {
  discoverResource,
  discoverServer,
  type ResourceMetadata,
  type ServerMetadata,
} from "./discovery.ts";
import { type Grant, loadGrant, saveGrant } from "./grant-store.ts";
import { type OAuthClient, requestToken, type TokenSet } from "./token-endpoint.ts";

/** A token this close to its end is renewed before it is used. */
const renewBeforeMs = 30_000;
/** Authorizations in a row before giving up, so that an upstream that is never satisfied makes no loop. */
const attemptsMax = 3;
const attemptsWindowMs = 60_000;
const redirectsMax = 5;

export type ChallengeAnswer = "retry" | "pending" | "give_up";

export class OAuthSession {
  readonly #name: string;
  readonly #config: ClientCredentials | AuthorizationCode;
  readonly #ports: UpstreamAuthPorts;
  #loaded = false;
  #grant: Grant | undefined;
  #pending: PendingAuthorization | undefined;
  #running: Promise<ChallengeAnswer> | undefined;
  #attemptsMs: number[] = [];
  #problem: string | undefined;

  constructor(
    name: string,
    config: ClientCredentials | AuthorizationCode,
    ports: UpstreamAuthPorts,
  ) {
    this.#name = name;
    this.#config = config;
    this.#ports = ports;
  }

  get pending(): PendingAuthorization | undefined {
    return this.#pending;
  }

  /** Why the last authorization failed. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The token to send, renewed when it is about to expire; undefined when there is none. */
  async accessToken(): Promise<string | undefined> {
    await this.#load();
    const expiresAtMs = this.#grant?.expiresAtMs;
    const due =
      expiresAtMs !== undefined && this.#ports.clock.wallMs() >= expiresAtMs - renewBeforeMs;
    if (due) await this.#once(async () => ((await this.#renew()) ? "retry" : "give_up"));
    const live = this.#grant?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    return this.#ports.clock.wallMs() < live ? this.#grant?.accessToken : undefined;
  }

  /** The upstream answered 401 or 403. `retry` means there is a new token to try with, once. */
  challenged(status: number, header: string | undefined): Promise<ChallengeAnswer> {
    return this.#once(async () => {
      await this.#load();
      const challenge = readBearerChallenge(header);
      if (status === 403 && challenge.error !== "insufficient_scope") return "give_up";
      const nowMs = this.#ports.clock.monotonicMs();
      this.#attemptsMs = this.#attemptsMs.filter((ms) => nowMs - ms < attemptsWindowMs);
      if (this.#attemptsMs.length >= attemptsMax)
        return this.#fail("the upstream refuses each new token");
      this.#attemptsMs.push(nowMs);
      return this.#authorize(challenge, status === 403);
    });
  }

  /** Completes the pending authorization with the parameters of its redirect. */
  async complete(response: URLSearchParams): Promise<Result<void, string>> {
    const pending = this.#pending;
    if (pending === undefined) return err(`no authorization of ${this.#name} is pending`);
    const grant = codeGrant(pending, response);
    if (!grant.ok) return grant;
    // A code is redeemed once, whatever comes of it.
    this.#pending = undefined;
    const { server, client, resource, scopes } = pending;
    const tokens = await requestToken(this.#ports.http, server, client, grant.value);
    if (!tokens.ok) return err(tokens.error.detail);
    await this.#keep({ issuer: server.issuer, resource, client, scopes }, tokens.value);
    return ok(undefined);
  }

  /** One authorization at a time; whoever comes meanwhile shares its result. */
  #once(work: () => Promise<ChallengeAnswer>): Promise<ChallengeAnswer> {
    this.#running ??= work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #load(): Promise<void> {
    if (this.#loaded) return;
    this.#grant ??= await loadGrant(this.#ports.disk, this.#name);
    this.#loaded = true;
  }

  async #authorize(challenge: UpstreamChallenge, stepUp: boolean): Promise<ChallengeAnswer> {
    const { http } = this.#ports;
    const resource = await discoverResource(http, this.#config.url, challenge.resourceMetadata);
    if (!resource.ok) return this.#fail(resource.error);
    const { issuer } = resource.value;
    const bound = this.#config.issuer ?? (this.#config.clientId && this.#grant?.issuer);
    if (bound !== undefined && bound !== issuer) {
      return this.#fail(
        `the upstream now names ${issuer}; the configured client belongs to ${bound}`,
      );
    }
    if (!stepUp && this.#grant?.issuer === issuer && (await this.#renew())) return "retry";
    const server = await discoverServer(http, issuer);
    if (!server.ok) return this.#fail(server.error);
    const scopes = this.#scopes(challenge, stepUp, resource.value, server.value);
    if (this.#config.kind === "client_credentials") {
      return this.#asItself(this.#config, server.value, resource.value.resource, scopes);
    }
    const client = await this.#client(this.#config, server.value);
    if (!client.ok) return this.#fail(client.error);
    return this.#asPerson(this.#config, {
      server: server.value,
      client: client.value,
      resource: resource.value.resource,
      redirectUri: this.#config.redirectUri,
      scopes,
    });
  }

  /** The upstream's challenge says best what it needs, then its metadata; step-up keeps what was granted before. */
  #scopes(
    challenge: UpstreamChallenge,
    stepUp: boolean,
    resource: ResourceMetadata,
    server: ServerMetadata,
  ): readonly string[] {
    const base = this.#config.scopes ?? challenge.scopes ?? resource.scopesSupported ?? [];
    const more = stepUp ? [...(this.#grant?.scopes ?? []), ...(challenge.scopes ?? [])] : [];
    const offline =
      this.#config.kind === "authorization_code" &&
      server.scopesSupported.includes("offline_access");
    return [...new Set([...base, ...more, ...(offline ? ["offline_access"] : [])])];
  }

  /** A client of the same issuer is used again; one of another issuer never is. */
  async #client(
    config: AuthorizationCode,
    server: ServerMetadata,
  ): Promise<Result<OAuthClient, string>> {
    const held = this.#grant;
    if (config.clientId === undefined && held?.issuer === server.issuer) return ok(held.client);
    const client = await clientFor(this.#ports.http, server, config);
    if (client.ok) {
      this.#grant = {
        issuer: server.issuer,
        resource: config.url,
        client: client.value,
        scopes: [],
      };
    }
    return client;
  }

  async #asItself(
    config: ClientCredentials,
    server: ServerMetadata,
    resource: string,
    scopes: readonly string[],
  ): Promise<ChallengeAnswer> {
    const client = { clientId: config.clientId, clientSecret: config.clientSecret };
    const tokens = await requestToken(this.#ports.http, server, client, {
      grant_type: "client_credentials",
      resource,
      ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    });
    if (!tokens.ok) return this.#fail(tokens.error.detail);
    await this.#keep({ issuer: server.issuer, resource, client, scopes }, tokens.value);
    return "retry";
  }

  async #asPerson(
    config: AuthorizationCode,
    request: Parameters<typeof beginAuthorization>[0],
  ): Promise<ChallengeAnswer> {
    const begun = beginAuthorization(request, this.#ports.entropy);
    if (!begun.ok) return this.#fail(begun.error);
    this.#pending = begun.value;
    if (config.authorize === "manual") {
      const fields = { server: this.#name, url: begun.value.url };
      this.#ports.log.write("warn", "upstream_authorization_needed", fields);
      return "pending";
    }
    const redirected = await this.#follow(begun.value.url, config.redirectUri);
    if (!redirected.ok) return this.#fail(redirected.error);
    const completed = await this.complete(redirected.value);
    return completed.ok ? "retry" : this.#fail(completed.error);
  }

  /** Walks the authorization URL as a browser without a person would, until it points at the redirect URI. */
  async #follow(start: string, redirectUri: string): Promise<Result<URLSearchParams, string>> {
    let at = start;
    for (let i = 0; i < redirectsMax; i++) {
      const url = secureUrl(at);
      if (!url.ok) return url;
      const sent = await this.#ports.http.send({
        method: "GET",
        url: at,
        headers: { accept: "text/html" },
        headTimeoutMs: 10_000,
        idleTimeoutMs: 10_000,
      });
      if (!sent.ok) return err(`${url.value.origin}: ${sent.error.detail}`);
      for await (const _piece of sent.value.body);
      const { location } = sent.value.headers;
      if (typeof location !== "string" || !URL.canParse(location, at)) {
        return err(
          `${url.value.origin} answered ${sent.value.status} without a redirect: a person is needed`,
        );
      }
      const next = new URL(location, at);
      const target = new URL(redirectUri);
      if (next.origin === target.origin && next.pathname === target.pathname)
        return ok(next.searchParams);
      at = next.href;
    }
    return err("the authorization server redirects without end");
  }

  /** True when a refresh token gave a new access token. A refused refresh token is forgotten. */
  async #renew(): Promise<boolean> {
    const grant = this.#grant;
    if (grant?.refreshToken === undefined) return false;
    const server = await discoverServer(this.#ports.http, grant.issuer);
    if (!server.ok) return false;
    const tokens = await requestToken(this.#ports.http, server.value, grant.client, {
      grant_type: "refresh_token",
      refresh_token: grant.refreshToken,
      resource: grant.resource,
    });
    if (tokens.ok) {
      await this.#keep(grant, { refreshToken: grant.refreshToken, ...tokens.value });
      return true;
    }
    this.#ports.log.write("warn", "upstream_refresh_failed", {
      server: this.#name,
      why: tokens.error.detail,
    });
    if (tokens.error.code === "invalid_grant") {
      const { refreshToken: _refused, ...rest } = grant;
      this.#grant = rest;
    }
    return false;
  }

  async #keep(
    by: Pick<Grant, "issuer" | "resource" | "client" | "scopes">,
    tokens: TokenSet,
  ): Promise<void> {
    const { issuer, resource, client } = by;
    const { accessToken, refreshToken, expiresInS } = tokens;
    this.#problem = undefined;
    this.#grant = {
      issuer,
      resource,
      client,
      scopes: tokens.scopes ?? by.scopes,
      accessToken,
      ...(refreshToken !== undefined && { refreshToken }),
      ...(expiresInS !== undefined && {
        expiresAtMs: this.#ports.clock.wallMs() + expiresInS * 1000,
      }),
    };
    const saved = await saveGrant(this.#ports.disk, this.#name, this.#grant);
    if (!saved.ok) {
      // The token still works in this process; a restart will ask again.
      this.#ports.log.write("error", "upstream_grant_not_saved", {
        server: this.#name,
        code: saved.error.code,
      });
    }
  }

  #fail(why: string): "give_up" {
    this.#problem = why;
    this.#ports.log.write("error", "upstream_authorization_failed", { server: this.#name, why });
    return "give_up";
  }
}
