/** `holdfast audit prove` */
import { formatProof, inclusionProof, peekCheckpoint, verifyLog } from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { complain, exit, type LogSource, openSource } from "./audit-source.ts";

/** `what` is an index, or the id of a call. Proves only from a log that verifies as a whole. */
export async function prove(
  folder: string,
  what: string,
  key: string | undefined,
): Promise<number> {
  const source = await openSource(folder, key);
  if (!source.ok) return refuse(source.error, exit.usage);
  const index = await findEntry(source.value, what);
  if (!index.ok) return refuse(index.error, exit.usage);
  let extra: Uint8Array | undefined;
  const report = await verifyLog({
    ...source.value,
    keepFrom: index.value,
    onEntry: (at, leaf) => {
      if (at === index.value) extra = leaf;
    },
  });
  const worst = report.findings.find(({ severity }) => severity !== "note");
  if (worst !== undefined)
    return refuse(`the log does not verify: ${worst.message}`, exit.tampered);
  const checkpoint = peekCheckpoint(report.checkpoint ?? "");
  if (extra === undefined || report.checkpoint === undefined || !checkpoint.ok)
    return refuse(`the log has ${report.size} entries, no entry ${index.value}`, exit.usage);
  const proof = inclusionProof(index.value, checkpoint.value.size, report.tree.node);
  process.stdout.write(
    formatProof({ index: index.value, proof, checkpoint: report.checkpoint, extra }),
  );
  return exit.ok;
}

async function findEntry(source: LogSource, what: string): Promise<Result<number, string>> {
  if (/^\d{1,15}$/.test(what)) return ok(Number(what));
  let found: number | undefined;
  await verifyLog({
    ...source,
    onEntry: (index, _leaf, entry) => {
      if (entry?.kind !== "decision" && entry?.kind !== "search") return;
      if (entry.call === what) found ??= index;
    },
  });
  return found === undefined ? err(`no decision about call ${what} in this log`) : ok(found);
}

function refuse(message: string, code: number): number {
  complain(`error: ${message}`);
  return code;
}
