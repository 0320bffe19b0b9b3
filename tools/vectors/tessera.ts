/** A log that foreign code wrote (Tessera), read by our tiles and checkpoints, verified by `audit verify`. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openDisk } from "../../src/adapters/disk/index.ts";
import {
  checkpointPath,
  consistencyProof,
  formatProof,
  inclusionProof,
  type LogFiles,
  type LogReport,
  parseVkey,
  sameHash,
  tilePath,
  verifyConsistency,
  verifyLog,
  verifyReceipt,
  vkeyPath,
} from "../../src/audit/index.ts";
import { assert, ok } from "../../src/kernel/index.ts";
import { type Case, failed, passed, refused, type VectorSet } from "./case.ts";

/** As the tests of Tessera name it; its key id is the one in every checkpoint of the log. */
const tesseraKey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

export const tessera: VectorSet = {
  name: "tessera-testlog",
  path: "tessera-testlog",
  source: "`testdata/log` of github.com/transparency-dev/tessera",
  run: async (path) => {
    const files = openDisk(resolve(path));
    // A log of the same form under another key brings its own.
    const own = join(path, vkeyPath);
    const vkey = existsSync(own) ? readFileSync(own, "utf8").trim() : tesseraKey;
    const leaves: Uint8Array[] = [];
    const whole = await verified(files, vkey, leaves);
    const older = readdirSync(path).filter((file) => /^checkpoint\.\d+$/.test(file));
    const cases: Case[] = [commandCase(path, vkey, older)];
    for (const name of older.sort()) cases.push(await earlier(files, vkey, name, whole));
    for (let index = 0; index < whole.size; index++)
      cases.push(proof(whole, vkey, index, leaves[index]));
    const tile = { index: 0, width: whole.size } as const;
    const read = [tilePath({ level: 0, ...tile }), tilePath({ level: "entries", ...tile })];
    for (const file of [checkpointPath, ...read]) cases.push(await edits(files, vkey, file));
    return cases;
  },
};

/** Each entry goes into `leaves`. */
function verified(files: LogFiles, vkey: string, leaves: Uint8Array[] = []): Promise<LogReport> {
  const verifier = parseVkey(vkey);
  assert(verifier.ok, "the key of the log is a vkey");
  return verifyLog({
    ...{ files, verifier: verifier.value, entries: "opaque", keepFrom: 0 },
    onEntry: (_index, leaf) => leaves.push(leaf),
  });
}

/** Through the command that an auditor types, every retained checkpoint given. */
function commandCase(path: string, vkey: string, older: readonly string[]): Case {
  const folder = resolve(path);
  const kept = older.flatMap((file) => ["--checkpoint", join(folder, file)]);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["bin/holdfast.mjs", "audit", "verify", folder, "--key", vkey, "--opaque", ...kept],
    { encoding: "utf8", cwd: join(import.meta.dirname, "../..") },
  );
  return status === 0
    ? passed("audit verify")
    : failed("audit verify", `exit ${status}: ${stdout}${stderr}`);
}

/** The log as it was: its files under an older checkpoint, which the newest one continues. */
async function earlier(
  files: LogFiles,
  vkey: string,
  name: string,
  whole: LogReport,
): Promise<Case> {
  const report = await verified(reading(files, checkpointPath, name), vkey);
  if (!report.ok) return failed(name, report.findings.map(({ message }) => message).join("; "));
  const { size, rootHash } = report;
  if (String(size) !== name.replace("checkpoint.", "")) return failed(name, `has ${size} entries`);
  if (!sameHash(rootHash, whole.tree.root(size))) return failed(name, "has another root");
  if (size === 0) return passed(name);
  const continues = verifyConsistency({
    first: size,
    second: whole.size,
    firstRoot: rootHash,
    secondRoot: whole.rootHash,
    proof: consistencyProof(size, whole.size, whole.tree.node),
  });
  return continues ? passed(name) : failed(name, "the newest checkpoint does not continue it");
}

/** A receipt that we make of a foreign entry, under the foreign signature. */
function proof(
  whole: LogReport,
  vkey: string,
  index: number,
  extra: Uint8Array = new Uint8Array(),
): Case {
  const verifier = parseVkey(vkey);
  assert(verifier.ok && whole.checkpoint !== undefined, "the log was verified");
  const id = `entry ${index}`;
  const receipt = formatProof({
    index,
    proof: inclusionProof(index, whole.size, whole.tree.node),
    checkpoint: whole.checkpoint,
    extra,
  });
  const proven = verifyReceipt(receipt, verifier.value);
  return proven.ok ? passed(id) : failed(id, proven.error);
}

/** Every single byte of a file changed, one at a time: each change must be found. */
async function edits(files: LogFiles, vkey: string, path: string): Promise<Case> {
  const original = await files.read(path);
  const id = `edits of ${path}`;
  if (!original.ok) return failed(id, `cannot be read (${original.error.code})`);
  const unseen: number[] = [];
  for (let at = 0; at < original.value.length; at++) {
    const changed = Buffer.from(original.value);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const edited = { ...linked(files), read: replaced(files, path, changed) };
    if ((await verified(edited, vkey)).ok) unseen.push(at);
  }
  return unseen.length === 0 ? refused(id) : failed(id, `not found at bytes ${unseen.join(", ")}`);
}

function linked(files: LogFiles): LogFiles {
  return { read: (path) => files.read(path), list: (path) => files.list(path) };
}

/** `path` reads as the file `other`. */
function reading(files: LogFiles, path: string, other: string): LogFiles {
  return { ...linked(files), read: (asked) => files.read(asked === path ? other : asked) };
}

function replaced(files: LogFiles, path: string, bytes: Uint8Array): LogFiles["read"] {
  return async (asked) => (asked === path ? ok(bytes) : files.read(asked));
}
