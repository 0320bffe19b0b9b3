/** `holdfast audit tail` */
import { systemClock } from "../adapters/clock/index.ts";
import { readEntries } from "../audit/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import { complain, exit, type LogSource, openSource, print } from "./audit-source.ts";
import { entryJson, printTable } from "./audit-table.ts";

export interface TailOptions {
  readonly key?: string;
  readonly lines: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const pollMs = 500;

export async function tail(folder: string, options: TailOptions): Promise<number> {
  const source = await openSource(folder, options.key);
  if (!source.ok) return refuse(source.error);
  if (!/^[1-9]\d{0,5}$/.test(options.lines)) return refuse("-n takes a count from 1 to 999999");
  let turn = await printFrom(source.value, -Number(options.lines), options);
  if (!turn.ok && !options.follow) return refuse(turn.error);
  while (options.follow) {
    await systemClock.sleep(pollMs);
    // While a writer publishes, a file may be gone between two reads; the next turn finds its successor.
    const next = await printFrom(source.value, turn.ok ? turn.value : 0, options);
    if (next.ok) turn = next;
  }
  return exit.ok;
}

/** Prints the entries from `from` on; the index after the last of them. */
async function printFrom(
  { files, verifier }: LogSource,
  from: number,
  { json }: TailOptions,
): Promise<Result<number, string>> {
  const read = await readEntries(files, verifier, from);
  if (!read.ok) return read;
  const last = read.value.at(-1);
  if (last === undefined) return ok(Math.max(0, from));
  if (json) for (const each of read.value) print(entryJson(each));
  else printTable(read.value, new Map(), new Set());
  return ok(last.index + 1);
}

function refuse(message: string): number {
  complain(`error: ${message}`);
  return exit.usage;
}
