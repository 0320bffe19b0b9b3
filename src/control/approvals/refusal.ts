/** Why an answer was not taken, as values. */
import type { Approval, ProposalRefusal, VoteRefusal } from "../../approvals/index.ts";
import type { StateError } from "../../state/index.ts";

type OwnRefusal = "not_found" | "not_together" | "other_arguments" | "asked_already" | "store";

/** `not_found`: there never was such an approval, or it was swept. `store`: nothing is known to have changed. */
export interface DeskRefusal {
  readonly kind: VoteRefusal["kind"] | ProposalRefusal["kind"] | OwnRefusal;
  readonly detail: string;
  /** The approval as it is now, when there is one. */
  readonly now?: Approval;
}

export function changed(id: string): DeskRefusal {
  return { kind: "changed", detail: `${id} has changed since it was shown; look at it again` };
}

export function unknownId(id: string): DeskRefusal {
  return {
    kind: "not_found",
    detail: `there is no approval ${id}; ended ones are kept for 30 days`,
  };
}

export function storeRefusal({ kind, detail }: StateError): DeskRefusal {
  return {
    kind: "store",
    detail:
      kind === "unknown"
        ? `the store broke off, so this may or may not be stored; look again (${detail})`
        : `the store is ${kind}; nothing has changed (${detail})`,
  };
}
