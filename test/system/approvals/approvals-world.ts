/**
 * A control process as its operators run it, with approvers, a real provider they sign in at, and the store it shares
 * with gateways. Approvals are put into the store as gateways put them there.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import {
  type Approval,
  approvalIn,
  approvalKeys,
  approvalWrites,
  asked,
  type Question,
} from "../../../src/approvals/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { type SignInProvider, startProvider } from "../../fixtures/sign-in-provider.ts";
import { freePorts, Process } from "../product/harness.ts";

export const aliceToken = "alice-token-0123456789abcdef0123456789";
export const bobToken = "bob-token-0123456789abcdef012345678901";
export const readerToken = "reader-token-0123456789abcdef012345678";
export const secret = "secret-of-the-page-0123456789";

const people = {
  "s-alice": { email: "alice@example.com", email_verified: true, name: "Alice" },
  "s-bob": { email: "Bob@Example.com", email_verified: true },
  "s-mallory": { email: "bob@example.com", email_verified: false },
  "s-stranger": { email: "stranger@example.com", email_verified: true },
};

export interface WorldOptions {
  /** Default: 8 hours. */
  readonly sessionMinutes?: number;
}

export class ApprovalsWorld {
  readonly url: string;
  readonly provider: SignInProvider;
  readonly control: Process;
  readonly state: SharedState;
  readonly #folder: string;
  #made = 0;

  static async start({ sessionMinutes = 480 }: WorldOptions = {}): Promise<ApprovalsWorld> {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-approvals-"));
    const [port = 0] = await freePorts([0]);
    const url = `http://127.0.0.1:${port}`;
    const provider = await startProvider({
      people,
      resources: [url],
      clients: () => [
        {
          ...{ client_id: "page", client_secret: secret, grant_types: ["authorization_code"] },
          redirect_uris: [`${url}/approvals/signed-in`],
        },
        {
          ...{ client_id: "holdfast-cli", grant_types: ["authorization_code"] },
          redirect_uris: [`${url}/openapi.json`],
        },
        {
          ...{ client_id: "other-app", grant_types: ["authorization_code"] },
          redirect_uris: [`${url}/openapi.json`],
        },
        {
          ...{ client_id: "review-bot", client_secret: secret, redirect_uris: [] },
          grant_types: ["client_credentials"],
        },
      ],
    });
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies/all.yaml"), policy);
    const config = configOf(url, provider.issuer, sessionMinutes);
    writeFileSync(join(folder, "holdfast.yaml"), config);
    const control = new Process(["control", "--config", join(folder, "holdfast.yaml")]);
    try {
      await control.line("control_listening");
      const store = await SqliteStore.open(join(folder, "data/store.db"));
      if (!store.ok) throw new Error(store.error);
      return new ApprovalsWorld(folder, url, provider, control, new SharedState(store.value));
    } catch (thrown) {
      provider.stop();
      await control.stop("SIGKILL");
      throw thrown;
    }
  }

  private constructor(
    folder: string,
    url: string,
    provider: SignInProvider,
    control: Process,
    state: SharedState,
  ) {
    this.#folder = folder;
    this.url = url;
    this.provider = provider;
    this.control = control;
    this.state = state;
  }

  /** A question as a gateway asks it. */
  async ask(question: Partial<Question> = {}, validMs: number | null = 600_000): Promise<Approval> {
    this.#made += 1;
    const id = `apr-${String(this.#made).padStart(4, "0")}`;
    const asking = { id, instance: "gateway", validMs, useWithinMs: 300_000, afterUnknown: null };
    const approval = asked({ ...questionDefault, ...question }, asking, Date.now());
    await this.put(approval);
    return approval;
  }

  async put(approval: Approval): Promise<void> {
    const { open, closed } = approvalKeys(approval.id);
    const put = await this.state.transact([open, closed], () => ({
      ...{ writes: approvalWrites(approval), result: undefined },
    }));
    if (!put.ok) throw new Error(put.error.detail);
  }

  /** What a gateway finds in the store. */
  async stored(id: string): Promise<Approval | undefined> {
    const keys = approvalKeys(id);
    const read = await this.state.read([keys.open, keys.closed]);
    return read.ok ? approvalIn(read.value, keys) : undefined;
  }

  async close(): Promise<void> {
    await this.state.close();
    await this.control.stop();
    this.provider.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const questionDefault: Question = {
  ...{ tenant: "default", agent: "desk-bot", delegation: [], principal: "carol@example.com" },
  ...{ tool: "payments:POST /payments", model: "m-1", effect: "write", risk: "high" },
  args_digest: "sha256:0001",
  args_redacted: {
    body: { amount: 75_000, currency: "EUR", note: "first\nsecond", card_number: "[redacted]" },
  },
  ...{ cost_estimate_micro_usd: 2_500, definition_digest: "sha256:d", policy_version: "rev-7" },
  ...{ determining_rules: ["payments/large"], reason: "Large payments need a second pair of eyes" },
  requirements: [{ groups: ["payments-leads"], count: 1 }],
  batch: false,
};

const policy = `
policy: all
rules:
  - { id: all, match: { agents: "*" }, outcome: allow }
`;

function configOf(url: string, issuer: string, sessionMinutes: number): string {
  return `
control: { listen: "${url.slice(7)}" }
data: ./data
upstreams: {}
identity:
  issuers: [{ issuer: "${issuer}/agents", jwks_url: "${issuer}/jwks" }]
approvals:
  url: ${url}
  session_minutes: ${sessionMinutes}
  kill_groups: [sre]
  oidc: { issuer: "${issuer}", client_id: page, client_secret: ${secret}, api_clients: [holdfast-cli] }
  approvers:
    - { id: alice, name: Alice Example, groups: [payments-leads, sre], oidc: { subject: s-alice }, email: alice@example.com, token: ${aliceToken} }
    - { id: bob, groups: [payments-leads], oidc: { email: bob@example.com }, token: ${bobToken} }
    - { id: reader, groups: [], token: ${readerToken} }
    - { id: reviewer, groups: [payments-leads], agent: review-bot }
`;
}
