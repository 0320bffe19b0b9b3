/**
 * Where approvals are answered: each answer is one transaction on the shared state, so that whoever answers at the same
 * time, here or in another process, is heard one after the other. Gateways learn of it from the state alone.
 */
import {
  type Approval,
  type Approver,
  approvalIn,
  approvalKeys,
  approvalWrites,
  type Ballot,
  closedPrefix,
  isApprovalId,
  isAsked,
  isClosed,
  openPrefix,
  type Proposed,
  presently,
  readApproval,
  revoked,
  vote,
} from "../../approvals/index.ts";
import { callId, err, type JsonObject, ok, type Result } from "../../kernel/index.ts";
import type { Clock, Entropy, StoreWrites } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { Proposing } from "./proposing.ts";
import { changed, type DeskRefusal, storeRefusal, unknownId } from "./refusal.ts";

export interface Answer extends Omit<Ballot, "jti"> {
  /** The arguments that were looked at; other ones are refused. */
  readonly argsDigest?: string;
}

/** One of several that are answered together. */
export interface Together {
  readonly id: string;
  readonly argsDigest: string;
}

export interface DeskPage {
  readonly approvals: readonly Approval[];
  /** Where the next page begins; absent on the last. */
  readonly next?: string;
}

export interface DeskParts {
  readonly state: SharedState;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

const readAtOnce = 200;
/** Of one page, whatever it filters; the rest is the next page. */
const readMax = 2_000;
const togetherMax = 50;

type Answered = Result<Approval, DeskRefusal>;

export class ApprovalDesk {
  readonly #state: SharedState;
  readonly #clock: Clock;
  readonly #entropy: Entropy;

  constructor({ state, clock, entropy }: DeskParts) {
    this.#state = state;
    this.#clock = clock;
    this.#entropy = entropy;
  }

