/**
 * Grants that calls of an earlier run held when it died. The log says what became of those calls: no decision in it means
 * that nothing was sent, and the grant is good again; a decision without an outcome means that nobody knows.
 */
import { approvalKeys, claimsPrefix } from "../../approvals/index.ts";
import type { CallOutcome } from "../../audit/index.ts";
import type { Result } from "../../kernel/index.ts";
import type { Log } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";
import { settling } from "./approvals.ts";

export interface RecoverParts {
  readonly state: SharedState;
  readonly log: Log;
  readonly instance: string;
  readonly run: string;
  /** What the log of this instance says of these calls: absent for one that was never decided. */
  readonly fateOf: (
    calls: ReadonlySet<string>,
  ) => Promise<Result<ReadonlyMap<string, CallOutcome>, string>>;
}

const page = 500;

interface LeftClaim {
  readonly key: string;
  readonly id: string;
  readonly call: string;
}

/** What cannot be reached stays claimed, so that nobody can use it, and is left for the next start. */
export async function recoverClaims(parts: RecoverParts): Promise<void> {
  const left = await leftClaims(parts);
  if (left.length === 0) return;
  const fates = await parts.fateOf(new Set(left.map(({ call }) => call)));
  if (!fates.ok) return;
  for (const each of left) await settle(parts, each, fates.value.get(each.call) ?? "not_sent");
}

async function leftClaims({ state, log, instance, run }: RecoverParts): Promise<LeftClaim[]> {
  const prefix = claimsPrefix(instance);
  const left: LeftClaim[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const listed = await state.list(prefix, page, after);
    if (!listed.ok) {
      log.write("error", "claims_not_recovered", { ...listed.error });
      return left;
    }
    for (const { key, value } of listed.value) {
      const { call, run: held } = value;
      if (held !== run && typeof call === "string")
        left.push({ key, call, id: key.slice(prefix.length) });
    }
    after = listed.value.length < page ? undefined : listed.value.at(-1)?.key;
  }
  return left;
}

async function settle(
  { state, log }: RecoverParts,
  { key: claim, id, call }: LeftClaim,
  outcome: CallOutcome,
): Promise<void> {
  const { open, closed } = approvalKeys(id);
  const done = await state.transact([open, closed, claim], (values, nowMs) =>
    settling(values, nowMs, { id, call, outcome, claim }),
  );
  const fields = { approval: id, call, outcome };
  if (done.ok) log.write("warn", "claim_recovered", fields);
  else log.write("error", "claim_not_recovered", { ...fields, ...done.error });
}
