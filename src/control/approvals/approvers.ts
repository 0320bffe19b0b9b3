/** Who may answer, and by what each is recognised. One outside identity is one approver: the configuration sees to it. */
import { timingSafeEqual } from "node:crypto";
import type { Approver } from "../../approvals/index.ts";
import { sha256 } from "../../kernel/index.ts";
import type { SignedIn } from "../../ports.ts";

export interface KnownApprover extends Approver {
  /** As people call them. */
  readonly name: string;
  readonly oidc?: { readonly subject?: string; readonly email?: string };
  readonly agent?: string;
  /** SHA-256 of a token for the admin API, so that no secret lies about in memory. */
  readonly tokenSha256?: Uint8Array;
}

export class Approvers {
  readonly #all: readonly KnownApprover[];

  constructor(all: readonly KnownApprover[]) {
    this.#all = all;
  }

  /** Every entry is compared, each in constant time. */
  byToken(token: string): KnownApprover | undefined {
    const digest = sha256(token);
    let found: KnownApprover | undefined;
    for (const approver of this.#all)
      if (approver.tokenSha256 !== undefined && timingSafeEqual(approver.tokenSha256, digest))
        found = approver;
    return found;
  }

  /**
   * Of the one provider there is: by subject, or by an address that it has verified, because anybody could have typed in
   * another one. What the provider calls this person is added to what is known of them: requests may have come in by it.
   */
  bySignedIn({ subject, email, emailVerified }: SignedIn): KnownApprover | undefined {
    const address = emailVerified ? email?.toLowerCase() : undefined;
    const found = this.#all.find(({ oidc }) =>
      oidc?.subject === undefined
        ? address !== undefined && oidc?.email?.toLowerCase() === address
        : oidc.subject === subject,
    );
    const names = email === undefined ? [subject] : [subject, email];
    return found && { ...found, alsoKnownAs: [...found.alsoKnownAs, ...names] };
  }

  byAgent(agent: string): KnownApprover | undefined {
    return this.#all.find((approver) => approver.agent === agent);
  }

  byId(id: string): KnownApprover | undefined {
    return this.#all.find((approver) => approver.id === id);
  }
}
