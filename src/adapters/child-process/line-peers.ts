/** `LinePeers` on child processes: one JSON-RPC message a line on stdin and stdout (MCP stdio transport). */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  type LinePeer,
  type LinePeers,
  type Log,
  type PeerCommand,
  type TransportError,
  TransportFailure,
} from "../../ports.ts";

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const LF = 10;
/** After stdin is closed, then again after SIGTERM. */
const patienceMs = 2_000;

/** Starts children without a shell, with the given environment only. What they say on stderr goes to the log. */
export function childProcessPeers(log: Log): LinePeers {
  return { start: (command) => start(command, log) };
}

async function start(
  { command, env, cwd, lineBytesMax }: PeerCommand,
  log: Log,
): Promise<Result<LinePeer, TransportError>> {
  const [file, ...args] = command;
  const child = spawn(file, args, {
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ["pipe", "pipe", "pipe"],
    shell: false,
  });
  const closed = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not start: ${error.message}`));
    child.once("close", (code, signal) => resolve(signal ?? `exit ${code}`));
  });
  try {
    await once(child, "spawn");
  } catch (thrown) {
    return err({
      kind: "not_sent",
      reason: "refused",
      detail: `cannot start ${file}: ${String(thrown)}`,
    });
  }
  child.stdin.on("error", () => undefined);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log.write("info", "peer.stderr", { command: file, text: text.slice(0, 2_000).trimEnd() });
  });
  return ok({
    send: (line) => write(child, line),
    lines: linesOf(child.stdout, lineBytesMax),
    closed,
    close: () => close(child, closed),
  });
}

async function write(child: Child, line: Uint8Array): Promise<Result<void, TransportError>> {
  if (child.exitCode !== null || child.signalCode !== null || !child.stdin.writable)
    return err({ kind: "not_sent", reason: "broken", detail: "the process is gone" });
  return await new Promise((resolve) => {
    child.stdin.write(Buffer.concat([line, Buffer.of(LF)]), (error) =>
      resolve(
        error === null || error === undefined
          ? ok(undefined)
          : err({ kind: "unknown", reason: "broken", detail: error.message }),
      ),
    );
  });
}

async function* linesOf(stdout: Readable, lineBytesMax: number): AsyncGenerator<Uint8Array> {
  let held: Buffer[] = [];
  let length = 0;
  for await (const piece of stdout as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, from)) {
      const line = Buffer.concat([...held, piece.subarray(from, end)]);
      if (line.length > lineBytesMax) throw tooLong(lineBytesMax);
      held = [];
      length = 0;
      from = end + 1;
      yield line.at(-1) === 13 ? line.subarray(0, -1) : line;
    }
    held.push(piece.subarray(from));
    length += piece.length - from;
    if (length > lineBytesMax) throw tooLong(lineBytesMax);
  }
}

function tooLong(lineBytesMax: number): TransportFailure {
  return new TransportFailure({
    kind: "unknown",
    reason: "too_large",
    detail: `a line is over ${lineBytesMax} bytes`,
  });
}

/** MCP stdio shutdown: close stdin, wait, SIGTERM, wait, SIGKILL. */
async function close(child: Child, closed: Promise<string>): Promise<void> {
  child.stdin.end();
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const patience = setTimeout(() => child.kill(signal), patienceMs);
    const gone = await Promise.race([closed.then(() => true), wait(patienceMs + 100)]);
    clearTimeout(patience);
    if (gone) return;
  }
  await closed;
}

async function wait(ms: number): Promise<false> {
  return await new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref();
  });
}
