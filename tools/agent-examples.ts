/**
 * Installs the agent frameworks of `examples/agents`, each in its own folder and from its own lock file: they stay out of
 * the gateway's dependencies. A folder that is installed from the lock file of today is left alone.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** True when all are installed; what failed was said. */
export function installAgentExamples(): boolean {
  const locks = globSync("examples/agents/*/package-lock.json", { cwd: root }).sort();
  return locks.map((lock) => installed(dirname(lock))).every(Boolean);
}

function installed(name: string): boolean {
  const folder = join(root, name);
  const lock = readFileSync(join(folder, "package-lock.json"));
  const digest = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules/.installed-from");
  if (read(stamp) === digest) {
    console.log(`prepare: ${name}: installed`);
    return true;
  }
  console.log(`prepare: ${name}: npm ci …`);
  const { status, stderr, error } = spawnSync("npm", ["ci", "--no-progress"], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status === 0) {
    writeFileSync(stamp, digest);
    return true;
  }
  const why = error?.message ?? stderr.trim().split("\n").slice(-5).join("\n  ");
  console.error(
    `prepare: the packages of ${name} are missing (its agent is a test).\n  ${why}\n  Run npm ci there, and run again.`,
  );
  return false;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
