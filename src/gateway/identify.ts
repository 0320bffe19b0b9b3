/** Step 2 of a call's life: who asks. No identity, no call; a token or signature goes no further than this file. */
import {
  bearerChallenge,
  claimedIssuer,
  type DevelopmentToken,
  developmentIdentity,
  type Identity,
  type IdentityError,
  type IssuerTrust,
  type KeySet,
  resourceMetadataUrl,
  VerifiedTokens,
  verifyToken,
} from "../identity/index.ts";
import { err, ok, type Result, sha256Hex } from "../kernel/index.ts";
import type { Identifier, IdentifyAnswer } from "./call.ts";
import type { FrontRequest } from "./http-front.ts";
import { IssuerKeys, type IssuerKeysPorts } from "./issuer-keys.ts";
import { SignedRequests, type SignedRequestsConfig } from "./signed-requests.ts";

/** An issuer whose tokens are accepted, and where its keys are. */
export interface IssuerConfig extends IssuerTrust {
  readonly keys: { readonly jwksUrl: string } | { readonly keySet: KeySet };
}

export interface IdentifyConfig {
  readonly issuers: readonly IssuerConfig[];
  readonly developmentTokens: readonly DevelopmentToken[];
  /** The gateway's own URL as clients use it; makes the challenge name the resource metadata (RFC 9728). */
  readonly resource?: string;
  /** Agents that sign their requests instead of sending a token. */
  readonly signed?: SignedRequestsConfig;
  /** Verified tokens kept; 10,000 unless given. */
  readonly cacheEntriesMax?: number;
}

type Headers = Parameters<Identifier["identify"]>[0];

/** RFC 6750 §2.1; the scheme in any case. */
const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Proves identities from the Authorization header, or from the signature of a request. One per gateway; a new one when the configuration changes. */
export class TokenIdentifier implements Identifier {
  readonly #config: IdentifyConfig;
  readonly #ports: IssuerKeysPorts;
  #verified: VerifiedTokens;
  readonly #fetched = new Map<string, IssuerKeys>();
  readonly #signed: SignedRequests | undefined;

  constructor(config: IdentifyConfig, ports: IssuerKeysPorts) {
    this.#config = config;
    this.#ports = ports;
    const empty = (): VerifiedTokens => new VerifiedTokens(config.cacheEntriesMax ?? 10_000);
    this.#verified = empty();
    this.#signed = config.signed && new SignedRequests(config.signed, this.#now());
    for (const { keys } of config.issuers) {
      if (!("jwksUrl" in keys)) continue;
      // What an issuer no longer stands by must not live on in the cache.
      const forget = (): void => {
        this.#verified = empty();
      };
      this.#fetched.set(keys.jwksUrl, new IssuerKeys(keys.jwksUrl, ports, forget));
    }
  }

  async identify(headers: Headers, request?: FrontRequest): Promise<IdentifyAnswer> {
    const carried = request?.identity;
    if (carried !== undefined && this.#now().wallMs < carried.expiresAtMs)
      return { ok: true, identity: carried };
    const signed = this.#signed;
    if (signed !== undefined && request !== undefined && isSignedOnly(headers)) {
      const proven = signed.identify(request, this.#now());
      return proven.ok ? { ok: true, identity: proven.value } : this.#refused(proven.error);
    }
    const token = tokenIn(headers);
    if (!token.ok) return this.#refusal(token.error.code, token.error.detail);
    const identity =
      developmentIdentity(token.value, this.#config.developmentTokens) ??
      (await this.#fromJwt(token.value));
    return "code" in identity ? this.#refused(identity) : { ok: true, identity };
  }

  #refused(identity: IdentityError): IdentifyAnswer {
    this.#ports.log.write("info", "identity_refused", {
      code: identity.code,
      why: identity.detail,
    });
    return this.#refusal("invalid_token", `${identity.detail}. ${identity.next}`);
  }

  async #fromJwt(token: string): Promise<Identity | IdentityError> {
    for (const keys of this.#fetched.values()) keys.refreshWhenOld();
    const digest = sha256Hex(token);
    // Held here: when the keys change meanwhile, the result goes where nobody looks any more.
    const cache = this.#verified;
    const known = cache.get(digest, this.#now());
    if (known !== undefined) return known;
    const verified = await this.#verify(token);
    if (!verified.ok) return verified.error;
    cache.put(digest, verified.value, this.#now());
    return verified.value;
  }

  async #verify(token: string): Promise<Result<Identity, IdentityError>> {
    const claimed = claimedIssuer(token);
    if (!claimed.ok) return claimed;
    const trust = this.#config.issuers.find(({ issuer }) => issuer === claimed.value);
    if (trust === undefined) return err(unknownIssuer(claimed.value));
    const { keys } = trust;
    const fetched = "jwksUrl" in keys ? this.#fetched.get(keys.jwksUrl) : undefined;
    if (fetched === undefined) {
      const { keySet } = keys as { readonly keySet: KeySet };
      return verifyToken(token, trust, keySet, this.#now().wallMs);
    }
    const first = await this.#verifyWith(fetched, token, trust);
    if (first.ok || first.error.code !== "unknown_key") return first;
    // The issuer may have a new key: look once, then stand by the answer.
    await fetched.refresh();
    return this.#verifyWith(fetched, token, trust);
  }

  async #verifyWith(
    fetched: IssuerKeys,
    token: string,
    trust: IssuerConfig,
  ): Promise<Result<Identity, IdentityError>> {
    const keys = await fetched.current();
    if (keys.ok) return verifyToken(token, trust, keys.value, this.#now().wallMs);
    return err({
      code: "keys_unavailable",
      detail: `the keys of ${trust.issuer} could not be fetched (${keys.error})`,
      next: "Try again shortly; the operator must make the issuer's JWK Set reachable.",
    });
  }

  #now(): { wallMs: number; monotonicMs: number } {
    const { clock } = this.#ports;
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  }

  #refusal(code: "no_token" | "invalid_request" | "invalid_token", reason: string): IdentifyAnswer {
    const { resource } = this.#config;
    const challenge = bearerChallenge({
      ...(code !== "no_token" && { error: code, description: reason }),
      ...(resource !== undefined && { resourceMetadata: resourceMetadataUrl(resource) }),
    });
    return { ok: false, status: 401, reason, challenge };
  }
}

/** A token, where there is one, is what counts: signatures may be there for somebody else. */
function isSignedOnly(headers: Headers): boolean {
  return headers["authorization"] === undefined && headers["signature-input"] !== undefined;
}

interface NoToken {
  readonly code: "no_token" | "invalid_request";
  readonly detail: string;
}

function tokenIn(headers: Headers): Result<string, NoToken> {
  const held = headers["authorization"];
  const values = typeof held === "string" ? [held] : (held ?? []);
  const [value, second] = values;
  if (value === undefined) {
    const detail = "The request carries no token. Send it as `Authorization: Bearer <token>`.";
    return err({ code: "no_token", detail });
  }
  if (second !== undefined) {
    return err({ code: "invalid_request", detail: "Two Authorization headers. Send exactly one." });
  }
  const token = bearer.exec(value)?.[1];
  if (token !== undefined) return ok(token);
  const detail = "The Authorization header is not `Bearer <token>`.";
  return err({ code: "invalid_request", detail });
}

function unknownIssuer(issuer: string): IdentityError {
  return {
    code: "wrong_issuer",
    detail: `no issuer ${JSON.stringify(issuer)} is configured here`,
    next: "Use a token of an issuer this gateway is configured with.",
  };
}
