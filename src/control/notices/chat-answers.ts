/**
 * Answers that come back by a channel. Who answers there counts only as the approver that the configuration maps the
 * outside identity to; everything else is what it is anywhere: one vote each, never the requester's, on exactly the
 * version and the arguments that were shown.
 */
import { type Approval, type Approver, type Vote, vote } from "../../approvals/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { BoundAnswer, Notice } from "../../ports.ts";
import type { SharedState, StateError } from "../../state/index.ts";
import type { ApprovalDesk } from "../approvals/index.ts";
import { digestNotice, questionNotice } from "./notice-of.ts";
import { type Freshness, freshness } from "./seen.ts";

export interface ChatAnswersParts {
  readonly state: SharedState;
  readonly desk: ApprovalDesk;
  /** By what each is called at the channels: `slack` and a member id, `teams` and an object id, `id`. */
  readonly approvers: ReadonlyMap<string, Approver>;
  /** `approvals.url` */
  readonly pageUrl: string;
}

/** How approvers are named in `ChatAnswersParts.approvers`. */
export function outsideName(kind: OutsideKind, name: string): string {
  return `${kind} ${name}`;
}

export type OutsideKind = "slack" | "teams" | "id";

export interface GivenAnswer {
  readonly on: readonly BoundAnswer[];
  readonly verdict: Vote["verdict"];
  readonly reason: string;
  /** `slack`, `teams`, `webhook`. */
  readonly channel: string;
}

/** A sentence for whoever answered. */
export interface AnswerRefusal {
  readonly kind: "not_mapped" | "nothing_asked" | "refused" | "store";
  readonly detail: string;
}

export type AnswerOutcome = Result<readonly Approval[], AnswerRefusal>;

export class ChatAnswers {
  readonly #parts: ChatAnswersParts;

  constructor(parts: ChatAnswersParts) {
    this.#parts = parts;
  }

  approver(kind: OutsideKind, name: string): Result<Approver, AnswerRefusal> {
    const found = this.#parts.approvers.get(outsideName(kind, name));
    if (found !== undefined) return ok(found);
    return err({
      kind: "not_mapped",
      detail: `You are ${name} here, and no approver is. Whoever runs Holdfast adds "${kind}: ${name}" to your entry in approvals.approvers of holdfast.yaml; until then your answer does not count.`,
    });
  }

  /** Whether this signed request counts: each once, and none that is older than five minutes. */
  freshness(name: string, signedMs: number): Promise<Result<Freshness, StateError>> {
    return freshness(this.#parts.state, name, signedMs);
  }

  /** The approvals as they are now, if this approver could answer them at this moment. Changes nothing. */
  async look(approver: Approver, on: readonly BoundAnswer[]): Promise<AnswerOutcome> {
    const found: Approval[] = [];
    for (const { approval: id, version } of on) {
      const one = await this.#parts.desk.find(id);
      if (!one.ok) return err(refusalOf(one.error));
      const trial = { verdict: "approve", reason: "-", channel: "-", version, jti: "-" } as const;
      const tried = vote(one.value, approver, trial, one.value.asked_ms);
      if (!tried.ok) return err({ kind: "refused", detail: tried.error.detail });
      found.push(one.value);
    }
    return found.length === 0 ? err(nothingAsked) : ok(found);
  }

  /** What is shown to somebody who is about to answer these. */
  noticeOf(approvals: readonly Approval[]): Notice {
    const shown = { pageUrl: this.#parts.pageUrl, turn: [], eligible: [] };
    const [first, ...others] = approvals;
    return first === undefined || others.length > 0
      ? digestNotice("answer", approvals, shown)
      : questionNotice(first, shown);
  }

  /** One decision, on one approval or on several that policy lets people answer together: all of them or none. */
  async answer(approver: Approver, given: GivenAnswer): Promise<AnswerOutcome> {
    const { desk } = this.#parts;
    const { on, verdict, reason, channel } = given;
    const [first, ...others] = on;
    if (first === undefined) return err(nothingAsked);
    if (others.length > 0) {
      const together = await desk.voteTogether(
        approver,
        on.map(({ approval, argsDigest }) => ({ id: approval, argsDigest })),
        { verdict, reason, channel },
      );
      return together.ok ? together : err(refusalOf(together.error));
    }
    const { approval: id, version, argsDigest } = first;
    const voted = await desk.vote(approver, id, { verdict, reason, channel, version, argsDigest });
    return voted.ok ? ok([voted.value]) : err(refusalOf(voted.error));
  }

  /** The approval as it is shown now, for channels where people name it in words. */
  async find(id: string): Promise<Result<Approval, AnswerRefusal>> {
    const found = await this.#parts.desk.find(id);
    return found.ok ? found : err(refusalOf(found.error));
  }
}

const nothingAsked: AnswerRefusal = {
  kind: "nothing_asked",
  detail: "there is nothing to answer here any more",
};

function refusalOf({ kind, detail }: { kind: string; detail: string }): AnswerRefusal {
  return { kind: kind === "store" ? "store" : "refused", detail };
}
