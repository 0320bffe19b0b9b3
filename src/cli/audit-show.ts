/** `holdfast audit show` */
import { type Entry, type IndexedEntry, verifyLog } from "../audit/index.ts";
import { complain, exit, openSource, print } from "./audit-source.ts";
import { entryJson, printTable } from "./audit-table.ts";

export interface ShowOptions {
  readonly key?: string;
  readonly call?: string;
  readonly agent?: string;
  readonly tool?: string;
  readonly decision?: string;
  readonly unknown?: boolean;
  readonly json?: boolean;
}

export async function show(folder: string, options: ShowOptions): Promise<number> {
  const source = await openSource(folder, options.key);
  if (!source.ok) {
    complain(`error: ${source.error}`);
    return exit.usage;
  }
  const found: IndexedEntry[] = [];
  const outcomes = new Map<string, string>();
  const report = await verifyLog({
    ...source.value,
    onEntry: (index, _leaf, entry) => {
      if (entry?.kind === "outcome") outcomes.set(entry.call, entry.outcome);
      if (entry && isWanted(entry, options)) found.push({ index, entry });
    },
  });
  const unknown = new Set([...report.unknownCalls, ...report.openCalls].map(({ index }) => index));
  const wanted = options.unknown ? found.filter(({ index }) => unknown.has(index)) : found;
  if (options.json) for (const each of wanted) print(entryJson(each));
  else printTable(wanted, outcomes, unknown);
  if (report.ok) return exit.ok;
  const worst = report.findings.find(({ severity }) => severity === "tampered");
  complain(`${worst ? "NOT VERIFIED" : "unreadable"}: ${(worst ?? report.findings[0])?.message}`);
  complain("run `holdfast audit verify` for all findings");
  return worst ? exit.tampered : exit.usage;
}

/** A call that was held back has entries of its own later: what people said, and each time it was tried. */
function isAbout(entry: Entry, call: string): boolean {
  if ("call" in entry && entry.call === call) return true;
  if (entry.kind === "decision") return entry.escrow?.item === call;
  return entry.kind === "escrow" && entry.item === call;
}

function isWanted(entry: Entry, { call, agent, tool, decision }: ShowOptions): boolean {
  if (call !== undefined && !isAbout(entry, call)) return false;
  if (agent === undefined && tool === undefined && decision === undefined) return true;
  // A search names no tool and decides nothing; it tells of the agent that asked.
  if (entry.kind === "search")
    return tool === undefined && decision === undefined && entry.agent_id === agent;
  if (entry.kind !== "decision") return false;
  return (
    (agent === undefined || entry.agent_id === agent) &&
    (tool === undefined || entry.tool === tool) &&
    (decision === undefined || entry.decision === decision)
  );
}
