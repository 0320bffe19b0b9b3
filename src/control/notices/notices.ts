/**
 * Tells people of open approvals, and of drills that are overdue. One control process at a time does it, by a lease in the store; every change of what
 * was told is one transaction that checks the lease, so that whoever lost it changes nothing any more.
 *
 * Each channel works by itself: one that hangs or fails delays no other, and no approval.
 */
import type { Approval, Approver } from "../../approvals/index.ts";
import { err, type Result } from "../../kernel/index.ts";
import type {
  Clock,
  Log,
  Notice,
  NoticePlace,
  Notifier,
  NotifyError,
  Telemetry,
} from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { type DrillSchedule, schedulesOf } from "./held-drills.ts";
import { claimedNoise, failed, type Message, type Telling, toldAs } from "./message.ts";
import { plan, type Step } from "./plan.ts";
import type { TellingRules } from "./routes.ts";
import { sweepSeen } from "./seen.ts";
import { ToldStore } from "./told-store.ts";

export interface NoticesParts {
  readonly state: SharedState;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Pick<Telemetry, "count" | "gauge">;
  readonly rules: TellingRules;
  readonly approvers: readonly Approver[];
  readonly channels: ReadonlyMap<string, Notifier>;
  /** `approvals.url` */
  readonly pageUrl: string;
  /** Names this life of this process; no two are the same. */
  readonly run: string;
}

export interface ChannelStatus {
  readonly name: string;
  /** Messages that were not delivered yet, after at least one try. */
  readonly waiting: number;
  readonly delivered: number;
  readonly failures_in_a_row: number;
  readonly last_error: string | null;
  readonly last_delivered_ms: number | null;
}

export interface NoticesStatus {
  readonly leading: boolean;
  readonly channels: readonly ChannelStatus[];
  /** As this process saw them when it last told people. */
  readonly drills: readonly {
    readonly deployment: string;
    readonly scenario: string;
    readonly overdue: boolean;
    /** RFC 3339; null: never held. */
    readonly due_since: string | null;
    readonly last: string | null;
  }[];
}

const pollMs = 1_000;
const sweepMs = 60_000;

interface Channel {
  readonly name: string;
  readonly notifier: Notifier;
  /** While it works through its steps. */
  working: Promise<void> | undefined;
  /** The channel asked to be left alone until then. */
  silentUntilMs: number;
  status: ChannelStatus;
}

export class Notices {
  readonly #parts: NoticesParts;
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #store: ToldStore;
  #isStopping = false;
  #sweptMs = 0;
  #drills: readonly DrillSchedule[] = [];

  constructor(parts: NoticesParts) {
    this.#parts = parts;
    this.#store = new ToldStore(parts);
    this.#channels = new Map([...parts.channels].map(([name, each]) => [name, idle(name, each)]));
  }

