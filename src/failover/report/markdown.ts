/** The report as Markdown. Whatever comes from evidence is escaped: it is text, never markup. */
import type { EvidenceRef } from "../evidence/index.ts";
import type { Report, ReportLine, Tolerance } from "./report.ts";

export const statusText: Readonly<Record<ReportLine["status"], string>> = {
  supported: "supported",
  contradicted: "CONTRADICTED",
  no_evidence: "no evidence",
};

export const toleranceText: Readonly<Record<Tolerance["name"], string>> = {
  governance_recovery: "Governance recovery time (GRT)",
  application_recovery: "Application recovery time (RTO)",
  remediation: "Remediation",
  drill_interval: "Time between drills",
};

export const caveat =
  "This report says what signed evidence shows. It does not say that a law is complied with: that is for whoever knows the whole of the matter.";

export function reportMarkdown(report: Report): string {
  const { deployment, tenant, as_of, failovers, drills } = report;
  const lines = [
    `# Failover governance of ${escaped(deployment)}`,
    "",
    `Tenant ${escaped(tenant)}, manifest version ${report.manifest_version} (\`${escaped(report.manifest_digest)}\`), as of ${escaped(as_of)}: ${failovers} failovers, ${drills} drills.`,
    "",
    caveat,
    "",
    "## Impact tolerances",
    "",
    "| | declared | worst measured | within |",
    "|---|---|---|---|",
    ...report.tolerances.map(
      (each) =>
        `| ${toleranceText[each.name]} | ${each.declared} ${each.unit} | ${measured(each)} | ${within(each)} |`,
    ),
  ];
  for (const { title, lines: clauses, not_applicable: reason } of report.regulations) {
    lines.push("", `## ${escaped(title)}`, "");
    if (reason !== null) lines.push(`Not applicable: ${escaped(reason)}.`);
    for (const each of clauses) lines.push(...clauseLines(each), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

export function measured({ worst, unit }: Tolerance): string {
  return worst === null ? "nothing measured" : `${worst} ${unit}`;
}

export function within({ within: is }: Tolerance): string {
  return is === null ? "-" : is ? "yes" : "NO";
}

function clauseLines(line: ReportLine): readonly string[] {
  const { clause, about, status, requirements, evidence, components, weaknesses } = line;
  return [
    `### ${escaped(clause)}: ${statusText[status]}`,
    "",
    `${escaped(about)}.`,
    "",
    ...(requirements.length === 0 ? [] : [`- Shown by: ${requirements.join(", ")}`]),
    ...(components.length === 0 ? [] : [`- Components: ${components.map(escaped).join(", ")}`]),
    ...evidence.map((ref) => `- Evidence: ${escaped(refText(ref))}`),
    ...weaknesses.map((each) => `- Weakness: ${escaped(each)}`),
    `- Not covered: ${escaped(line.not_covered)}`,
  ];
}

export function refText({ kind, id, path, logIndex, at }: EvidenceRef): string {
  const entry = logIndex === null ? "" : `, log entry ${logIndex}`;
  return `${kind} ${id}${entry}, ${at} (${path})`;
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#|!]/g, "\\$&").replace(/\s+/g, " ");
}
