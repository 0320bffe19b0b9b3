/**
 * Tells people of open approvals. One control process at a time does it, by a lease in the store; every change of what
 * was told is one transaction that checks the lease, so that whoever lost it changes nothing any more.
 *
 * Each channel works by itself: one that hangs or fails delays no other, and no approval.
 */
import {
  type Approval,
  type Approver,
  approvalIn,
  approvalKeys,
  approvalWrites,
  openPrefix,
  presently,
  readApproval,
  turnedDown,
} from "../../approvals/index.ts";
import { err, type JsonObject, type Result } from "../../kernel/index.ts";
import { exponentialMs } from "../../limits/index.ts";
import type {
  Clock,
  Log,
  Notice,
  NoticePlace,
  Notifier,
  NotifyError,
  StoredValue,
  StoreWrites,
  Telemetry,
} from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { type Message, messageJson, messageKey, messagesPrefix, readMessage } from "./message.ts";
import { fingerprint } from "./notice-of.ts";
import { plan, type Step } from "./plan.ts";
import type { TellingRules } from "./routes.ts";
import { sweepSeen } from "./seen.ts";

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

const pollMs = 1_000;
const leaderKey = "notice/leader";
/** Renewed with each poll; another process takes over after it. */
const leaseMs = 8_000;
const sweepMs = 60_000;
const page = 500;
/** What is beyond is a flood, and in no message. */
const approvalsMax = 5_000;
const again = { baseMs: 1_000, maxMs: 300_000 };
/** Somebody has to change something first. */
const refusedAgainMs = 60_000;

interface Channel {
  readonly name: string;
  readonly notifier: Notifier;
  /** While it works through its steps. */
  working: Promise<void> | undefined;
  /** The channel asked to be left alone until then. */
  silentUntilMs: number;
  status: ChannelStatus;
}

type Changed = Pick<Message, "channel" | "id"> & { readonly message: Message | null };

export class Notices {
  readonly #parts: NoticesParts;
  readonly #channels: ReadonlyMap<string, Channel>;
  /** What was told and the store could not be told of yet: told again by nobody while this process lives. */
  readonly #owed = new Map<string, Message>();
  #isLeading = false;
  #isStopping = false;
  #sweptMs = 0;

  constructor(parts: NoticesParts) {
    this.#parts = parts;
    this.#channels = new Map([...parts.channels].map(([name, each]) => [name, idle(name, each)]));
  }

