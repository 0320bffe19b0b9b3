/** What stops a call whatever policy says, in the words of the answer and the record. */
import { type Switch, scopeText } from "../limits/index.ts";
import type { Verdict } from "../policy/index.ts";
import type { RefusalCode } from "./call.ts";

/** Why a call must not be forwarded. */
export type Hold =
  | { readonly kind: "paused" | "dry_run"; readonly by: Switch }
  | { readonly kind: "kill_state_unknown"; readonly detail: string };

export function holdCode({ kind }: Hold): RefusalCode {
  return kind;
}

/** One sentence for the answer and the record. */
export function holdReason(hold: Hold): string {
  switch (hold.kind) {
    case "paused":
      return `paused by ${hold.by.by} (kill switch ${hold.by.id}, ${scopeText(hold.by.scope)}): ${hold.by.reason}`;
    case "dry_run":
      return `dry run by ${hold.by.by} (kill switch ${hold.by.id}, ${scopeText(hold.by.scope)}): ${hold.by.reason}`;
    case "kill_state_unknown":
      return `the state of the kill switch is not known, so nothing is written: ${hold.detail}`;
  }
}

/** The verdict in the record of a call that was stopped before policy was asked. */
export function heldVerdict(hold: Hold): Verdict {
  return {
    outcome: "deny",
    reason: holdReason(hold),
    determiningRules: [],
    indeterminate: [],
    obligations: [],
    opened: false,
  };
}
