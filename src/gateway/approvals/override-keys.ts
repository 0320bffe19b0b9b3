/** The keys of override tokens: each gateway signs with its own and tells the others in the shared state. */

import type { Approval } from "../../approvals/index.ts";
import {
  type KeySet,
  keySetOf,
  type OverrideClaims,
  overrideKeyId,
  publicKeySet,
  signOverride,
  thumbprint,
  verifyOverride,
} from "../../identity/index.ts";
import { err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { SharedState } from "../../state/index.ts";

const keyOf = (kid: string): string => `approval/keys/${encodeURIComponent(kid)}`;
const kidForm = /^[\w-]{1,128}$/;

export class OverrideKeys {
  readonly #state: SharedState;
  readonly #privateJwk: JsonObject;
  readonly #kid: string;
  readonly #known = new Map<string, KeySet>();

  constructor(state: SharedState, privateJwk: JsonObject) {
    this.#state = state;
    this.#privateJwk = privateJwk;
    this.#kid = thumbprint(privateJwk);
  }

  /** The token of a grant; undefined when there is none to be used. */
  async tokenOf(approval: Approval): Promise<string | undefined> {
    const { grant } = approval;
    if (grant === null || approval.state !== "granted") return undefined;
    if (!(await this.#told())) return undefined;
    const { tenant, agent, tool, args_digest, policy_version, id } = approval;
    return signOverride(
      {
        ...{ tenant, agent, tool, args_digest, policy_version },
        approval_id: id,
        jti: grant.jti,
        iat: Math.floor(grant.at_ms / 1_000),
        exp: Math.floor(grant.expires_ms / 1_000),
      },
      { ...this.#privateJwk, kid: this.#kid },
    );
  }

  /** Whether a gateway of this deployment signed it, and what it says. */
  async verify(token: string): Promise<Result<OverrideClaims, string>> {
    const kid = overrideKeyId(token);
    if (kid === undefined || !kidForm.test(kid)) return err("it is no override token");
    const keys = await this.#keys(kid);
    return keys.ok ? verifyOverride(token, keys.value) : keys;
  }

  async #keys(kid: string): Promise<Result<KeySet, string>> {
    const known = kid === this.#kid ? keySetOf(this.#publicKeys()) : this.#known.get(kid);
    if (known !== undefined) return "ok" in known ? known : ok(known);
    const read = await this.#state.read([keyOf(kid)]);
    if (!read.ok) return err(`its key cannot be looked up: ${read.error.detail}`);
    const stored = read.value.get(keyOf(kid));
    const keys = stored === undefined ? err("no gateway has its key") : keySetOf(stored);
    if (keys.ok) this.#known.set(kid, keys.value);
    return keys;
  }

  /** Before the first token is given out, so that every gateway can verify it. */
  async #told(): Promise<boolean> {
    if (this.#known.has(this.#kid)) return true;
    const keys = keySetOf(this.#publicKeys());
    if (!keys.ok) return false;
    const told = await this.#state.transact([keyOf(this.#kid)], () => ({
      writes: new Map([[keyOf(this.#kid), this.#publicKeys()]]),
      result: undefined,
    }));
    if (told.ok) this.#known.set(this.#kid, keys.value);
    return told.ok;
  }

  #publicKeys(): JsonObject {
    return publicKeySet({ ...this.#privateJwk, kid: this.#kid });
  }
}
