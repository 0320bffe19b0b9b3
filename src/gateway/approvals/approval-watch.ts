/**
 * The gateway's eye on the questions it asked: wakes the calls that wait for an answer, ends what waited too long, and
 * records what people said, whether or not the agent ever comes back.
 */
import {
  type Approval,
  type ApprovalState,
  approvalIn,
  approvalKeys,
  approvalWrites,
  closedPrefix,
  isClosed,
  newestKey,
  presently,
  readApproval,
  unrecordedPrefix,
} from "../../approvals/index.ts";
import type { ApprovalEntry, EntryOrigin } from "../../audit/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import type { Clock, Log, Telemetry } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { isoTime } from "../record.ts";
import { legsPrefix } from "./legs.ts";

export interface ApprovalWatchParts {
  readonly state: SharedState;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
}

/** How often a call that waits is looked after. */
const waitPollMs = 250;
const recordPollMs = 1_000;
const sweepMs = 10 * 60_000;
const keptMs = 30 * 86_400_000;
const page = 200;

export class ApprovalWatch {
  readonly #parts: ApprovalWatchParts;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(parts: ApprovalWatchParts) {
    this.#parts = parts;
  }

  /** True as soon as the approval is not pending any more; false when `timeoutMs` are over or `signal` aborts. */
  async answered(id: string, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const done = new AbortController();
    const woken = new Promise<boolean>((resolve) => {
      const wake = (): void => resolve(true);
      const others = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, others.add(wake));
      done.signal.addEventListener("abort", () => {
        others.delete(wake);
        if (others.size === 0) this.#waiting.delete(id);
      });
    });
    const { clock } = this.#parts;
    const late = clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal]));
    const isAnswered = await Promise.race([woken, late.then(() => false)]);
    done.abort();
    return isAnswered;
  }

  /** Until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const again = async (work: () => Promise<void>, everyMs: number): Promise<void> => {
      while (!signal.aborted) {
        await work();
        await clock.sleep(everyMs, signal);
      }
    };
    await Promise.all([
      again(() => this.#wake(), waitPollMs),
      again(() => this.recordAnswers(), recordPollMs),
      again(() => this.sweep(), sweepMs),
    ]);
  }

  async #wake(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const ids = [...this.#waiting.keys()];
    const keys = ids.map(approvalKeys);
    const read = await this.#parts.state.read(keys.flatMap(({ open, closed }) => [open, closed]));
    if (!read.ok) return;
    for (const [i, id] of ids.entries()) {
      const each = keys[i] && approvalIn(read.value, keys[i]);
      if (each?.state !== "pending") for (const wake of this.#waiting.get(id) ?? []) wake();
    }
  }

  /** Looks once at every question of this gateway whose end is not in its log. */
  async recordAnswers(): Promise<void> {
    const { state, origin, telemetry } = this.#parts;
    const prefix = unrecordedPrefix(origin.instance);
    let pending = 0;
    for (let after = ""; ; ) {
      const listed = await state.list(prefix, page, after);
      if (!listed.ok) return;
      const recorded = new Map(
        listed.value.map(({ key, value }) => [key.slice(prefix.length), value["state"]]),
      );
      for (const approval of await this.#present([...recorded.keys()])) {
        if (approval.state === "pending") pending += 1;
        await this.#record(prefix + approval.id, approval, recorded.get(approval.id));
      }
      const last = listed.value.at(-1);
      if (last === undefined || listed.value.length < page) break;
      after = last.key;
    }
    telemetry.gauge("approvals_pending", {}, pending);
  }

  /** The approvals of these ids as they are now; those whose time is over end here. */
  async #present(ids: readonly string[]): Promise<readonly Approval[]> {
    if (ids.length === 0) return [];
    const { state, clock } = this.#parts;
    const keys = ids.map(approvalKeys);
    const read = await state.read(keys.flatMap(({ open, closed }) => [open, closed]));
    if (!read.ok) return [];
    const found = keys.flatMap((each) => approvalIn(read.value, each) ?? []);
    const now = clock.wallMs();
    return Promise.all(
      // This clock only says where it is worth looking; whether the time is over says the store's.
      found.map(async (each) => (presently(each, now) === each ? each : await this.#end(each))),
    );
  }

  async #end(approval: Approval): Promise<Approval> {
    const keys = approvalKeys(approval.id);
    const ended = await this.#parts.state.transact([keys.open, keys.closed], (values, nowMs) => {
      const stored = approvalIn(values, keys) ?? approval;
      const now = presently(stored, nowMs);
      return { writes: now === stored ? new Map() : approvalWrites(now), result: now };
    });
    return ended.ok ? ended.value : approval;
  }

  /** Takes away what ended long ago, the oldest first: ids begin with the time. */
  async sweep(): Promise<void> {
    const { state, clock } = this.#parts;
    const listed = await state.list(closedPrefix, page);
    if (!listed.ok) return;
    const before = clock.wallMs() - keptMs;
    const old = listed.value
      .flatMap(({ value }) => readApproval(value) ?? [])
      .filter(({ closed_ms: closed }) => closed !== null && closed < before);
    if (old.length === 0) return;
    const keys = old.flatMap((each) => [approvalKeys(each.id).closed, newestKey(each)]);
    await state.transact([...new Set(keys)], (values) => {
      const writes = new Map<string, null>();
      for (const each of old) {
        writes.set(approvalKeys(each.id).closed, null);
        // A newer one of the same action may be open.
        if (values.get(newestKey(each))?.["id"] === each.id) writes.set(newestKey(each), null);
      }
      return { writes, result: undefined };
    });
  }

  async #record(key: string, approval: Approval, recorded: unknown): Promise<void> {
    const { state, ledger, log, telemetry } = this.#parts;
    const said = saidOf(approval);
    if (said !== undefined && said !== recorded) {
      const appended = await ledger.append(this.#entry(approval, said));
      if (!appended.ok) {
        log.write("error", "approval_not_recorded", { approval: approval.id, ...appended.error });
        return;
      }
      log.write("info", `approval_${said}`, { approval: approval.id, tool: approval.tool });
      telemetry.count("approvals_answered", { state: said });
    } else if (!isClosed(approval)) return;
    const next = isClosed(approval) ? null : { state: said ?? "pending" };
    const legs = isClosed(approval) ? await this.#legsOf(approval.id) : [];
    await state.transact([key, ...legs], () => ({
      writes: new Map([[key, next], ...legs.map((leg) => [leg, null] as const)]),
      result: undefined,
    }));
  }

  /** Handles that no client came back with. */
  async #legsOf(id: string): Promise<readonly string[]> {
    const listed = await this.#parts.state.list(legsPrefix(id), page);
    return listed.ok ? listed.value.map(({ key }) => key) : [];
  }

  #entry(approval: Approval, state: ApprovalState): ApprovalEntry {
    const { clock, origin } = this.#parts;
    return {
      ...origin,
      v: 1,
      kind: "approval",
      time: isoTime(clock.wallMs()),
      tenant: approval.tenant,
      approval_id: approval.id,
      state,
      agent_id: approval.agent,
      tool: approval.tool,
      args_digest: approval.args_digest,
      policy_version: approval.policy_version,
      because: approval.closed_because,
      votes: approval.votes.map(({ at_ms, ...vote }) => ({ ...vote, time: isoTime(at_ms) })),
    };
  }
}

/** What people said, or time did. That a grant was used is said by the decision of the call that used it. */
function saidOf({ state }: Approval): ApprovalState | undefined {
  if (state === "pending") return undefined;
  return state === "claimed" || state === "used" ? "granted" : state;
}
