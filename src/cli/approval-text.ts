/** Approvals as people read them in a shell. */
import type { Approval } from "../approvals/index.ts";

/** Rows of a table, its head first. */
export function approvalRows(
  approvals: readonly Approval[],
  nowMs: number,
): readonly (readonly string[])[] {
  const rows = approvals.map((each) => [
    each.id,
    each.state,
    each.risk,
    each.agent,
    each.tool,
    untilText(each, nowMs),
    needsText(each),
    each.reason,
  ]);
  return [["APPROVAL", "STATE", "RISK", "AGENT", "TOOL", "UNTIL", "NEEDS", "WHY"], ...rows];
}

/** Everything that is known of one. */
export function approvalLines(approval: Approval): readonly string[] {
  const { grant, claim, superseded_by: other } = approval;
  const facts: readonly (readonly [string, string | null])[] = [
    ["approval", approval.id],
    ["state", approval.state],
    ["agent", [approval.agent, ...approval.delegation].join(", acting for ")],
    ["model", approval.model],
    ["principal", approval.principal],
    ["tenant", approval.tenant],
    ["tool", `${approval.tool} (${approval.effect}, risk ${approval.risk})`],
    ["arguments", JSON.stringify(approval.args_redacted)],
    ["digest", approval.args_digest],
    ["cost", `${approval.cost_estimate_micro_usd / 1_000_000} USD (estimate)`],
    ["rules", approval.determining_rules.join(", ")],
    ["reason", approval.reason],
    ["policy", approval.policy_version],
    ["asked", `${iso(approval.asked_ms)}, ${approval.asks} times, by gateway ${approval.instance}`],
    ["until", approval.expires_ms === null ? "for ever" : iso(approval.expires_ms)],
    ["needs", needsText(approval)],
    [
      "granted",
      grant === null ? null : `${iso(grant.at_ms)}, to be used until ${iso(grant.expires_ms)}`,
    ],
    ["used by", claim === null ? null : `call ${claim.call} at ${claim.instance}`],
    ["ended", approval.closed_because],
    ["instead", other === undefined ? null : `${other.id}: ${JSON.stringify(other.args)}`],
    [
      "mind",
      approval.after_unknown === null
        ? null
        : `${approval.after_unknown} approved the same before, and may have taken effect`,
    ],
  ];
  const votes = approval.votes.map(
    (each) =>
      `${each.verdict === "approve" ? "yes" : "no"} from ${each.approver} (${each.channel}, ${iso(each.at_ms)}): ${each.reason}`,
  );
  return [
    ...facts.flatMap(([name, value]) =>
      value === null ? [] : [`${`${name}:`.padEnd(11)}${value}`],
    ),
    ...votes,
  ].map((line) => line.replace(/\p{C}/gu, "�"));
}

function needsText({ requirements }: Approval): string {
  return requirements
    .map(({ groups, count }) => `${count} of ${groups.length === 0 ? "anybody" : groups.join("|")}`)
    .join(", ");
}

function untilText({ state, expires_ms: expires, grant }: Approval, nowMs: number): string {
  const end = state === "granted" && grant !== null ? grant.expires_ms : expires;
  if (state !== "pending" && state !== "granted") return "-";
  if (end === null) return "for ever";
  const left = Math.max(0, Math.round((end - nowMs) / 1_000));
  return `${Math.floor(left / 60)} min ${left % 60} s`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
