/** Identities from signed requests: a signature that holds, for this gateway, in its time, and for the first time. */
import {
  type Identity,
  type IdentityError,
  type Instant,
  SeenNonces,
  type SignatureRules,
  type SignedAgent,
  type SignedMessage,
  verifyHttpSignature,
} from "../identity/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";

export interface SignedRequestsConfig {
  readonly agents: readonly SignedAgent[];
  readonly rules: SignatureRules;
  /** Nonces remembered at one time; 100,000 unless given. Beyond it, signed requests are refused. */
  readonly noncesMax?: number;
}

export class SignedRequests {
  readonly #config: SignedRequestsConfig;
  readonly #seen: SeenNonces;
  readonly #startedWallMs: number;
  #latestWallMs: number;

  /** `start` is when the gateway began to remember nonces. */
  constructor(config: SignedRequestsConfig, start: Instant) {
    this.#config = config;
    this.#seen = new SeenNonces(config.noncesMax ?? 100_000);
    this.#startedWallMs = start.wallMs;
    this.#latestWallMs = start.wallMs;
  }

  identify(message: SignedMessage, now: Instant): Result<Identity, IdentityError> {
    const { agents, rules } = this.#config;
    // A clock that is set back must not bring expired signatures back, so time here only goes on.
    this.#latestWallMs = Math.max(this.#latestWallMs, now.wallMs);
    const wallMs = this.#latestWallMs;
    const proven = verifyHttpSignature(message, agents, rules, wallMs);
    if (!proven.ok) return proven;
    const { agent, nonce, createdMs, expiresMs, signatureAgent } = proven.value;
    // What an earlier run has seen is not known. The signer's clock may be ahead by the skew.
    if (createdMs < this.#startedWallMs + rules.clockSkewS * 1000)
      return replayed("it was created before this gateway started, so it may have been used");
    const taken = this.#seen.take(agent.keyId, nonce, expiresMs, { ...now, wallMs });
    if (taken === "again") return replayed("its nonce was used before");
    if (taken === "full") return replayed("too many signed requests are remembered");
    return ok({
      agent: agent.agent,
      tenant: agent.tenant,
      ...(agent.model === undefined ? {} : { model: agent.model }),
      delegation: [],
      how: "http_signature",
      expiresAtMs: expiresMs,
      properties: {
        key_id: agent.keyId,
        ...(signatureAgent === undefined ? {} : { signature_agent: signatureAgent }),
      },
    });
  }
}

function replayed(why: string): Result<never, IdentityError> {
  return err({
    code: "replayed",
    detail: `the signed request was not taken: ${why}`,
    next: "Sign it again, with a fresh nonce and created.",
  });
}
