/** `holdfast audit verify` */
import {
  type Finding,
  type LogReport,
  type NoteVerifier,
  verifyLog,
  verifyReceipt,
} from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { complain, exit, openSource, print, readKey, readText } from "./audit-source.ts";

export interface VerifyOptions {
  readonly key?: string;
  readonly receipt?: readonly string[];
  readonly checkpoint?: readonly string[];
  /** A log of another program: only tree and signatures say something. */
  readonly opaque?: boolean;
  readonly json?: boolean;
}

export async function verify(folder: string | undefined, options: VerifyOptions): Promise<number> {
  const receipts = await readAll(options.receipt);
  const checkpoints = await readAll(options.checkpoint);
  if (!receipts.ok) return usage(receipts.error);
  if (!checkpoints.ok) return usage(checkpoints.error);
  if (folder === undefined) return verifyReceipts(options, receipts.value);
  const source = await openSource(folder, options.key);
  if (!source.ok) return usage(source.error);
  const { files, verifier, keyIsItsOwn } = source.value;
  if (keyIsItsOwn && !options.json)
    complain(
      "note: no --key given; the key was read from the log itself, so this shows that the log agrees with itself, not who wrote it",
    );
  const report = await verifyLog({
    ...{ files, verifier },
    ...{ receipts: receipts.value, checkpoints: checkpoints.value },
    entries: options.opaque ? "opaque" : "holdfast",
  });
  if (options.json) print(JSON.stringify(reportJson(report, verifier, keyIsItsOwn)));
  else printReport(report, verifier);
  return exitCode(report.findings);
}

/** Without the log: that each receipt is signed by the key and proves its entry. */
async function verifyReceipts(
  options: VerifyOptions,
  receipts: readonly string[],
): Promise<number> {
  if (receipts.length === 0) return usage("name the folder of a log, or give --receipt");
  if (options.key === undefined) return usage("a receipt alone needs --key");
  const key = await readKey(options.key);
  if (!key.ok) return usage(key.error);
  let code: number = exit.ok;
  for (const [i, text] of receipts.entries()) {
    const file = options.receipt?.[i] ?? "";
    const proven = verifyReceipt(text, key.value);
    if (!proven.ok) code = exit.tampered;
    if (options.json) print(JSON.stringify(receiptJson(file, proven)));
    else if (!proven.ok) complain(`${file}: proves nothing: ${proven.error}`);
    else {
      const { index, checkpoint, entry } = proven.value;
      print(`${file}: entry ${index} is in the log ${checkpoint.origin} of ${checkpoint.size}:`);
      print(Buffer.from(entry).toString());
    }
  }
  return code;
}

function receiptJson(file: string, proven: ReturnType<typeof verifyReceipt>): object {
  if (!proven.ok) return { file, ok: false, error: proven.error };
  const { index, checkpoint, entry } = proven.value;
  const { origin, size } = checkpoint;
  return { file, ok: true, index, origin, size, entry: Buffer.from(entry).toString() };
}

function reportJson(report: LogReport, verifier: NoteVerifier, keyIsItsOwn: boolean): object {
  return {
    ok: report.ok,
    origin: verifier.name,
    size: report.size,
    root_hash: Buffer.from(report.rootHash).toString("base64"),
    key_is_its_own: keyIsItsOwn,
    counts: report.counts,
    findings: report.findings,
    unknown_calls: report.unknownCalls,
    open_calls: report.openCalls,
  };
}

function printReport(report: LogReport, verifier: NoteVerifier): void {
  for (const { severity, code, message, action } of report.findings) {
    complain(`${severity}: ${code}: ${message}`);
    complain(`  do: ${action}`);
  }
  const root = Buffer.from(report.rootHash).toString("base64");
  const verdict = report.ok ? "verified" : "NOT VERIFIED";
  print(`${verdict}: ${verifier.name}, ${report.size} entries, root ${root}`);
  const counts = Object.entries(report.counts).map(([kind, count]) => `${kind} ${count}`);
  if (counts.length > 0) print(`entries: ${counts.join(", ")}`);
  for (const { call, index, agentId, tool } of report.unknownCalls)
    print(`unknown: call ${call} (entry ${index}, ${agentId}, ${tool}): forwarded, no outcome`);
  if (report.openCalls.length > 0)
    print(`open: ${report.openCalls.length} calls of the last run have no outcome yet`);
}

function exitCode(findings: readonly Finding[]): number {
  if (findings.some(({ severity }) => severity === "tampered")) return exit.tampered;
  return findings.some(({ severity }) => severity === "unreadable") ? exit.usage : exit.ok;
}

async function readAll(paths: readonly string[] = []): Promise<Result<string[], string>> {
  const texts: string[] = [];
  for (const path of paths) {
    const text = await readText(path);
    if (!text.ok) return err(text.error);
    texts.push(text.value);
  }
  return ok(texts);
}

function usage(message: string): number {
  complain(`error: ${message}`);
  return exit.usage;
}
