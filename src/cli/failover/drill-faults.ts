/** `holdfast failover drill fault|look`: what experiments run. A fault touches only the paths its drill declared. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import {
  type Done,
  emptyFolder,
  type FaultSignal,
  fillFolder,
  freeBytes,
  processState,
  removeFile,
  replaceFile,
  restoreFile,
  signalProcess,
  signals,
  startProcess,
} from "../../adapters/faults/index.ts";
import { isBelow } from "../../failover/index.ts";
import { err, sha256Hex } from "../../kernel/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";

/** A list of paths as JSON; the engine sets it for what it runs. */
const pathsVariable = "HOLDFAST_DRILL_PATHS";

export function registerFaultCommands(
  drill: Command,
  io: CommandOutput,
  exit: (code: number) => void,
): void {
  const done = async (path: string, act: () => Promise<Done>): Promise<void> => {
    const result = mayTouch(path) ? await act() : err(refusal(path));
    if (result.ok) io.out(result.value);
    else io.err(result.error);
    exit(result.ok ? 0 : 1);
  };
  const fault = drill.command("fault").description("faults, for the method of an experiment");
  fault
    .command("signal")
    .description(`send a signal: ${signals.join(", ")}`)
    .requiredOption("--pid-file <file>", "holds the process id")
    .requiredOption("--signal <name>", "which")
    .action(({ pidFile, signal }: { pidFile: string; signal: string }) =>
      done(pidFile, async () =>
        signals.includes(signal as FaultSignal)
          ? signalProcess(pidFile, signal as FaultSignal)
          : err(`${signal} is none of ${signals.join(", ")}`),
      ),
    );
  fault
    .command("start")
    .description("start a process again, unless it lives")
    .requiredOption("--pid-file <file>", "gets the process id")
    .argument("<command...>", "program and arguments")
    .action((command: [string, ...string[]], { pidFile }: { pidFile: string }) =>
      done(pidFile, () => startProcess(pidFile, command)),
    );
  fault
    .command("replace")
    .description("give a file other content")
    .requiredOption("--file <file>", "which")
    .requiredOption("--with <file>", "whose content it gets")
    .action((options: { file: string; with: string }) =>
      done(options.file, () => replaceFile(options.file, options.with)),
    );
  const onFile = (name: string, text: string, act: (file: string) => Promise<Done>): void => {
    fault
      .command(name)
      .description(text)
      .requiredOption("--file <file>", "which")
      .action(({ file }: { file: string }) => done(file, () => act(file)));
  };
  onFile("remove", "take a file away", removeFile);
  onFile("restore", "make a file what it was", restoreFile);
  fault
    .command("fill")
    .description("fill the file system of a folder")
    .requiredOption("--folder <folder>", "a file system of its own")
    .option("--mib-max <number>", "refuse one with more room", "64")
    .action(({ folder, mibMax }: { folder: string; mibMax: string }) =>
      done(folder, () => fillFolder(folder, Number(mibMax))),
    );
  fault
    .command("empty")
    .description("free it again")
    .requiredOption("--folder <folder>", "which")
    .action(({ folder }: { folder: string }) => done(folder, () => emptyFolder(folder)));
  registerLooks(drill, io, exit);
}

function registerLooks(drill: Command, io: CommandOutput, exit: (code: number) => void): void {
  const look = drill.command("look").description("what is so, for the probes of an experiment");
  const say = (text: string): void => {
    io.out(text);
    exit(0);
  };
  look
    .command("process")
    .description("running, stopped or gone")
    .requiredOption("--pid-file <file>", "holds the process id")
    .action(async ({ pidFile }: { pidFile: string }) => say(await processState(pidFile)));
  look
    .command("file")
    .description("the digest of a file, or absent")
    .requiredOption("--file <file>", "which")
    .action(async ({ file }: { file: string }) => {
      const bytes = await readFile(file).catch(() => undefined);
      say(bytes === undefined ? "absent" : `sha256:${sha256Hex(bytes)}`);
    });
  look
    .command("same")
    .description("same or different: the content of two files")
    .argument("<files...>", "two of them")
    .action(async (files: readonly string[]) => {
      const read = await Promise.all(files.map((file) => readFile(file).catch(() => undefined)));
      const [a, b] = read;
      say(a !== undefined && b !== undefined && a.equals(b) ? "same" : "different");
    });
  look
    .command("space")
    .description("full or room: whether a folder takes another 64 KiB")
    .requiredOption("--folder <folder>", "which")
    .action(async ({ folder }: { folder: string }) =>
      say(((await freeBytes(folder)) ?? 0) < 64 * 1024 ? "full" : "room"),
    );
}

function mayTouch(path: string): boolean {
  try {
    const allowed: unknown = JSON.parse(process.env[pathsVariable] ?? "");
    const whole = resolve(path);
    return Array.isArray(allowed) && allowed.some((each) => isBelow(whole, String(each)));
  } catch {
    return false;
  }
}

function refusal(path: string): string {
  const given = process.env[pathsVariable];
  return given === undefined
    ? `a fault runs only in a drill, which sets ${pathsVariable} to the paths that it declared`
    : `${path} is none of the paths that the drill declared: ${given}`;
}