  get status(): { readonly leading: boolean; readonly channels: readonly ChannelStatus[] } {
    const channels = [...this.#channels.values()].map(({ status }) => status);
    return { leading: this.#isLeading, channels };
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
    await this.#resign();
  }

  /** Looks once. Resolves when everything is under way; what it resolves with ends when everything was tried. */
  async look(): Promise<readonly Promise<void>[]> {
    const nowMs = await this.#lead();
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

  /** The time on the store's clock while this process is the one that tells; undefined while another is, or nobody can be. */
  async #lead(): Promise<number | undefined> {
    const { state, run, log } = this.#parts;
    const led = await state.transact([leaderKey], (values, nowMs) => {
      const stored = values.get(leaderKey);
      const until = Number(stored?.["until_ms"] ?? 0);
      // A clock that jumped back must not leave everybody waiting for it.
      const isTaken = stored !== undefined && stored["run"] !== run && nowMs < until;
      if (isTaken && until - nowMs <= leaseMs) return { writes: new Map(), result: undefined };
      const isFresh =
        stored?.["run"] === run && until - nowMs > leaseMs / 2 && until - nowMs <= leaseMs;
      if (isFresh) return { writes: new Map(), result: nowMs };
      const lease = { run, until_ms: nowMs + leaseMs };
      return { writes: new Map([[leaderKey, lease]]), result: nowMs };
    });
    const nowMs = led.ok ? led.value : undefined;
    if (!led.ok && this.#isLeading) log.write("error", "notices_store_away", { ...led.error });
    if (nowMs !== undefined && !this.#isLeading) log.write("info", "notices_leading", { run });
    this.#isLeading = nowMs !== undefined;
    return nowMs;
  }

  async #resign(): Promise<void> {
    const { state, run } = this.#parts;
    await state.transact([leaderKey], (values) => ({
      writes: values.get(leaderKey)?.["run"] === run ? new Map([[leaderKey, null]]) : new Map(),
      result: undefined,
    }));
  }

  async #steps(nowMs: number): Promise<readonly Step[] | undefined> {
    const { rules, approvers, pageUrl, run } = this.#parts;
    const stored = await this.#list(messagesPrefix);
    const open = await this.#list(openPrefix);
    if (stored === undefined || open === undefined) return undefined;
    const messages = stored.flatMap(({ key, value }) => this.#known(key, readMessage(value)));
    const approvals = new Map<string, Approval>();
    const add = (approval: Approval | undefined): void => {
      if (approval !== undefined) approvals.set(approval.id, presently(approval, nowMs));
    };
    for (const { value } of open) add(readApproval(value));
    const named = messages.filter(({ kind }) => kind !== "flood").flatMap((each) => each.approvals);
    for (const each of await this.#read(named.filter((id) => !approvals.has(id)))) add(each);
    this.#observe(messages, approvals);
    return plan({ approvals, messages, rules, approvers, pageUrl, nowMs, run });
  }

  /** What this process told goes before what it could write down; what another has written since goes before both. */
  #known(key: string, stored: Message | undefined): readonly Message[] {
    const owed = this.#owed.get(key);
    if (owed !== undefined && stored?.sending_by === this.#parts.run) return [owed];
    this.#owed.delete(key);
    return stored === undefined ? [] : [stored];
  }

  async #list(prefix: string): Promise<readonly StoredValue[] | undefined> {
    const all: StoredValue[] = [];
    for (let after = ""; all.length < approvalsMax; ) {
      const listed = await this.#parts.state.list(prefix, page, after);
      if (!listed.ok) return undefined;
      all.push(...listed.value);
      const last = listed.value.at(-1);
      if (last === undefined || listed.value.length < page) break;
      after = last.key;
    }
    return all;
  }

  async #read(ids: readonly string[]): Promise<readonly Approval[]> {
    const keys = [...new Set(ids)].map(approvalKeys);
    if (keys.length === 0) return [];
    const read = await this.#parts.state.read(keys.flatMap(({ open, closed }) => [open, closed]));
    return read.ok ? keys.flatMap((each) => approvalIn(read.value, each) ?? []) : [];
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

  async #decline({ approval: id, because }: Extract<Step, { do: "decline" }>): Promise<void> {
    const { state, log, telemetry } = this.#parts;
    const keys = approvalKeys(id);
    const done = await state.transact([keys.open, keys.closed], (values, nowMs) => {
      const found = approvalIn(values, keys);
      const after = found && turnedDown(presently(found, nowMs), because, nowMs);
      const isChanged = after !== undefined && after.state === "declined" && after !== found;
      return { writes: isChanged ? approvalWrites(after) : new Map(), result: isChanged };
    });
    if (!done.ok || !done.value) return;
    log.write("warn", "approval_declined_in_flood", { approval: id, because });
    telemetry.count("approvals_declined_in_floods", {});
  }

  async #work(channel: Channel, steps: readonly Step[], nowMs: number): Promise<void> {
    try {
      await this.#payOwed(channel.name);
      for (const step of steps) {
        if (this.#isStopping) break;
        if (step.do === "decline" || step.message.channel !== channel.name) continue;
        if (step.do === "forget") await this.#commit({ ...step.message, message: null });
        // Time goes on while others are sent; the store's clock is what everything is counted on.
        else if (nowMs >= channel.silentUntilMs) await this.#tell(channel, step, nowMs);
      }
    } catch (thrown) {
      this.#parts.log.write("error", "notices_failed", { detail: String(thrown) });
    }
  }

  async #payOwed(channel: string): Promise<void> {
    for (const [key, message] of this.#owed)
      if (message.channel === channel && (await this.#commit({ ...message, message })))
        this.#owed.delete(key);
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
    if (claimed !== message && !(await this.#commit({ ...message, message: claimed }))) return;
    const sent = await this.#send(channel.notifier, how, message.place, notice);
    const after = sent.ok
      ? toldAs(claimed, notice, sent.value, how, nowMs)
      : failed(claimed, sent.error, nowMs);
    this.#count(channel, how, sent, nowMs);
    if (!(await this.#commit({ ...message, message: after })))
      this.#owed.set(messageKey(message), after);
  }

  async #send(
    notifier: Notifier,
    how: "deliver" | "update" | "remind",
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

  /** False when this process is not the one that tells any more, or the store cannot be told. */
  async #commit({ channel, id, message }: Changed): Promise<boolean> {
    const { state, run, log } = this.#parts;
    const key = messageKey({ channel, id });
    const done = await state.transact([leaderKey, key], (values) => {
      const isOurs = values.get(leaderKey)?.["run"] === run;
      const value: JsonObject | null = message === null ? null : messageJson(message);
      const writes: StoreWrites = isOurs ? new Map([[key, value]]) : new Map();
      return { writes, result: isOurs };
    });
    if (!done.ok) log.write("error", "notice_not_stored", { channel, id, ...done.error });
    return done.ok && done.value;
  }
}

function idle(name: string, notifier: Notifier): Channel {
  const none = { waiting: 0, delivered: 0, failures_in_a_row: 0 };
  const status = { name, ...none, last_error: null, last_delivered_ms: null };
  return { name, notifier, working: undefined, silentUntilMs: 0, status };
}

/** A reminder is counted before it is sent: one too few is better than one each second. */
function claimedNoise(message: Message, how: Step["do"], notice: Notice, nowMs: number): Message {
  if (how !== "remind") return message;
  const { reminders } = message;
  return notice.status === "open"
    ? { ...message, noise_ms: nowMs, reminders: reminders + 1 }
    : { ...message, announced: true };
}

function toldAs(
  message: Message,
  notice: Notice,
  place: NoticePlace,
  how: Step["do"],
  nowMs: number,
): Message {
  const isNoise = how === "deliver" || message.kind === "flood";
  const well = { sending_by: null, failures: 0, not_before_ms: 0, error: null };
  return {
    ...{ ...message, ...well, place },
    shown: how === "remind" ? message.shown : fingerprint(notice),
    noise_ms: isNoise ? nowMs : message.noise_ms,
  };
}

function failed(
  message: Message,
  { kind, detail, retryAfterMs = 0 }: NotifyError,
  nowMs: number,
): Message {
  const failures = message.failures + 1;
  const waitMs = Math.max(
    exponentialMs(again, failures),
    kind === "refused" ? refusedAgainMs : 0,
    retryAfterMs,
  );
  const error = `${kind}: ${detail}`;
  return { ...message, sending_by: null, failures, not_before_ms: nowMs + waitMs, error };
}
