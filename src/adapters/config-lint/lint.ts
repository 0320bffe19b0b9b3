/** Which traps a configuration holds: by what stands in the file, not by its name. */
import {
  type Diagnostic,
  parseForeignYaml,
  type SourceNode,
  sortDiagnostics,
} from "../../policy/index.ts";
import { at, entryOf } from "../source-tree/index.ts";
import { lintAgentAnswer } from "./agent-answer.ts";
import { isEnvoy, lintEnvoy } from "./envoy.ts";
import { lintHaproxy } from "./haproxy.ts";
import { lintNginx } from "./nginx.ts";
import { lintPatroni } from "./patroni.ts";
import { lintPowerdns } from "./powerdns.ts";

export type LintedKind = "haproxy" | "patroni" | "envoy" | "powerdns" | "nginx" | "agent";

const linters: Readonly<Record<LintedKind, (file: string, text: string) => readonly Diagnostic[]>> =
  {
    haproxy: lintHaproxy,
    patroni: lintPatroni,
    envoy: lintEnvoy,
    powerdns: lintPowerdns,
    nginx: lintNginx,
    agent: lintAgentAnswer,
  };

export const lintedKinds = Object.keys(linters) as readonly LintedKind[];

/**
 * Every trap, in the order of the file. A line `holdfast:allow <trap> <reason>` in a comment, on the line of a trap or on
 * the one before it, makes that trap a warning that carries the reason.
 */
export function lintConfig(file: string, text: string, kind: LintedKind): readonly Diagnostic[] {
  const lines = text.split("\n");
  const judged = linters[kind](file, text).map((trap): Diagnostic => {
    const reason = allowance(lines, trap);
    if (reason === undefined) return trap;
    return { ...trap, severity: "warning", message: `${trap.message} (allowed: ${reason})` };
  });
  return sortDiagnostics(judged);
}

function allowance(lines: readonly string[], { line, code }: Diagnostic): string | undefined {
  for (const text of [lines[line - 1], lines[line - 2]]) {
    const [, name, reason] = /holdfast:allow\s+([\w-]+)\s+(\S.*)$/.exec(text ?? "") ?? [];
    if (name === code) return reason?.trim();
  }
  return undefined;
}

/** Undefined when it is none of them. */
export function lintedKindOf(file: string, text: string): LintedKind | undefined {
  if (/^(?:backend|frontend|listen|defaults|global)\b/m.test(text) && !/[;{]\s*$/m.test(text))
    return "haproxy";
  if (/\bLUA\b.*["'(]|^\s*(?:launch|enable-lua-records|dnsupdate)\s*=/m.test(text))
    return "powerdns";
  if (/^#!/.test(text) || /\.(?:sh|py|js|ts|pl|rb|lua|go)$/.test(file)) return "agent";
  if (/^\s*(?:server|http|location|upstream)\b[^;:]*\{/m.test(text)) return "nginx";
  const { roots } = parseForeignYaml(file, text);
  if (roots.some(isEnvoy)) return "envoy";
  return roots.some(isPatroni) ? "patroni" : undefined;
}

function isPatroni(root: SourceNode): boolean {
  const own = ["scope", "loop_wait", "synchronous_mode", "slots", "ttl"];
  const gate = at(root, "postgresql", "pre_promote");
  return gate !== undefined || own.some((key) => entryOf(root, key) !== undefined);
}
