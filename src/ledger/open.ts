/** Opening a log: take the folder, find out what is durable, publish it, begin a new run. */
import {
  checkpointPath,
  type EntryOrigin,
  encodeVkey,
  noteVerifier,
  type StartEntry,
  segmentPath,
  signCheckpoint,
  vkeyPath,
} from "../audit/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import type { AppendFile, Clock, Disk, DiskError, Signer } from "../ports.ts";
import { type Ledger, type LedgerLimits, type LedgerOpenError, ledgerLimits } from "./ledger.ts";
import { publish } from "./publish.ts";
import { type Recovered, recover } from "./recovery.ts";
import { LedgerWriter } from "./writer.ts";

export interface LedgerOptions {
  /** The folder of this log alone. */
  readonly disk: Disk;
  /** Its name is the origin of the log. */
  readonly signer: Signer;
  readonly clock: Clock;
  /** Named in the start entry. */
  readonly tenant: string;
  readonly origin: EntryOrigin;
  readonly holdfastVersion: string;
  /** The last checkpoint of the instance that this one takes over from, if any. */
  readonly takesOver?: { readonly origin: string; readonly checkpoint: string };
  readonly limits?: Partial<LedgerLimits>;
}

/**
 * Opens the log, or begins it when the folder is empty. When it resolves ok, everything found is published and the
 * start entry of this run is durable. Refuses a log that does not verify.
 */
export async function openLedger(options: LedgerOptions): Promise<Result<Ledger, LedgerOpenError>> {
  const lock = await options.disk.lock("lock");
  if (!lock.ok) return lock.error.kind === "refused" ? locked(lock.error) : failed(lock.error);
  const opened = await openLocked(options, lock.value);
  if (!opened.ok) await lock.value.release();
  return opened;
}

async function openLocked(
  options: LedgerOptions,
  lock: { release(): Promise<void> },
): Promise<Result<Ledger, LedgerOpenError>> {
  const { disk, signer, clock } = options;
  const limits: LedgerLimits = { ...ledgerLimits, ...options.limits };
  const named = await writeVkey(options);
  if (!named.ok) return failed(named.error);
  const recovered = await recover(disk, noteVerifier(signer.name, signer.publicKey));
  if (!recovered.ok) return recovered;
  const { tree, rootHash, entries, checkpoint, bundleSerial } = recovered.value;
  const published = await publishRecovered(disk, recovered.value);
  if (!published.ok) return failed(published.error);
  const segment = await beginSegment(disk, recovered.value);
  if (!segment.ok) return failed(segment.error);
  const head = {
    size: tree.size,
    rootHash,
    checkpoint: checkpoint ?? signCheckpoint(0, rootHash, signer),
  };
  const writer = new LedgerWriter({
    ...{ disk, signer, clock, limits, tree, head, entries, lock },
    published: tree.size,
    bundleSerial,
    segment: segment.value,
    segments: [tree.size],
  });
  const started = await writer.append(startEntry(options, recovered.value));
  if (started.ok) return ok(writer);
  await writer.close();
  return err({ kind: "failed", detail: started.error.detail });
}

/**
 * What the journal held beyond the tiles becomes tiles; a crash inside only means doing it again. When there is nothing
 * beyond them the checkpoint is still written anew: what can be read need not be durable. A run that died between the
 * rename of its checkpoint and the sync of the folder left a name that a power loss takes back, and the journal that
 * would make it good is removed next.
 */
async function publishRecovered(
  disk: Disk,
  { tree, published: from, entries: kept, checkpoint }: Recovered,
): Promise<Result<void, DiskError>> {
  if (checkpoint === undefined) return ok(undefined);
  if (tree.size === from) return disk.replace(checkpointPath, Buffer.from(checkpoint));
  const keptFirst = tree.size - kept.length;
  const entries = (first: number, end: number): readonly Uint8Array[] =>
    kept.slice(first - keptFirst, end - keptFirst);
  return publish(disk, { tree, from, to: tree.size, checkpoint, entries });
}

/**
 * A new, empty segment; a torn one of the same name holds nothing anyone was told of. Only then do the old ones go:
 * all of them are published. A crash between leaves segments that the next start skips.
 */
async function beginSegment(
  disk: Disk,
  { tree, segments }: Recovered,
): Promise<Result<AppendFile, DiskError>> {
  const segment = await disk.openAppend(segmentPath(tree.size), 0);
  if (!segment.ok) return segment;
  for (const first of segments) if (first !== tree.size) await disk.remove(segmentPath(first));
  return segment;
}

function startEntry(
  { clock, tenant, origin, holdfastVersion, signer, takesOver }: LedgerOptions,
  { checkpoint, unknownCalls, bundleSerial }: Recovered,
): StartEntry {
  const own = checkpoint === undefined ? null : { origin: signer.name, checkpoint };
  return {
    v: 1,
    kind: "start",
    time: new Date(clock.wallMs()).toISOString(),
    tenant,
    ...origin,
    holdfast: holdfastVersion,
    previous: takesOver ?? own,
    unknown_calls: unknownCalls,
    bundle_serial: bundleSerial,
  };
}

async function writeVkey({ disk, signer }: LedgerOptions): Promise<Result<void, DiskError>> {
  const found = await disk.read(vkeyPath);
  if (found.ok || found.error.kind !== "not_found") return found.ok ? ok(undefined) : found;
  return disk.replace(vkeyPath, Buffer.from(`${encodeVkey(signer.name, signer.publicKey)}\n`));
}

function locked({ path }: DiskError): Result<never, LedgerOpenError> {
  const detail = `${path} is held by another process: one log has one writer; stop it first`;
  return err({ kind: "locked", detail });
}

function failed({ path, code }: DiskError): Result<never, LedgerOpenError> {
  return err({ kind: "failed", detail: `${path}: ${code}; check the disk, then start again` });
}
