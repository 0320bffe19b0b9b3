/** Control processes that tell people, on one simulated store, with channels that remember and fail as told. */
import {
  type Approval,
  type Approver,
  approvalIn,
  approvalKeys,
  approvalWrites,
  asked,
  type Question,
} from "../../../../src/approvals/index.ts";
import { type NoticeRoute, Notices, type TellingRules } from "../../../../src/control/index.ts";
import type { Notifier } from "../../../../src/ports.ts";
import {
  noStoreFaults,
  Random,
  type RecordingLog,
  type RecordingTelemetry,
  recordingLog,
  recordingTelemetry,
  SimChannel,
  SimClock,
  SimDatabase,
  type StoreFaults,
} from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";

export const question: Question = {
  ...{ tenant: "acme", agent: "pay-bot", delegation: [], principal: "carol", tool: "pay:create" },
  ...{ args_digest: "sha256:1", model: "m-1", effect: "write", risk: "high" },
  args_redacted: { amount: 75_000 },
  ...{ cost_estimate_micro_usd: 0, definition_digest: null, policy_version: "r1" },
  ...{ determining_rules: ["large"], reason: "large payments need a person", batch: false },
  requirements: [{ groups: ["leads"], count: 1 }],
};

export const people: readonly Approver[] = [
  { id: "alice", groups: ["leads"], alsoKnownAs: [] },
  { id: "bob", groups: ["leads"], alsoKnownAs: ["bob@example.com"] },
  { id: "carol", groups: ["leads"], alsoKnownAs: [] },
  { id: "rita", groups: ["readers"], alsoKnownAs: [] },
];

export const route = (more: Partial<NoticeRoute> = {}): NoticeRoute => ({
  ...{ channels: ["chat"], remindEveryMs: null, remindersMax: 3, escalate: null },
  ...more,
});

export const rulesOf = (more: Partial<TellingRules> = {}): TellingRules => ({
  routes: [route()],
  channels: new Map(),
  rotations: new Map(),
  floods: { perAgentMax: 20, totalMax: 200, decline: true },
  ...more,
});

/** A channel that keeps what it was told. */
export class RecordingChannel extends SimChannel {
  get words(): readonly string[] {
    return this.said.map(({ how, notice }) => `${how} ${notice.id} ${notice.status}`);
  }
}

export class NoticesWorld {
  readonly clock: SimClock;
  readonly database: SimDatabase;
  readonly state: SharedState;
  readonly log: RecordingLog = recordingLog();
  readonly telemetry: RecordingTelemetry = recordingTelemetry();
  #asked = 0;

  constructor(
    seed = 1,
    faults: StoreFaults = noStoreFaults,
    startMs: number = Date.UTC(2026, 0, 1, 12),
  ) {
    this.clock = new SimClock(startMs);
    this.database = new SimDatabase(new Random(seed), this.clock, faults);
    this.state = new SharedState(this.database.open());
  }

  notices(
    channels: Readonly<Record<string, Notifier>>,
    rules: TellingRules = rulesOf(),
    run = "run-1",
  ): Notices {
    return new Notices({
      ...{ state: new SharedState(this.database.open()), clock: this.clock },
      ...{ log: this.log, telemetry: this.telemetry, rules, approvers: people, run },
      channels: new Map(Object.entries(channels)),
      pageUrl: "https://approve.test",
    });
  }

  /** Asks people; ids are in order. */
  async ask(more: Partial<Question> = {}, validMs: number | null = null): Promise<Approval> {
    this.#asked += 1;
    const id = `apr-${String(this.#asked).padStart(4, "0")}`;
    const how = { id, instance: "g1", validMs, useWithinMs: 600_000, afterUnknown: null };
    const approval = asked({ ...question, ...more }, how, this.clock.wallMs());
    await this.store(approval);
    return approval;
  }

  async store(approval: Approval): Promise<void> {
    const writes = approvalWrites(approval);
    const keys = [...writes.keys()];
    const done = await this.state.transact(keys, () => ({ writes, result: undefined }));
    if (!done.ok) throw new Error(JSON.stringify(done.error));
  }

  async stored(id: string): Promise<Approval | undefined> {
    const keys = approvalKeys(id);
    const read = await this.state.read([keys.open, keys.closed]);
    return read.ok ? approvalIn(read.value, keys) : undefined;
  }

  /** Keys below `notice/`. */
  async noticeKeys(): Promise<readonly string[]> {
    const listed = await this.state.list("notice/", 1_000);
    if (!listed.ok) throw new Error(JSON.stringify(listed.error));
    return listed.value.map(({ key }) => key);
  }
}

/** One look, and everything it began. */
export async function look(notices: Notices): Promise<void> {
  await Promise.all(await notices.look());
}
