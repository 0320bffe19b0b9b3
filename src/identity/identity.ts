/** Who asks, proven. */
import type { JsonObject } from "../kernel/index.ts";
import type { JwsRefusalCode } from "./jws.ts";

export interface Identity {
  /** The agent: the `agent` claim, or the token's client. A SPIFFE-style URI or a plain name. */
  readonly agent: string;
  readonly model?: string;
  /** The human principal: `sub`. */
  readonly principal?: string;
  readonly tenant: string;
  /** The agents the request came through (RFC 8693 `act`, outermost first), without `agent` itself. */
  readonly delegation: readonly string[];
  /** `asserted`: named by a verified enforcement point that asks about it, not proven by itself. */
  readonly how: "jwt" | "development_token" | "http_signature" | "asserted";
  /** Wall-clock ms; a verified token is cached until then. */
  readonly expiresAtMs: number;
  /** Other claims policy may look at. */
  readonly properties: JsonObject;
}

/** Why a token proves nothing. A stable code for logs and metrics, what was wrong, and what to do. */
export interface IdentityError {
  readonly code:
    | JwsRefusalCode
    | "wrong_type"
    | "wrong_issuer"
    | "wrong_audience"
    | "expired"
    | "not_yet_valid"
    | "lives_too_long"
    | "missing_claim"
    | "bad_claim"
    | "delegation_too_deep"
    | "delegation_cycle"
    | "revoked"
    /** A signed request: a part that must be signed is not, the body is another one, or it was used before. */
    | "not_covered"
    | "digest_differs"
    | "replayed"
    /** Not the token: its issuer could not be asked for keys. */
    | "keys_unavailable";
  readonly detail: string;
  readonly next: string;
}
