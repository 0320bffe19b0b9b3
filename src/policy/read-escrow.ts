/** `escrow:` of a policy folder: writes that are held back for people, and which of them holds a call. */
import type { Catalog } from "./catalog.ts";
import type { Engine } from "./decision.ts";
import type { Position, Problem } from "./diagnostic.ts";
import { anyGlob } from "./glob.ts";
import type { EscrowRule } from "./ir.ts";
import { readMatch } from "./read-match.ts";
import type { SourceEscrow, SourceFile } from "./source.ts";

interface InFile {
  readonly file: string;
  readonly source: SourceFile;
  report(at: Position, problem: Problem): void;
}

/** By place, so that the order of files means nothing. What is wrong is reported. */
export function readEscrow(sources: readonly InFile[], catalog: Catalog): readonly EscrowRule[] {
  return sources
    .flatMap((file) =>
      (file.source.escrow ?? []).flatMap((source) => readOne(file, source, catalog) ?? []),
    )
    .sort((a, b) => (a.source < b.source ? -1 : 1));
}

function readOne(file: InFile, source: SourceEscrow, catalog: Catalog): EscrowRule | undefined {
  const effect = source.match?.effect;
  if (effect !== undefined)
    file.report(effect.at, {
      code: "choice",
      message: "an escrow holds back writes and lets reads pass: effect does not go with it",
    });
  const { agents, tools } = readMatch(source.match, catalog, file.report);
  if (!source.reason) return undefined;
  return {
    match: { ...(agents ? { agents } : {}), ...(tools ? { tools } : {}) },
    reason: source.reason.value,
    source: `${file.file}:${source.at.line}`,
  };
}

/** The first that fits the tool and any agent of the chain. */
export function escrowMatcher(rules: readonly EscrowRule[]): Engine["escrowOf"] {
  const compiled = rules.map((rule) => ({
    rule,
    fitsAgent: anyGlob(rule.match.agents),
    fitsTool: anyGlob(rule.match.tools),
  }));
  return (agents, tool) =>
    compiled.find((each) => each.fitsTool(tool) && agents.some(each.fitsAgent))?.rule;
}
