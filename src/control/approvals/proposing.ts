/** One transaction that puts a question about other arguments into the place of one that is declined. */
import {
  type Approval,
  type Approver,
  approvalIn,
  approvalKeys,
  approvalWrites,
  isApprovalId,
  isClosed,
  newestKey,
  type Proposal,
  type Proposed,
  presently,
  proposed,
  unrecordedPrefix,
} from "../../approvals/index.ts";
import { digestOf, err, type JsonValue, ok, type Result } from "../../kernel/index.ts";
import type { StoredValues } from "../../ports.ts";
import type { StateChange } from "../../state/index.ts";
import { changed, type DeskRefusal, unknownId } from "./refusal.ts";

type Came = StateChange<Result<Proposed, DeskRefusal>>;

export class Proposing {
  /** Holds the id of the newest approval of the action with the new arguments. */
  readonly newest: string;
  readonly #asked: Approval;
  readonly #proposal: Proposal;
  readonly #unrecorded: string;

  constructor(asked: Approval, proposal: Proposal) {
    this.newest = newestKey({ ...asked, args_digest: digestOf(proposal.args) });
    this.#asked = asked;
    this.#proposal = proposal;
    this.#unrecorded = unrecordedPrefix(asked.instance) + proposal.id;
  }

  /** `before`: what the newest key held; the approval it names must not be open. */
  keys(before: JsonValue | undefined): readonly string[] {
    const ids = [this.#asked.id, this.#proposal.id, ...idsIn(before)].map(approvalKeys);
    return [...ids.flatMap(({ open, closed }) => [open, closed]), this.newest, this.#unrecorded];
  }

  change(
    values: StoredValues,
    approver: Approver,
    before: JsonValue | undefined,
    nowMs: number,
  ): Came {
    const { id } = this.#asked;
    const stored = approvalIn(values, approvalKeys(id));
    if (stored === undefined) return refused(unknownId(id));
    const now = presently(stored, nowMs);
    if (values.get(this.newest)?.["id"] !== before) return refused({ ...changed(id), now });
    const done = proposed(now, approver, this.#proposal, nowMs);
    if (!done.ok) return refused({ ...done.error, now });
    const other = this.#openAlready(values, before, nowMs);
    if (other !== undefined)
      return refused({
        kind: "asked_already",
        detail: `these arguments are asked about already: ${other.id} is ${other.state}`,
        now,
      });
    const { declined, instead } = done.value;
    const writes = new Map([...approvalWrites(declined), ...approvalWrites(instead)]);
    writes.set(this.newest, { id: instead.id });
    // The gateway that asked records what becomes of it, as of any question of its own.
    writes.set(this.#unrecorded, { state: "pending" });
    return { writes, result: ok(done.value) };
  }

  #openAlready(
    values: StoredValues,
    before: JsonValue | undefined,
    nowMs: number,
  ): Approval | undefined {
    const [id] = idsIn(before);
    const stored = id === undefined ? undefined : approvalIn(values, approvalKeys(id));
    const now = stored && presently(stored, nowMs);
    return now === undefined || isClosed(now) ? undefined : now;
  }
}

function idsIn(before: JsonValue | undefined): readonly string[] {
  return typeof before === "string" && isApprovalId(before) ? [before] : [];
}

function refused(refusal: DeskRefusal): Came {
  return { writes: new Map(), result: err(refusal) };
}
