/** The official MCP conformance suite as a child process: what it requires of a revision, and what it found. */
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import { type Check, checksOf, type RawCheck } from "./check-list.ts";

/** Who is judged: a server that the suite calls, or a client that calls the suite's servers. */
export type Role = "server" | "client";

/** For 2025-03-26 the suite knows two ways of an older authorization server, and requires neither. */
export type Revision = "2025-03-26" | "2025-11-25" | "2026-07-28";

export const revisionsOf: Readonly<Record<Role, readonly Revision[]>> = {
  server: ["2025-11-25", "2026-07-28"],
  client: ["2025-03-26", "2025-11-25", "2026-07-28"],
};

const root = resolve(import.meta.dirname, "../..");
const suiteFolder = join(root, "node_modules/@modelcontextprotocol/conformance");
const program = join(suiteFolder, "dist/index.js");

/** Of the suite that is installed. */
export const suiteVersion: string = JSON.parse(
  readFileSync(join(suiteFolder, "package.json"), "utf8"),
).version;

export interface ScenarioSet {
  /** How the suite is told to run it. */
  readonly args: readonly string[];
  readonly required: readonly string[];
  /** Run and reported by the suite, but no part of conformance: extensions, and scenarios younger than the revision. */
  readonly notScored: readonly string[];
}

const backcompat: ScenarioSet = {
  args: ["--suite", "backcompat"],
  required: [],
  notScored: [
    "auth/2025-03-26-oauth-metadata-backcompat",
    "auth/2025-03-26-oauth-endpoint-fallback",
  ],
};

interface RequirementFile {
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly not_scored: readonly { readonly scenario: string; readonly leg: Role }[];
}

/** The set that the suite froze when the revision was released. */
export function scenariosOf(role: Role, revision: Revision): ScenarioSet {
  if (revision === "2025-03-26") return backcompat;
  const path = join(suiteFolder, "requirements", `${revision}.yaml`);
  const file = parse(readFileSync(path, "utf8")) as RequirementFile;
  const notScored = file.not_scored.filter(({ leg }) => leg === role);
  return {
    args: ["--requirements", revision],
    required: file[role],
    notScored: notScored.map(({ scenario }) => scenario),
  };
}

export interface Run {
  readonly role: Role;
  readonly revision: Revision;
  /** `--url …` for a server, `--command …` for a client. */
  readonly target: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the name of each scenario when the suite has saved its checks. */
  readonly onScenario?: (scenario: string) => void;
}

/** Above what any scenario takes on a busy machine; the suite's own 30 s include waiting for one another. */
const scenarioTimeoutMs = 180_000;

/**
 * Runs every scenario of a revision. A scenario that left no checks is a FAILURE named `scenario-ran`, so that no list
 * is equal by being empty.
 */
export async function runSuite(run: Run): Promise<readonly Check[]> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-conformance-"));
  try {
    const { args, required, notScored } = scenariosOf(run.role, run.revision);
    const common = ["--output-dir", folder, "--timeout", String(scenarioTimeoutMs)];
    const said = await spawned([run.role, ...run.target, ...args, ...common], folder, run);
    const found = readResults(folder, run.role);
    if (found.size === 0) throw new Error(`the conformance suite left no results:\n${said}`);
    return [...required, ...notScored].flatMap((scenario) => {
      const raw = found.get(scenario) ?? [{ id: "scenario-ran", status: "FAILURE" }];
      return checksOf(scenario, raw, { counted: run.role === "server" });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last of what it said. Its exit code is not asked: the checks are. */
async function spawned(args: readonly string[], cwd: string, run: Run): Promise<string> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, ...run.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on("line", (line) => {
      said = `${said}${line}\n`.slice(-8_000);
      const saved = /^Results saved to (.+)$/.exec(line)?.[1];
      if (saved !== undefined) run.onScenario?.(scenarioOf(relative(cwd, saved), run.role));
    });
  await new Promise<void>((done) => child.once("close", () => done()));
  return said;
}

function readResults(folder: string, role: Role): ReadonlyMap<string, readonly RawCheck[]> {
  const files = globSync("**/checks.json", { cwd: folder });
  return new Map(
    files.map((file) => [
      scenarioOf(dirname(file), role),
      JSON.parse(readFileSync(join(folder, file), "utf8")) as RawCheck[],
    ]),
  );
}

/** The suite names a folder `[server-]{scenario}-{time}`. */
function scenarioOf(folder: string, role: Role): string {
  const name = folder.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "");
  return role === "server" ? name.replace(/^server-/, "") : name;
}
