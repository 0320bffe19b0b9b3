/** `holdfast audit tail` */
import { systemClock } from "../adapters/clock/index.ts";
import { readEntries } from "../audit/index.ts";
import { complain, exit, openSource, print } from "./audit-source.ts";
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
  if (!source.ok || !/^[1-9]\d{0,5}$/.test(options.lines)) {
    complain(`error: ${source.ok ? "-n takes a count from 1 to 999999" : source.error}`);
    return exit.usage;
  }
  const { files, verifier } = source.value;
  for (let from = -Number(options.lines); ; await systemClock.sleep(pollMs)) {
    const read = await readEntries(files, verifier, from);
    if (!read.ok && !options.follow) {
      complain(`error: ${read.error}`);
      return exit.usage;
    }
    // While a writer publishes, a file may be gone between two reads; the next turn finds its successor.
    if (read.ok && read.value.length > 0) {
      if (options.json) for (const each of read.value) print(entryJson(each));
      else printTable(read.value, new Map(), new Set());
      from = (read.value.at(-1)?.index ?? 0) + 1;
    }
    if (!options.follow) return exit.ok;
  }
}
