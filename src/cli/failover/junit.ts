/** Results as JUnit XML, which continuous integration shows as tests. */
import { type Diagnostic, formatDiagnostic } from "../../policy/index.ts";

export interface CheckedThing {
  /** `manifest`, `lint`, `completeness`, `guard` */
  readonly suite: string;
  /** A file, or an address. */
  readonly name: string;
  readonly findings: readonly Diagnostic[];
}

/** One test case for each thing that was looked at; it fails when it has an error. */
export function junitOf(things: readonly CheckedThing[]): string {
  const suites = [...new Set(things.map(({ suite }) => suite))].map((suite) =>
    suiteOf(
      suite,
      things.filter((thing) => thing.suite === suite),
    ),
  );
  const failures = things.filter(hasError).length;
  const body = suites.join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="holdfast failover check" tests="${things.length}" failures="${failures}">
${body}
</testsuites>
`;
}

function suiteOf(suite: string, things: readonly CheckedThing[]): string {
  const failures = things.filter(hasError).length;
  const cases = things.map(caseOf).join("\n");
  return `  <testsuite name="${escaped(suite)}" tests="${things.length}" failures="${failures}" errors="0" skipped="0">
${cases}
  </testsuite>`;
}

function caseOf({ suite, name, findings }: CheckedThing): string {
  const head = `    <testcase classname="holdfast.failover.${escaped(suite)}" name="${escaped(name)}"`;
  const errors = findings.filter(({ severity }) => severity === "error");
  const warnings = findings.filter(({ severity }) => severity === "warning");
  const failed = errors.map(
    (error) =>
      `      <failure type="${escaped(error.code)}" message="${escaped(error.message)}">${escaped(formatDiagnostic(error))}</failure>`,
  );
  const said = warnings.map(formatDiagnostic).join("\n");
  const out = said === "" ? [] : [`      <system-out>${escaped(said)}</system-out>`];
  const inside = [...failed, ...out].join("\n");
  return inside === "" ? `${head}/>` : `${head}>\n${inside}\n    </testcase>`;
}

function hasError({ findings }: CheckedThing): boolean {
  return findings.some(({ severity }) => severity === "error");
}

/** What XML 1.0 cannot hold is shown as �. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "�")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