  get status(): NoticesStatus {
    const channels = [...this.#channels.values()].map(({ status }) => status);
    const drills = this.#drills.flatMap(({ deployment, due }) =>
      due.map(({ scenario, dueMs, overdue, last }) => {
        const due_since = dueMs === null ? null : new Date(dueMs).toISOString();
        return { deployment, scenario, overdue, due_since, last: last?.drill ?? null };
      }),
    );
    return { leading: this.#store.isLeading, channels, drills };
  }

  /** Until `signal` aborts; then gives the lease back. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      try {
        await this.look();
      } catch (thrown) {
        // A bug of ours stops no bundle and no vote of this process.
        log.write("error", "notices_failed", { detail: String(thrown) });
      }
      await clock.sleep(pollMs, signal);
    }
    this.#isStopping = true;
    // What is being sent is written down first: the next run would send it once more.
    await Promise.all([...this.#channels.values()].map(({ working }) => working));
    await this.#store.resign();
  }

  /** Looks once. Resolves when everything is under way; what it resolves with ends when everything was tried. */
  async look(): Promise<readonly Promise<void>[]> {
    const nowMs = await this.#store.lead();
    if (nowMs === undefined) return [];
    const steps = await this.#steps(nowMs);
    if (steps === undefined) return [];
    await Promise.all(
      steps.map((step) => (step.do === "decline" ? this.#decline(step) : undefined)),
    );
    if (nowMs - this.#sweptMs >= sweepMs) {
      this.#sweptMs = nowMs;
      await sweepSeen(this.#parts.state, nowMs);
    }
    return [...this.#channels.values()].map((channel) => {
      channel.working ??= this.#work(channel, steps, nowMs).finally(() => {
        channel.working = undefined;
      });
      return channel.working;
    });
  }

  async #steps(nowMs: number): Promise<readonly Step[] | undefined> {
    const { rules, approvers, pageUrl, run } = this.#parts;
    const told = await this.#store.told(nowMs);
    if (told === undefined) return undefined;
    this.#observe(told.messages, told.approvals);
    this.#drills = schedulesOf(told.drills, nowMs);
    return plan({ ...told, drills: this.#drills, rules, approvers, pageUrl, nowMs, run });
  }

  #observe(messages: readonly Message[], approvals: ReadonlyMap<string, Approval>): void {
    const { telemetry } = this.#parts;
    let pending = 0;
    for (const { state } of approvals.values()) if (state === "pending") pending += 1;
    telemetry.gauge("notices_approvals_pending", {}, pending);
    for (const channel of this.#channels.values()) {
      const own = messages.filter(({ channel: name }) => name === channel.name);
      const waiting = own.filter(({ place, failures }) => place === null && failures > 0).length;
      channel.status = { ...channel.status, waiting };
      telemetry.gauge("notices_waiting", { channel: channel.name }, waiting);
    }
  }

  async #decline({ approval, because }: Extract<Step, { do: "decline" }>): Promise<void> {
    if (!(await this.#store.decline(approval, because))) return;
    const { log, telemetry } = this.#parts;
    log.write("warn", "approval_declined_in_flood", { approval, because });
    telemetry.count("approvals_declined_in_floods", {});
  }

  async #work(channel: Channel, steps: readonly Step[], nowMs: number): Promise<void> {
    try {
      if (!(await this.#store.payOwed(channel.name))) return;
      for (const step of steps) {
        if (this.#isStopping) break;
        if (step.do === "decline" || step.message.channel !== channel.name) continue;
        if (step.do === "forget") await this.#store.commit({ ...step.message, message: null });
        // Time goes on while others are sent; the store's clock is what everything is counted on.
        else if (nowMs >= channel.silentUntilMs) await this.#tell(channel, step, nowMs);
      }
    } catch (thrown) {
      this.#parts.log.write("error", "notices_failed", { detail: String(thrown) });
    }
  }

  async #tell(
    channel: Channel,
    { do: how, message, notice }: Exclude<Step, { do: "decline" | "forget" }>,
    nowMs: number,
  ): Promise<void> {
    const { run } = this.#parts;
    const claimed =
      how === "deliver"
        ? { ...message, sending_by: run }
        : claimedNoise(message, how, notice, nowMs);
    if (claimed !== message && !(await this.#store.commit({ ...message, message: claimed })))
      return;
    const sent = await this.#send(channel.notifier, how, message.place, notice);
    const after = sent.ok
      ? toldAs(claimed, notice, sent.value, how, nowMs)
      : failed(claimed, sent.error, nowMs);
    this.#count(channel, how, sent, nowMs);
    await this.#store.commitTold(claimed, after);
  }

  async #send(
    notifier: Notifier,
    how: Telling,
    place: NoticePlace | null,
    notice: Notice,
  ): Promise<Result<NoticePlace, NotifyError>> {
    try {
      if (how === "deliver" || place === null) return await notifier.deliver(notice);
      return await (how === "update"
        ? notifier.update(place, notice)
        : notifier.remind(place, notice));
    } catch (thrown) {
      // It has broken its promise; whether people were told nobody knows.
      return err({ kind: "unknown", detail: String(thrown) });
    }
  }

  #count(
    channel: Channel,
    how: string,
    sent: Result<NoticePlace, NotifyError>,
    nowMs: number,
  ): void {
    const { log, telemetry } = this.#parts;
    const { name, status } = channel;
    const outcome = sent.ok ? "ok" : sent.error.kind;
    telemetry.count("notices", { channel: name, step: how, outcome });
    if (sent.ok) {
      const delivered = status.delivered + (how === "deliver" ? 1 : 0);
      const well = { failures_in_a_row: 0, last_error: null, last_delivered_ms: nowMs };
      channel.status = { ...status, ...well, delivered };
      return;
    }
    const { detail, kind, retryAfterMs } = sent.error;
    const failures_in_a_row = status.failures_in_a_row + 1;
    channel.status = { ...status, failures_in_a_row, last_error: `${kind}: ${detail}` };
    if (retryAfterMs !== undefined) channel.silentUntilMs = nowMs + retryAfterMs;
    log.write("warn", "notice_not_delivered", { channel: name, step: how, kind, detail });
  }
}

function idle(name: string, notifier: Notifier): Channel {
  const none = { waiting: 0, delivered: 0, failures_in_a_row: 0 };
  const status = { name, ...none, last_error: null, last_delivered_ms: null };
  return { name, notifier, working: undefined, silentUntilMs: 0, status };
}
