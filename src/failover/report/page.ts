/** The report as one HTML page, without scripts and without anything from elsewhere; light and dark. */
import type { EvidenceRef } from "../evidence/index.ts";
import { html } from "./html-text.ts";
import { caveat, measured, refText, statusText, toleranceText, within } from "./markdown.ts";
import { grtPlot } from "./plot.ts";
import type { RegulationReport, Report, ReportLine } from "./report.ts";

const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #57606a; --rule: #d0d7de; --good: #0a6b2e; --bad: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9ea7b3; --rule: #30363d; --good: #56d364; --bad: #ff8a80; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
.scroll { overflow-x: auto; }
main { overflow-wrap: anywhere; }
.supported { color: var(--good); } .contradicted { color: var(--bad); } .no_evidence { color: var(--soft); }
svg { max-width: 100%; height: auto; }
.grid { stroke: var(--rule); } .label { fill: var(--soft); font: 12px system-ui, sans-serif; }
.objective { stroke: var(--ink); stroke-dasharray: 6 4; } .good { fill: var(--good); } .bad { stroke: var(--bad); stroke-width: 3; fill: none; }
`.trim();

export function reportPage(report: Report): string {
  const { deployment, tenant, as_of, failovers, drills } = report;
  const title = `Failover governance of ${html(deployment)}`;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${title}</title><style>${style}</style></head><body><main>`,
    `<h1>${title}</h1>`,
    `<p>Tenant ${html(tenant)}, manifest version ${report.manifest_version} (<code>${html(report.manifest_digest)}</code>), as of ${html(as_of)}: ${failovers} failovers, ${drills} drills.</p>`,
    `<p>${caveat}</p>`,
    "<h2>Governance recovery over time</h2>",
    grtPlot(report.grt),
    grtTable(report),
    "<h2>Impact tolerances</h2>",
    tolerances(report),
    ...report.regulations.map(regulation),
    "</main></body></html>\n",
  ].join("\n");
}

function grtTable({ grt }: Report): string {
  if (grt.length === 0) return "";
  const rows = grt.map(({ failover, initiated, outcome, grt_ms, rto_ms, grto_ms }) => [
    ...[failover, initiated, outcome ?? "open"],
    ...[seconds(grt_ms), seconds(rto_ms), seconds(grto_ms)],
  ]);
  return table("Failovers", ["Failover", "Began", "Outcome", "GRT", "RTO", "Objective"], rows);
}

function tolerances(report: Report): string {
  const rows = report.tolerances.map((each) => [
    toleranceText[each.name],
    `${each.declared} ${each.unit}`,
    measured(each),
    within(each),
  ]);
  return table("Declared and measured", ["", "Declared", "Worst measured", "Within"], rows);
}

function seconds(ms: number | null): string {
  return ms === null ? "-" : `${ms / 1_000} s`;
}

function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const heads = head.map((text) =>
    text === "" ? "<td></td>" : `<th scope="col">${html(text)}</th>`,
  );
  const body = rows.map(([first = "", ...rest]) => {
    const cells = rest.map((cell) => `<td>${html(cell)}</td>`).join("");
    return `<tr><th scope="row">${html(first)}</th>${cells}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${html(caption)}"><table><caption>${html(caption)}</caption><thead><tr>${heads.join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

function regulation({ title, lines, not_applicable: reason }: RegulationReport): string {
  const content =
    reason === null ? lines.map(clause).join("\n") : `<p>Not applicable: ${html(reason)}.</p>`;
  return `<section><h2>${html(title)}</h2>${content}</section>`;
}

function clause(line: ReportLine): string {
  const { status, requirements, components, evidence, weaknesses } = line;
  const items = [
    ...(requirements.length === 0 ? [] : [`Shown by: ${requirements.join(", ")}`]),
    ...(components.length === 0 ? [] : [`Components: ${components.join(", ")}`]),
    ...evidence.map((ref: EvidenceRef) => `Evidence: ${refText(ref)}`),
    ...weaknesses.map((each) => `Weakness: ${each}`),
    `Not covered: ${line.not_covered}`,
  ];
  return `<h3>${html(line.clause)}: <span class="${status}">${statusText[status]}</span></h3><p>${html(line.about)}.</p><ul>${items.map((item) => `<li>${html(item)}</li>`).join("")}</ul>`;
}
