/** This process's own standard input and output, as lines. */
import { once } from "node:events";

export interface StandardLines {
  /** Each line of standard input, without its newline, until it ends. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes one line; resolves when the operating system has it. */
  readonly output: (line: Uint8Array) => Promise<void>;
}

/** A longer line ends the input: what follows could not be told apart. */
export function standardLines(lineBytesMax: number): StandardLines {
  return { input: lines(process.stdin, lineBytesMax), output: writeLine };
}

async function* lines(source: AsyncIterable<Buffer>, bytesMax: number): AsyncIterable<Uint8Array> {
  let held = Buffer.alloc(0);
  for await (const chunk of source) {
    held = Buffer.concat([held, chunk]);
    let from = 0;
    for (let at = held.indexOf(10); at >= 0; at = held.indexOf(10, from)) {
      yield held.subarray(from, at);
      from = at + 1;
    }
    held = held.subarray(from);
    if (held.length > bytesMax) return;
  }
  if (held.length > 0) yield held;
}

async function writeLine(line: Uint8Array): Promise<void> {
  if (!process.stdout.write(Buffer.concat([line, Buffer.from("\n")])))
    await once(process.stdout, "drain");
}
