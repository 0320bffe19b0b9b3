/**
 * What the entries say of each call: a decision before anything is forwarded, one outcome after. Fed in log order;
 * remembers only calls that are still open, and every call id once.
 */
import type { DecisionEntry, DigestEntry, Entry, OutcomeEntry } from "./entry.ts";

export interface CallComplaint {
  readonly index: number;
  readonly message: string;
}

/** Faces that answer with the decision alone: nothing is forwarded. */
const decisionFaces: readonly string[] = ["authzen", "opa"];

/** Whether a decision lets something leave, so that an outcome must follow. */
function isForwarded({ face, decision }: DecisionEntry): boolean {
  return !decisionFaces.includes(face) && (decision === "allow" || decision === "sanitize");
}

/** A forwarded call without an outcome. */
export interface OpenCall {
  readonly call: string;
  readonly index: number;
  readonly agentId: string;
  readonly tool: string;
}

export class CallTrail {
  readonly #open = new Map<string, OpenCall>();
  readonly #unknown = new Map<string, OpenCall>();
  /** The index of the decision of every call seen. */
  readonly #decided = new Map<string, number>();

  /** Takes the next entry; what is wrong with it, if anything. */
  next(index: number, entry: Entry | DigestEntry): readonly CallComplaint[] {
    switch (entry.kind) {
      case "start":
        return this.#start();
      case "decision":
        return this.#decision(index, entry);
      case "outcome":
        return this.#outcome(index, entry);
      case "policy":
      case "search":
      case "kill":
      case "approval":
      case "breaker":
      case "escrow":
      case "failover":
      case "permit":
      case "drill":
      case "digest":
        return [];
    }
  }

  /** Calls of earlier runs whose effect is unknown: no outcome came before the run ended. */
  get unknown(): readonly OpenCall[] {
    return [...this.#unknown.values()];
  }

  /** Calls of the current run that have no outcome yet. */
  get open(): readonly OpenCall[] {
    return [...this.#open.values()];
  }

  #start(): readonly CallComplaint[] {
    for (const [call, open] of this.#open) this.#unknown.set(call, open);
    this.#open.clear();
    return [];
  }

  #decision(index: number, entry: DecisionEntry): readonly CallComplaint[] {
    const { call, agent_id: agentId, tool } = entry;
    const earlier = this.#decided.get(call);
    if (earlier !== undefined)
      return [{ index, message: `call ${call} was already decided by entry ${earlier}` }];
    this.#decided.set(call, index);
    if (isForwarded(entry)) this.#open.set(call, { call, index, agentId, tool });
    return [];
  }

  #outcome(index: number, entry: OutcomeEntry): readonly CallComplaint[] {
    const { call, decision_index: named } = entry;
    const decided = this.#decided.get(call);
    if (decided === undefined)
      return [{ index, message: `outcome of call ${call}, which no entry decided` }];
    const wasOpen = this.#open.delete(call);
    // A later run may settle what it found unknown.
    const wasUnknown = this.#unknown.delete(call);
    if (!wasOpen && !wasUnknown)
      return [{ index, message: `a second outcome of call ${call}, or one of a refused call` }];
    if (named !== decided)
      return [
        { index, message: `names decision ${named}; call ${call} was decided by ${decided}` },
      ];
    return [];
  }
}
