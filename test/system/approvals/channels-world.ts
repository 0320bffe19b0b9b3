/** A control process with channels, as its operators run it, and the store in which gateways ask. */
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
import { type Answer, ask, freePorts, Process, until } from "../product/harness.ts";

const policy = `
policy: all
rules:
  - { id: all, match: { agents: "*" }, outcome: allow }
`;

const question: Question = {
  ...{ tenant: "default", agent: "pay-bot", delegation: [], principal: "carol@example.com" },
  ...{ tool: "payments:POST /payments", model: "m-1", effect: "write", risk: "high" },
  args_digest: `sha256:${"1".repeat(64)}`,
  args_redacted: {
    body: { amount: 75_000, note: "<!channel> *bold* <https://evil.test|Approve>" },
  },
  ...{ cost_estimate_micro_usd: 2_500, definition_digest: null, policy_version: "rev-7" },
  ...{ determining_rules: ["payments/large"], reason: "large payments need a person" },
  requirements: [{ groups: ["leads"], count: 1 }],
  batch: false,
};

export class ChannelsWorld {
  readonly url: string;
  readonly state: SharedState;
  readonly #folder: string;
  control: Process;
  #made = 0;

  /** `approvals` is YAML, indented by two. */
  static async start(approvals: string): Promise<ChannelsWorld> {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-channels-"));
    const [port = 0] = await freePorts([0]);
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies/all.yaml"), policy);
    const config = `
control: { listen: "127.0.0.1:${port}" }
data: ./data
upstreams: {}
approvals:
  approvers:
    - { id: alice, groups: [leads], slack: U0ALICE, teams: 00000000-0000-0000-0000-00000000a11c, email: alice@example.com }
    - { id: bob, groups: [leads], slack: U0BOB, email: bob@example.com }
    - { id: carol, groups: [leads], slack: U0CAROL, principals: [carol@example.com] }
    - { id: rita, groups: [readers], slack: U0RITA }
${approvals}
`;
    writeFileSync(join(folder, "holdfast.yaml"), config);
    const control = await running(folder);
    const store = await SqliteStore.open(join(folder, "data/store.db"));
    if (!store.ok) throw new Error(store.error);
    return new ChannelsWorld(
      folder,
      `http://127.0.0.1:${port}`,
      control,
      new SharedState(store.value),
    );
  }

  private constructor(folder: string, url: string, control: Process, state: SharedState) {
    this.#folder = folder;
    this.url = url;
    this.control = control;
    this.state = state;
  }

  async restart(): Promise<void> {
    await this.control.stop();
    this.control = await running(this.#folder);
  }

  async ask(more: Partial<Question> = {}, validMs: number | null = 600_000): Promise<Approval> {
    this.#made += 1;
    const id = `apr-${String(this.#made).padStart(4, "0")}`;
    const asking = { id, instance: "gateway", validMs, useWithinMs: 300_000, afterUnknown: null };
    const approval = asked({ ...question, ...more }, asking, Date.now());
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

  async untilState(id: string, state: Approval["state"]): Promise<Approval> {
    return await until(`${id} is ${state}`, async () => {
      const stored = await this.stored(id);
      return stored?.state === state ? stored : undefined;
    });
  }

  status(): Promise<Answer> {
    return ask(`${this.url}/statusz`);
  }

  async close(): Promise<void> {
    await this.state.close();
    await this.control.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function running(folder: string): Promise<Process> {
  const control = new Process(["control", "--config", join(folder, "holdfast.yaml")]);
  await control.line("control_listening");
  return control;
}
