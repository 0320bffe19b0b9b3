/** From the configuration to who may answer, and whose token is whose. */
import { type ApproverConfig, approverOf, type Config } from "../cli/index.ts";
import { type ApproverProof, Approvers, type KnownApprover } from "../control/index.ts";
import { type IssuerConfig, TokenIdentifier } from "../gateway/index.ts";
import { claimedIssuer, type Identity, type SignatureAlg } from "../identity/index.ts";
import { ok, type Result, sha256 } from "../kernel/index.ts";
import type { SignIn } from "../ports.ts";
import { type IdentityPorts, issuersOf } from "./identities.ts";

export function approversOf({ approvals }: Config): Approvers {
  return new Approvers(approvals.approvers.map(known));
}

function known(config: ApproverConfig): KnownApprover {
  const { name, oidc, agent, token } = config;
  return {
    ...approverOf(config),
    name,
    ...(oidc === undefined ? {} : { oidc }),
    ...(agent === undefined ? {} : { agent }),
    ...(token === undefined ? {} : { tokenSha256: sha256(token.reveal()) }),
  };
}

type Refused = ApproverProof & { readonly ok: false };

/** Proves approvers by their own tokens, or by access tokens made for the admin API and nothing else. */
export class ApproverTokens {
  readonly #config: Config;
  readonly #approvers: Approvers;
  readonly #signIn: SignIn | undefined;
  readonly #ports: IdentityPorts;
  /** Issuers of agents, for agents that approve. */
  readonly #ofAgents: readonly IssuerConfig[];
  /** One for each issuer, because the issuer decides what its tokens may prove. */
  readonly #identifiers = new Map<string, TokenIdentifier>();

  static async open(
    config: Config,
    approvers: Approvers,
    signIn: SignIn | undefined,
    ports: IdentityPorts,
  ): Promise<Result<ApproverTokens, string>> {
    const issuers = await issuersOf(config, config.approvals.url);
    if (!issuers.ok) return issuers;
    return ok(new ApproverTokens(config, approvers, signIn, ports, issuers.value));
  }

  private constructor(
    config: Config,
    approvers: Approvers,
    signIn: SignIn | undefined,
    ports: IdentityPorts,
    ofAgents: readonly IssuerConfig[],
  ) {
    this.#config = config;
    this.#approvers = approvers;
    this.#signIn = signIn;
    this.#ports = ports;
    this.#ofAgents = ofAgents;
  }

  async prove(token: string): Promise<ApproverProof> {
    const own = this.#approvers.byToken(token);
    if (own !== undefined) return { ok: true, approver: own };
    const issuer = claimedIssuer(token);
    if (!issuer.ok) return refused(401, "This is no approver's token, and no access token either.");
    const identifier = await this.#identifierOf(issuer.value);
    if (!(identifier instanceof TokenIdentifier)) return identifier;
    const answer = await identifier.identify({ authorization: `Bearer ${token}` });
    if (!answer.ok) return refused(401, answer.reason);
    return this.#approverOf(answer.identity, issuer.value);
  }

  async #identifierOf(issuer: string): Promise<TokenIdentifier | Refused> {
    const known = this.#identifiers.get(issuer);
    if (known !== undefined) return known;
    const trust = await this.#trustIn(issuer);
    if ("ok" in trust) return trust;
    const made = new TokenIdentifier({ issuers: [trust], developmentTokens: [] }, this.#ports);
    this.#identifiers.set(issuer, made);
    return made;
  }

  async #trustIn(issuer: string): Promise<IssuerConfig | Refused> {
    const ofAgents = this.#ofAgents.find((each) => each.issuer === issuer);
    const { oidc, url } = this.#config.approvals;
    if (issuer !== oidc?.issuer || this.#signIn === undefined)
      return ofAgents ?? refused(401, `No issuer ${JSON.stringify(issuer)} is configured here.`);
    const keys = await this.#signIn.keysUrl();
    if (!keys.ok) return refused(503, keys.error.detail);
    const algorithms: readonly SignatureAlg[] = ["ES256", "PS256", "RS256", "EdDSA"];
    return {
      ...{ issuer, audiences: [url], algorithms, keys: { jwksUrl: keys.value } },
      claims: { properties: ["email", "email_verified"] },
    };
  }

  #approverOf(identity: Identity, issuer: string): ApproverProof {
    const { agent, principal, delegation, properties } = identity;
    const behind = [...delegation, ...(principal === undefined ? [] : [principal])];
    const acting = this.#approvers.byAgent(agent);
    // Whoever it acts for, or came through, answers with it: none of them may be the requester either.
    if (acting !== undefined)
      return { ok: true, approver: { ...acting, alsoKnownAs: [...acting.alsoKnownAs, ...behind] } };
    const { oidc } = this.#config.approvals;
    // An agent's token may name a person it acts for. That person has not answered.
    if (issuer !== oidc?.issuer || !oidc.api_clients.includes(agent) || delegation.length > 0)
      return refused(
        403,
        `The token is that of ${agent}, which is no approver (approvals.approvers, agent), and does not speak for people (approvals.oidc.api_clients).`,
      );
    if (principal === undefined)
      return refused(403, `The token is ${agent}'s own: it names nobody.`);
    const { email, email_verified: verified } = properties;
    const person = this.#approvers.bySignedIn({
      ...{ issuer, subject: principal, emailVerified: verified === true },
      ...(typeof email === "string" && { email }),
    });
    if (person !== undefined) return { ok: true, approver: person };
    return refused(
      403,
      `No approver is ${JSON.stringify(principal)}. Whoever should be has it as oidc.subject in approvals.approvers.`,
    );
  }
}

function refused(status: Refused["status"], detail: string): Refused {
  return { ok: false, status, detail };
}
