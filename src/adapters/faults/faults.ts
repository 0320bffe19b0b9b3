/**
 * The faults that drills simulate on one machine, and their repair. Each repair is harmless when run again, and each fault
 * keeps beside the file what it needs to be undone.
 */
import { spawn } from "node:child_process";
import { open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { err, ok, type Result } from "../../kernel/index.ts";

/** A sentence for people: what is so now, or why it is not. */
export type Done = Result<string, string>;

export const signals = ["KILL", "STOP", "CONT", "TERM"] as const;
export type FaultSignal = (typeof signals)[number];

const asideSuffix = ".before-drill";
const ballastName = ".holdfast-drill-ballast";
const ballastChunkBytes = 1024 * 1024;

export async function pidIn(pidFile: string): Promise<Result<number, string>> {
  const text = await readFile(pidFile, "utf8").catch(() => undefined);
  if (text === undefined) return err(`${pidFile} cannot be read`);
  const pid = Number(/^\s*(\d+)/.exec(text)?.[1]);
  // 0 and 1 stand for groups and for the first process: never a target.
  return pid > 1 ? ok(pid) : err(`${pidFile} holds no process id`);
}

export async function signalProcess(pidFile: string, signal: FaultSignal): Promise<Done> {
  const pid = await pidIn(pidFile);
  if (!pid.ok) return pid;
  try {
    process.kill(pid.value, `SIG${signal}`);
    return ok(`sent SIG${signal} to ${pid.value}`);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return err(`the process ${pid.value} of ${pidFile} cannot be signalled (${code})`);
  }
}

/** Starts it unless it lives; in a session of its own, so that it outlives the drill. */
export async function startProcess(
  pidFile: string,
  [file, ...args]: readonly [string, ...string[]],
): Promise<Done> {
  if ((await processState(pidFile)) !== "gone") return ok("it runs already");
  const child = spawn(file, args, { stdio: "ignore", detached: true });
  const began = await new Promise<string | undefined>((resolve) => {
    child.once("spawn", () => resolve(undefined));
    child.once("error", (error) => resolve(error.message));
  });
  if (began !== undefined) return err(`${file} could not be started: ${began}`);
  await writeFile(pidFile, `${child.pid}\n`);
  child.unref();
  return ok(`started ${child.pid}`);
}

export type ProcessState = "running" | "stopped" | "gone";

/** A zombie is gone: it does nothing any more. */
export async function processState(pidFile: string): Promise<ProcessState> {
  const pid = await pidIn(pidFile);
  if (!pid.ok) return "gone";
  const text = await readFile(`/proc/${pid.value}/stat`, "utf8").catch(() => undefined);
  // The name in parentheses may hold anything; the state stands after the last one.
  const state = text?.slice(text.lastIndexOf(")") + 2, text.lastIndexOf(")") + 3);
  if (state === undefined || state === "Z" || state === "X") return "gone";
  return state === "T" || state === "t" ? "stopped" : "running";
}

/** The file gets other content; what it was is kept beside it. */
export async function replaceFile(path: string, by: string): Promise<Done> {
  const content = await readFile(by).catch(() => undefined);
  if (content === undefined) return err(`${by} cannot be read`);
  const kept = await keepAside(path, "copy");
  if (!kept.ok) return kept;
  const { mode } = await stat(path + asideSuffix);
  // A name of its own first, so that nobody reads half of it.
  await writeFile(`${path}.drill`, content, { mode });
  await rename(`${path}.drill`, path);
  return ok(`${path} is now what ${by} is`);
}

export async function removeFile(path: string): Promise<Done> {
  const kept = await keepAside(path, "move");
  return kept.ok ? ok(`${path} is gone`) : kept;
}

/** What was kept the first time stays: a fault that runs twice must not keep its own work as the original. */
async function keepAside(path: string, how: "copy" | "move"): Promise<Result<void, string>> {
  const aside = path + asideSuffix;
  if (await exists(aside)) {
    if (how === "move") await rm(path, { force: true });
    return ok(undefined);
  }
  if (!(await exists(path))) return err(`${path} is not there`);
  if (how === "move") {
    await rename(path, aside);
    return ok(undefined);
  }
  const { mode } = await stat(path);
  await writeFile(`${aside}.tmp`, await readFile(path), { mode });
  await rename(`${aside}.tmp`, aside);
  return ok(undefined);
}

export async function restoreFile(path: string): Promise<Done> {
  const aside = path + asideSuffix;
  if (!(await exists(aside))) return ok(`${path} was not changed`);
  await rename(aside, path);
  return ok(`${path} is as it was`);
}

/** Fills the file system of the folder until nothing is left. Refuses one with more room than `mibMax`: it is no sink of its own. */
export async function fillFolder(folder: string, mibMax: number): Promise<Done> {
  const free = await freeBytes(folder);
  if (free === undefined) return err(`${folder} cannot be read`);
  if (free > mibMax * 1024 * 1024)
    return err(
      `${folder} has ${Math.ceil(free / 1024 / 1024)} MiB free, more than the ${mibMax} a drill may fill`,
    );
  const ballast = await open(`${folder}/${ballastName}`, "w");
  try {
    for (let chunk = Buffer.alloc(ballastChunkBytes, 1); chunk.length > 0; ) {
      const wrote = await ballast.write(chunk).catch(() => undefined);
      if (wrote === undefined) chunk = chunk.subarray(0, Math.floor(chunk.length / 2));
    }
  } finally {
    await ballast.close();
  }
  return ok(`${folder} is full`);
}

export async function emptyFolder(folder: string): Promise<Done> {
  await rm(`${folder}/${ballastName}`, { force: true });
  return ok(`${folder} has room again`);
}

/** `undefined` when there is no such folder. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  const found = await statfs(folder).catch(() => undefined);
  return found === undefined ? undefined : found.bavail * found.bsize;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
