/** Entries for people: one line each. */
import type {
  ApprovalEntry,
  BreakerEntry,
  DecisionEntry,
  Entry,
  FailoverEntry,
  IndexedEntry,
  KillEntry,
  OutcomeEntry,
  PermitEntry,
} from "../audit/index.ts";
import { scopeText } from "../limits/index.ts";
import { print } from "./audit-source.ts";

/**
 * One line of JSON: the entry with its index in the log. What a terminal could obey or a reader not see (escape sequences
 * beyond ASCII, text that runs backwards, nothing at all) is written as an escape, which is the same JSON.
 */
export function entryJson({ index, entry }: IndexedEntry): string {
  return JSON.stringify({ index, ...entry }).replace(/\p{C}/gu, (found) =>
    Array.from(
      { length: found.length },
      (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** `outcomes` by call; `unknown` holds the indexes of forwarded calls without one. */
export function printTable(
  entries: readonly IndexedEntry[],
  outcomes: ReadonlyMap<string, string>,
  unknown: ReadonlySet<number>,
): void {
  const rows = entries.map(({ index, entry }) => {
    const outcome = entry.kind === "decision" ? outcomes.get(entry.call) : undefined;
    return row(index, entry, outcome ?? (unknown.has(index) ? "unknown" : "-"));
  });
  const header = ["INDEX", "TIME", "WHAT", "OUTCOME", "AGENT", "TOOL", "CALL", "WHY"];
  const table = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
  );
  for (const cells of table)
    print(
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

function row(index: number, entry: Entry, outcome: string): readonly string[] {
  const start = [String(index), entry.time];
  const cells = [...start, ...columns(entry, outcome)];
  // What an agent sent may hold terminal control characters.
  return cells.map((cell) => cell.replace(/\p{C}/gu, "�"));
}

function killText({ switches }: KillEntry): string {
  if (switches.length === 0) return "nothing is stopped any more";
  return switches
    .map(
      ({ id, mode, scope, by, reason }) =>
        `${id}: ${mode} of ${scopeText(scope)} by ${by}: ${reason}`,
    )
    .join("; ");
}

function approvalText({ votes, because }: ApprovalEntry): string {
  const said = votes.map(
    ({ approver, verdict, channel, reason }) =>
      `${verdict === "approve" ? "approved" : "declined"} by ${approver} (${channel}): ${reason}`,
  );
  return [...said, ...(because === null ? [] : [because])].join("; ");
}

function breakerOf({ upstream, tool }: BreakerEntry): string {
  return tool === null ? upstream : `${upstream}:${tool}`;
}

function breakerText({ state, open_ms: openMs, cause, by }: BreakerEntry): string {
  if (state === "closed") return `closed by ${by}: ${cause}`;
  return `open ${openMs === null ? "until it is reset" : `for ${openMs} ms`} by ${by}: ${cause}`;
}

function outcomeText({ detail, attempts }: OutcomeEntry): string {
  const again = attempts?.map(
    ({ form, outcome }) => `${form === "dry_run" ? "dry run" : "sent"}: ${outcome}`,
  );
  return [detail ?? [], again?.join(", ") ?? []].flat().join("; ");
}

function releasedText(escrow: DecisionEntry["escrow"]): string {
  if (escrow?.step !== "released") return "";
  const { item, attempt, by, reason } = escrow;
  return ` (escrow ${item}, attempt ${attempt}, released by ${by}: ${reason})`;
}

function failoverText({ epoch, about }: FailoverEntry): string {
  const { cause, because, failing } = about;
  const names = Array.isArray(failing) ? failing.map((each) => each?.component).join(", ") : "";
  return [`epoch ${epoch}`, cause ?? [], because ?? [], names === "" ? [] : names]
    .flat()
    .join(", ");
}

function permitText({ epoch, tier, because }: PermitEntry): string {
  return [`epoch ${epoch}`, tier, because ?? []].flat().join(", ");
}

function columns(entry: Entry, outcome: string): readonly string[] {
  switch (entry.kind) {
    case "start":
      return ["start", "-", "-", "-", "-", `${entry.instance}, holdfast ${entry.holdfast}`];
    case "policy":
      return ["policy", "-", "-", "-", "-", entry.policy_version];
    case "kill":
      return ["kill", "-", "-", "-", "-", killText(entry)];
    case "approval":
      return [
        ...[`approval ${entry.state}`, "-", entry.agent_id, entry.tool, entry.approval_id],
        approvalText(entry),
      ];
    case "breaker":
      return ["breaker", entry.state, "-", breakerOf(entry), "-", breakerText(entry)];
    case "escrow":
      return [
        ...[`escrow ${entry.step}`, "-", entry.agent_id, entry.tool, entry.item],
        `${entry.by}: ${entry.reason}`,
      ];
    case "failover":
      return [`failover ${entry.step}`, "-", "-", entry.site, entry.failover, failoverText(entry)];
    case "permit":
      return [
        `permit ${entry.state}`,
        "-",
        "-",
        entry.site,
        entry.failover ?? "-",
        permitText(entry),
      ];
    case "drill": {
      const { step, drill, scenario, verdict, deployment } = entry;
      return [`drill ${step}`, verdict ?? "-", "-", scenario, drill, deployment];
    }
    case "decision": {
      const { escrow, decision, agent_id: agent, tool, call, reason } = entry;
      const word = escrow === undefined || escrow.step === "released" ? decision : "escrowed";
      return [word, outcome, agent, tool, call, reason + releasedText(escrow)];
    }
    case "search": {
      const { call, results, judged } = entry;
      const why = `${results} of ${judged} candidates`;
      return ["search", "-", entry.agent_id, entry.method, call, why];
    }
    case "outcome":
      return ["outcome", entry.outcome, "-", "-", entry.call, outcomeText(entry)];
  }
}
