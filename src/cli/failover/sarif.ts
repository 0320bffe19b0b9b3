/** Findings as SARIF 2.1.0 (OASIS), which code hosts show beside the lines. */
import { traps } from "../../adapters/config-lint/index.ts";
import type { Diagnostic } from "../../policy/index.ts";

/** One run of one tool; the same findings give the same text. */
export function sarifOf(findings: readonly Diagnostic[], version: string): object {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "holdfast", version, rules: codes.map(ruleOf) } },
        results: findings.map((finding) => resultOf(finding, codes)),
        columnKind: "utf16CodeUnits",
      },
    ],
  };
}

function ruleOf(id: string): object {
  const trap = Object.entries(traps).find(([name]) => name === id)?.[1];
  if (trap === undefined) return { id };
  return {
    id,
    shortDescription: { text: trap.why },
    help: { text: trap.fix },
    defaultConfiguration: { level: trap.severity },
  };
}

function resultOf(finding: Diagnostic, codes: readonly string[]): object {
  const { code, severity, message, hint, nearest, file, line, column } = finding;
  const meant = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  const text = `${message}${meant}${hint === undefined ? "" : `\n${hint}`}`;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: line, startColumn: column },
        },
      },
    ],
  };
}

/** A path as a relative URI reference (RFC 3986). */
function uriOf(file: string): string {
  return file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
}
