/**
 * The gate of read-only escrow. Reads pass. A write that policy lets through is put into the queue instead of being
 * forwarded, and its agent is told so; nothing in the queue is carried out unless a person says so.
 */

import type { EntryOrigin } from "../../audit/index.ts";
import { type Cause, type EscrowBounds, hold, holdKeys } from "../../escrow/index.ts";
import { splitToolId, type ToolId } from "../../kernel/index.ts";
import { scopeText } from "../../limits/index.ts";
import type { Log, Telemetry } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { type Entered, type Gate, lets, turnedAway } from "../admit.ts";
import { queuedNext, refusalOf } from "../answer.ts";
import { type Hold, holdReason } from "../hold.ts";
import type { Asked, Judgement } from "../judge.ts";
import type { KillWatch } from "../kill-watch.ts";
import { draftOf } from "./held-call.ts";

export interface EscrowGateParts {
  readonly state: SharedState;
  readonly kill: Pick<KillWatch, "escrow">;
  /** The open breaker of a tool, where writes are to be held back for as long as it is open. */
  readonly breaker: (tool: ToolId) => Hold | undefined;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly origin: EntryOrigin;
  readonly bounds: EscrowBounds;
  /** Those that some gateway of this configuration can send held writes to. */
  readonly upstreams: ReadonlySet<string>;
}

export class EscrowGate implements Gate {
  readonly #parts: EscrowGateParts;

  constructor(parts: EscrowGateParts) {
    this.#parts = parts;
  }

  async enter(asked: Asked, judgement: Judgement, decisionOnly: boolean): Promise<Entered> {
    if (!lets(judgement)) return { judgement };
    const cause = this.#cause(asked) ?? this.#brokenCause(asked);
    const held =
      cause === undefined ? undefined : await this.hold(asked, judgement, decisionOnly, cause);
    return held ?? { judgement };
  }

  answer(asked: Asked): Hold | undefined {
    const cause = isHoldable(asked) ? this.#cause(asked) : undefined;
    return cause === undefined ? undefined : { kind: "read_only", detail: cause.text };
  }

  /** Held back since it was judged: it is not queued now, so that nothing is queued that was recorded as allowed. */
  recheck(asked: Asked): Hold | undefined {
    const cause = isHoldable(asked) ? this.#cause(asked) : undefined;
    if (cause === undefined) return undefined;
    return { kind: "read_only", detail: `${cause.text} (since this call was decided)` };
  }

  /**
   * Holds the call back for this cause; also for other gates that will not let it through. Undefined for a read, and for
   * a write that people have let go: whoever asks decides about those.
   */
  async hold(
    asked: Asked,
    judgement: Judgement,
    decisionOnly: boolean,
    cause: Cause,
  ): Promise<Entered | undefined> {
    if (!isHoldable(asked)) return undefined;
    const { state, origin, bounds, upstreams, log } = this.#parts;
    const { later } = asked.request;
    const { server } = splitToolId(asked.tool.id);
    const why = decisionOnly
      ? `${cause.text}; whoever asks only for a decision is told no, and nothing is queued`
      : `${cause.text}; this call cannot be sent at another time, so it is not queued`;
    if (decisionOnly || later === undefined || !upstreams.has(server))
      return turnedAway(asked, { kind: "read_only", detail: why });
    const draft = draftOf(asked, judgement, later(asked.callId), cause, origin.instance);
    const done = await state.transact(holdKeys(draft), (values, nowMs) =>
      hold(values, draft, bounds, nowMs),
    );
    if (!done.ok) {
      log.write("error", "escrow_not_reached", { call: asked.callId, ...done.error });
      const detail = `${cause.text}; the store is ${done.error.kind}: ${done.error.detail}`;
      return turnedAway(asked, { kind: "escrow_unknown", detail });
    }
    const held = done.value;
    this.#told(asked, server, held.kind);
    if (held.kind === "full")
      return turnedAway(asked, { kind: "escrow_full", detail: `${cause.text}; ${held.detail}` });
    return held.kind === "queued"
      ? { judgement: heldBack(asked, judgement, held.item.id, cause.text) }
      : { judgement: heldBack(asked, judgement, held.id, cause.text, held.asks) };
  }

  #cause({ request, tool, engine }: Asked): Cause | undefined {
    const by = this.#parts.kill.escrow(request, tool);
    if (by !== undefined) {
      const text = `read-only by ${by.by} (${by.id}, ${scopeText(by.scope)}): ${by.reason}`;
      return { by: "switch", text };
    }
    const { agent, delegation } = request.identity;
    const rule = engine?.escrowOf([agent, ...delegation], tool.id);
    if (rule === undefined) return undefined;
    return { by: "policy", text: `read-only by policy (${rule.source}): ${rule.reason}` };
  }

  #brokenCause({ tool }: Asked): Cause | undefined {
    const hold = this.#parts.breaker(tool.id);
    return hold === undefined ? undefined : { by: "breaker", text: holdReason(hold) };
  }

  #told({ callId, request, tool }: Asked, upstream: string, held: string): void {
    this.#parts.telemetry.count("escrow_writes", { upstream, held });
    const { agent } = request.identity;
    this.#parts.log.write("info", "write_held_back", { call: callId, agent, tool: tool.id, held });
  }
}

function isHoldable({ tool, request }: Asked): boolean {
  return tool.effect === "write" && request.released === undefined;
}

/** Recorded with the rules that would have let it through; `asks` when it was held before. */
function heldBack(
  asked: Asked,
  { obliged, approvalId }: Judgement,
  item: string,
  cause: string,
  asks?: number,
): Judgement {
  const reason =
    asks === undefined
      ? `held back as ${item}: ${cause}`
      : `the same write is held back already as ${item} and will be executed once at most (asked ${asks} times): ${cause}`;
  const { determiningRules } = obliged.verdict;
  return {
    obliged: { ...obliged, verdict: { ...obliged.verdict, outcome: "deny", reason } },
    approvalId,
    decision: {
      ...refusalOf("escrowed", asked, reason),
      ...(approvalId === null ? {} : { approval_id: approvalId }),
      determining_rules: determiningRules,
      escrow_id: item,
      next: queuedNext(item),
    },
    escrow: { step: asks === undefined ? "held" : "held_already", item },
  };
}
