/** `Commands` on child processes: each in a process group of its own, which ends with it, whatever it has started. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Commands } from "../../ports.ts";

type Child = ChildProcessByStdio<null, Readable, Readable>;
type Ran = Awaited<ReturnType<Commands["run"]>>;

const outputBytesMax = 64 * 1024;
/** For what it wrote last to arrive; whoever still holds its outputs then is ended. */
const drainMs = 200;

/** Nothing of ours is inherited: no environment, no standard input. */
export function childProcessCommands(): Commands {
  return { run };
}

function run(...[argv, env, timeoutMs, signal]: Parameters<Commands["run"]>): Promise<Ran> {
  const [file, ...args] = argv;
  if (signal?.aborted === true)
    return Promise.resolve({ exitCode: null, output: "", errors: "it was not started" });
  return new Promise((resolve) => {
    const child = started(file, args, env);
    if ("why" in child) return resolve({ exitCode: null, output: "", errors: child.why });
    const [output, errors] = [tail(child.stdout), tail(child.stderr)];
    let isEnded = false;
    const end = (): void => {
      isEnded = true;
      killGroup(child);
    };
    const late = setTimeout(end, timeoutMs);
    signal?.addEventListener("abort", end, { once: true });
    const over = (exitCode: number | null, why?: string): void => {
      clearTimeout(late);
      signal?.removeEventListener("abort", end);
      killGroup(child);
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      resolve({ exitCode: isEnded ? null : exitCode, output: output(), errors: why ?? errors() });
    };
    child.once("error", (error) => over(null, `could not start ${file}: ${error.message}`));
    child.once("exit", (exitCode) => {
      const drained = setTimeout(() => over(exitCode), drainMs);
      child.once("close", () => {
        clearTimeout(drained);
        over(exitCode);
      });
    });
  });
}

function started(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Child | { readonly why: string } {
  try {
    // `detached`: a process group of its own.
    const stdio = ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"];
    return spawn(file, args, { env: { ...env }, stdio, shell: false, detached: true });
  } catch (thrown) {
    return { why: `could not start ${JSON.stringify(file)}: ${String(thrown)}` };
  }
}

/** What came last, at most 64 KiB of it. */
function tail(stream: Readable): () => string {
  let held: Buffer = Buffer.alloc(0);
  stream.on("data", (piece: Buffer) => {
    held = Buffer.concat([held, piece]).subarray(-outputBytesMax);
  });
  stream.on("error", () => undefined);
  return () => held.toString("utf8");
}

/** SIGKILL: what is asked politely may not be listening. */
function killGroup({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}