  /** The approval as it is at this moment. */
  async find(id: string): Promise<Answered> {
    if (!isApprovalId(id)) return err(unknownId(id));
    const keys = approvalKeys(id);
    const read = await this.#state.transact([keys.open, keys.closed], (values, nowMs) => {
      const found = approvalIn(values, keys);
      return { writes: new Map(), result: found && presently(found, nowMs) };
    });
    if (!read.ok) return err(storeRefusal(read.error));
    return read.value === undefined ? err(unknownId(id)) : ok(read.value);
  }

  /** Approvals in one of these states, the oldest first. `after` is `next` of the page before. */
  async list(
    states: readonly Approval["state"][],
    countMax: number,
    after = "",
  ): Promise<Result<DeskPage, DeskRefusal>> {
    const closed = states.some((state) => isClosed({ state }));
    const prefix = closed ? closedPrefix : openPrefix;
    const page: Page = { approvals: [], last: after, isFull: false };
    for (let read = 0; read < readMax && !page.isFull; read += readAtOnce) {
      const from = page.last === "" ? "" : prefix + page.last;
      const listed = await this.#state.list(prefix, readAtOnce, from);
      if (!listed.ok) return err(storeRefusal(listed.error));
      const nowMs = this.#clock.wallMs();
      const named = listed.value.map(({ key, value }) => ({ id: key.slice(prefix.length), value }));
      fill(page, named, { states, countMax, nowMs });
      if (!page.isFull && listed.value.length < readAtOnce)
        return ok({ approvals: page.approvals });
    }
    return ok({ approvals: page.approvals, next: page.last });
  }

  async vote(approver: Approver, id: string, answer: Answer): Promise<Answered> {
    const jti = this.#newJti();
    const voted = await this.#change(id, (approval, nowMs) =>
      cast(approval, approver, { ...answer, jti }, nowMs),
    );
    return voted.ok ? voted : await this.#afterAll(voted.error, id, approver, answer);
  }

  /** All or none, and each for the arguments it was looked at with. Only what policy lets people answer together. */
  async voteTogether(
    approver: Approver,
    asked: readonly Together[],
    { verdict, reason, channel }: Pick<Answer, "verdict" | "reason" | "channel">,
  ): Promise<Result<readonly Approval[], DeskRefusal>> {
    if (new Set(asked.map(({ id }) => id)).size !== asked.length || asked.length > togetherMax)
      return err({
        kind: "not_together",
        detail: `name at most ${togetherMax} approvals, each once`,
      });
    const stray = asked.find(({ id }) => !isApprovalId(id));
    if (stray !== undefined) return err(unknownId(stray.id));
    const ballots = asked.map(({ id, argsDigest }) => ({
      keys: approvalKeys(id),
      ...{ id, answer: { verdict, reason, channel, argsDigest, jti: this.#newJti() } },
    }));
    const names = ballots.flatMap(({ keys }) => [keys.open, keys.closed]);
    const voted = await this.#state.transact<Result<readonly Approval[], DeskRefusal>>(
      names,
      (values, nowMs) => {
        const all: Approval[] = [];
        for (const { keys, id, answer } of ballots) {
          const found = approvalIn(values, keys);
          const approval = found && presently(found, nowMs);
          const one: Answered =
            approval === undefined
              ? err(unknownId(id))
              : together(approval, approver, answer, nowMs);
          if (!one.ok) return { writes: new Map(), result: one };
          all.push(one.value);
        }
        const writes: StoreWrites = new Map(all.flatMap((each) => [...approvalWrites(each)]));
        return { writes, result: ok(all) };
      },
    );
    return voted.ok ? voted.value : err(storeRefusal(voted.error));
  }

  /** Takes back what was granted and not yet used, or ends a question. Whoever may answer may do so. */
  async revoke(
    approver: Approver,
    id: string,
    { reason, version }: Pick<Answer, "reason" | "version">,
  ): Promise<Answered> {
    return await this.#change(id, (approval, nowMs) => {
      if (reason.trim() === "")
        return err({ kind: "reason_missing", detail: "say why: the reason is recorded and shown" });
      if (!isAsked(approval, approver.groups))
        return err({
          kind: "not_asked",
          detail: `${approver.id} is in none of the groups that may answer ${id}`,
        });
      if (version !== undefined && version !== approval.version) return err(changed(id));
      const after = revoked(approval, `revoked by ${approver.id}: ${reason.trim()}`, nowMs);
      return after === approval
        ? err({
            kind: "closed",
            detail: `${id} is ${approval.state}: there is nothing to take back`,
          })
        : ok(after);
    });
  }

  /** Declines it in favour of other arguments, which are then asked about with this approver's yes. */
  async propose(
    approver: Approver,
    id: string,
    proposal: Pick<Answer, "reason" | "version" | "channel"> & { readonly args: JsonObject },
  ): Promise<Result<Proposed, DeskRefusal>> {
    const found = await this.find(id);
    if (!found.ok) return found;
    const asking = new Proposing(found.value, {
      ...proposal,
      ...{
        id: `apr-${callId(this.#clock.wallMs(), this.#entropy.bytes(10))}`,
        jti: this.#newJti(),
      },
    });
    const newest = await this.#state.read([asking.newest]);
    if (!newest.ok) return err(storeRefusal(newest.error));
    const before = newest.value.get(asking.newest)?.["id"];
    const done = await this.#state.transact(asking.keys(before), (values, nowMs) =>
      asking.change(values, approver, before, nowMs),
    );
    return done.ok ? done.value : err(storeRefusal(done.error));
  }

  async #change(
    id: string,
    next: (approval: Approval, nowMs: number) => Answered,
  ): Promise<Answered> {
    if (!isApprovalId(id)) return err(unknownId(id));
    const keys = approvalKeys(id);
    const done = await this.#state.transact<Answered>([keys.open, keys.closed], (values, nowMs) => {
      const found = approvalIn(values, keys);
      const approval = found && presently(found, nowMs);
      if (approval === undefined) return { writes: new Map(), result: err(unknownId(id)) };
      const after = next(approval, nowMs);
      if (after.ok) return { writes: approvalWrites(after.value), result: after };
      return { writes: new Map(), result: err({ ...after.error, now: approval }) };
    });
    return done.ok ? done.value : err(storeRefusal(done.error));
  }

  /** A store that broke off may have stored the answer, and a second click finds the first: then it is said once more. */
  async #afterAll(
    refusal: DeskRefusal,
    id: string,
    approver: Approver,
    answer: Answer,
  ): Promise<Answered> {
    const now =
      refusal.kind === "store" ? await this.find(id) : refusal.now ? ok(refusal.now) : err(refusal);
    if (!now.ok) return err(refusal);
    const same = now.value.votes.some(
      (each) =>
        each.approver === approver.id &&
        each.verdict === answer.verdict &&
        each.reason === answer.reason.trim(),
    );
    return same ? now : err(refusal);
  }

  #newJti(): string {
    return Buffer.from(this.#entropy.bytes(16)).toString("hex");
  }
}

interface Page {
  readonly approvals: Approval[];
  /** The id that was looked at last. */
  last: string;
  isFull: boolean;
}

function fill(
  page: Page,
  named: readonly { readonly id: string; readonly value: JsonObject }[],
  wanted: {
    readonly states: readonly Approval["state"][];
    readonly countMax: number;
    readonly nowMs: number;
  },
): void {
  for (const { id, value } of named) {
    page.isFull = page.approvals.length >= wanted.countMax;
    if (page.isFull) return;
    page.last = id;
    const approval = readApproval(value);
    const now = approval && presently(approval, wanted.nowMs);
    if (now !== undefined && wanted.states.includes(now.state)) page.approvals.push(now);
  }
}

function cast(
  approval: Approval,
  approver: Approver,
  { argsDigest, ...ballot }: Answer & Ballot,
  nowMs: number,
): Answered {
  if (argsDigest !== undefined && argsDigest !== approval.args_digest)
    return err({
      kind: "other_arguments",
      detail: `${approval.id} is for other arguments than those; look at it again`,
    });
  return vote(approval, approver, ballot, nowMs);
}

function together(
  approval: Approval,
  approver: Approver,
  answer: Answer & Ballot,
  nowMs: number,
): Answered {
  if (approval.batch && approval.risk === "low") return cast(approval, approver, answer, nowMs);
  const why =
    approval.risk === "low" ? "policy wants it looked at" : `its risk is ${approval.risk}`;
  return err({ kind: "not_together", detail: `${approval.id} is answered alone: ${why}` });
}
