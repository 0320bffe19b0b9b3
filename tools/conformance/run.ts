/**
 * The official MCP conformance suite, as a judge of what the gateway changes: every check of every scenario directly and
 * through the composed gateway, policy and log on; as a server and as a client, in both eras.
 *
 *   npm run conformance                      a minute or two; exits 0 only when nothing differs
 *   npm run conformance -- --json            every check, on stdout
 *   npm run conformance -- --role client --revision 2026-07-28
 *   npm run conformance -- --update          freezes what was found in tools/conformance/baseline.yaml
 *
 * Exits 0: the lists are equal, the direct one is complete, all is as frozen. 1: something is not, each named.
 * 2: could not run, or wrong arguments.
 */
import { Console } from "node:console";
import { Writable } from "node:stream";
import { parseArgs } from "node:util";
import { type Baseline, readBaseline, writeBaseline } from "./baseline.ts";
import { type Leg, runLeg, type Step } from "./legs.ts";
import { problemLines, tableOf } from "./report.ts";
import { type Revision, type Role, revisionsOf, suiteVersion } from "./suite.ts";
import { type Problem, problemsOf } from "./verdict.ts";

const roles: readonly Role[] = ["server", "client"];

interface Options {
  readonly roles: readonly Role[];
  readonly revisions: readonly Revision[];
  readonly json: boolean;
  readonly update: boolean;
  readonly verbose: boolean;
}

function optionsOf(): Options {
  const { values } = parseArgs({
    options: {
      role: { type: "string" },
      revision: { type: "string" },
      json: { type: "boolean", default: false },
      update: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  });
  return {
    ...values,
    roles: chosen("--role", values.role, roles),
    revisions: chosen("--revision", values.revision, revisionsOf.client),
  };
}

function chosen<T extends string>(
  flag: string,
  value: string | undefined,
  known: readonly T[],
): readonly T[] {
  if (value === undefined) return known;
  const found = known.filter((each) => each === value);
  if (found.length === 0) throw new Error(`${flag} ${value}: one of ${known.join(", ")}`);
  return found;
}

async function main(): Promise<number> {
  const options = optionsOf();
  quieten(options.verbose);
  const legs: Leg[] = [];
  for (const role of options.roles)
    for (const revision of revisionsOf[role])
      if (options.revisions.includes(revision)) legs.push(await runLeg(role, revision, progress));
  const baseline = readBaseline();
  if (options.update) writeBaseline(baseline, suiteVersion, legs);
  const judgedBy = options.update ? readBaseline() : baseline;
  const problems = problemsOf(legs, judgedBy, suiteVersion);
  process.stdout.write(options.json ? json(legs, problems, judgedBy) : told(legs, problems));
  return problems.length === 0 ? 0 : 1;
}

/** The official client writes to the console, also to stdout; that is for the result alone. */
function quieten(verbose: boolean): void {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const to = verbose ? process.stderr : nowhere;
  globalThis.console = new Console({ stdout: to, stderr: to });
}

/** On a terminal one line that counts; elsewhere one line a run. */
function progress({ role, revision, side, scenarios }: Step): (scenario: string) => void {
  const { stderr } = process;
  const name = `${role} ${revision} ${side === "direct" ? "direct" : "through the gateway"}`;
  let done = 0;
  if (stderr.isTTY) stderr.write(`  ${name} …`);
  return (scenario) => {
    done += 1;
    const last = done === scenarios;
    const line = `${last ? "✓" : " "} ${name}: ${done} of ${scenarios} scenarios`;
    if (stderr.isTTY) stderr.write(`\r\u001b[K${line}${last ? "\n" : `  ${scenario}`}`);
    else if (last) stderr.write(`${line}\n`);
  };
}

function told(legs: readonly Leg[], problems: readonly Problem[]): string {
  const lines = [
    "",
    `MCP conformance suite ${suiteVersion}, direct and through the composed gateway, policy and log on:`,
    "",
    tableOf(legs, problems),
    "",
    ...problemLines(problems),
    problems.length === 0
      ? "✓ Every check is the same directly and through the gateway, or differs as reviewed in tools/conformance/baseline.yaml."
      : `✗ ${problems.length} ${problems.length === 1 ? "check is" : "checks are"} not as they should be.`,
  ];
  return `${lines.join("\n")}\n`;
}

function json(legs: readonly Leg[], problems: readonly Problem[], baseline: Baseline): string {
  const { reviewed } = baseline;
  const all = { ok: problems.length === 0, suite: suiteVersion, problems, reviewed, legs };
  return `${JSON.stringify(all, null, 2)}\n`;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  process.stderr.write(`conformance: ${thrown instanceof Error ? thrown.message : thrown}\n`);
  process.exitCode = 2;
}
