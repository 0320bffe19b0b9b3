/**
 * Files as an archive: a gzipped tar for an OPA bundle, a plain one for evidence. The same files give the same bytes (sorted,
 * no time, no owner).
 */
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type Extract, extract, pack } from "tar-stream";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { BundleFiles } from "../../policy/index.ts";

export interface ArchiveError {
  readonly kind: "malformed" | "too_large";
  readonly detail: string;
}

export interface ArchiveLimits {
  readonly filesMax: number;
  /** All files together, unpacked. */
  readonly bytesMax: number;
}

const limitsDefault: ArchiveLimits = { filesMax: 1_000, bytesMax: 128 * 1024 * 1024 };

const gzipSystemAt = 9;
const gzipSystemUnknown = 255;

export async function writeBundle(files: BundleFiles): Promise<Uint8Array> {
  const zipped = await promisify(gzip)(await tarOf(files, "/"), { level: 9 });
  // RFC 1952: the system it was made on. Unknown, so that every system makes the same bytes.
  zipped[gzipSystemAt] = gzipSystemUnknown;
  return zipped;
}

/** A plain tar. The same files give the same bytes: sorted, no time, no owner. */
export function writeArchive(files: BundleFiles): Promise<Uint8Array> {
  return tarOf(files, "");
}

async function tarOf(files: BundleFiles, prefix: string): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const name of [...files.keys()].sort())
    archive.entry(
      { name: prefix + name, mtime: new Date(0), mode: 0o644 },
      Buffer.from(files.get(name) ?? []),
    );
  archive.finalize();
  await collected;
  return Buffer.concat(chunks);
}

/**
 * Reads every regular file. Names lose a leading `/` or `./`; other kinds of entry are refused, and so are names that
 * two readers could take for different files.
 */
export async function readBundle(
  archive: Uint8Array,
  limits: ArchiveLimits = limitsDefault,
): Promise<Result<BundleFiles, ArchiveError>> {
  const unpacked = await unzipped(archive, limits);
  return unpacked.ok ? readArchive(unpacked.value, limits) : unpacked;
}

/** The same of a plain tar. */
export async function readArchive(
  archive: Uint8Array,
  limits: ArchiveLimits = limitsDefault,
): Promise<Result<BundleFiles, ArchiveError>> {
  const reader = extract();
  const reading = readEntries(reader, limits);
  const feeding = pipeline([archive], reader).catch((thrown: unknown) => thrown);
  const stalled = setTimeout(() => {
    reader.destroy(new Error("its entries do not end"));
  }, stalledAfterMs);
  try {
    const files = await reading;
    if (!files.ok) reader.destroy();
    const broken = await feeding;
    return files.ok && broken instanceof Error ? err(malformed(broken.message)) : files;
  } catch (thrown) {
    return err(malformed(thrown instanceof Error ? thrown.message : String(thrown)));
  } finally {
    clearTimeout(stalled);
  }
}

/**
 * Everything is in memory, so reading takes milliseconds; but damaged headers exist over which the tar reader waits for
 * bytes that never come.
 */
const stalledAfterMs = 5_000;

/** Of one entry: its header, the padding of its content, and long names. */
const bytesAroundEntry = 4_096;

/** Bounded before any entry is looked at: what surrounds the files can be a bomb too. */
async function unzipped(
  archive: Uint8Array,
  limits: ArchiveLimits,
): Promise<Result<Uint8Array, ArchiveError>> {
  const maxOutputLength = limits.bytesMax + (limits.filesMax + 1) * bytesAroundEntry;
  try {
    return ok(await promisify(gunzip)(archive, { maxOutputLength }));
  } catch (thrown) {
    const tooMuch = (thrown as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
    return err(tooMuch ? tooLarge(limits) : malformed((thrown as Error).message));
  }
}

async function readEntries(
  reader: Extract,
  { filesMax, bytesMax }: ArchiveLimits,
): Promise<Result<BundleFiles, ArchiveError>> {
  const files = new Map<string, Uint8Array>();
  let entries = 0;
  let left = bytesMax;
  for await (const entry of reader) {
    const { name, type, size } = entry.header;
    const path = name.replace(/^(?:\.?\/)+/, "");
    const wrong = files.has(path) ? `${path} stands there twice` : wrongEntry(path, type, size);
    if (wrong !== undefined) return err(malformed(wrong));
    entries += 1;
    const content = await contentOf(entry, left);
    if (content === undefined || entries > filesMax) return err(tooLarge({ filesMax, bytesMax }));
    left -= content.length;
    if (type === "file") files.set(path, content);
  }
  return ok(files);
}

function wrongEntry(
  path: string,
  type: string | null | undefined,
  size: number | undefined,
): string | undefined {
  // A size in base 256 may be negative, or beyond what a number holds; then the reader waits for ever.
  if (size === undefined || !Number.isSafeInteger(size) || size < 0)
    return `${path} has no size that can be`;
  if (type !== "file" && type !== "directory") return `${path} is a ${type ?? "strange entry"}`;
  if (type === "file")
    return isPlainPath(path) ? undefined : `${JSON.stringify(path)} is no plain path`;
  // The reader would wait for ever for what such an entry does not have.
  return size === 0 ? undefined : `the directory ${path} has content`;
}

/** `a/b.rego`: no empty, `.` or `..` part, no backslash, nothing invisible. */
function isPlainPath(path: string): boolean {
  const plain = !/[\\\p{C}]/u.test(path);
  return plain && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

async function contentOf(
  entry: AsyncIterable<unknown>,
  bytesMax: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of entry) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > bytesMax) return undefined;
  }
  return Buffer.concat(chunks);
}

function malformed(detail: string): ArchiveError {
  return { kind: "malformed", detail: `not a bundle archive: ${detail}` };
}

function tooLarge({ filesMax, bytesMax }: ArchiveLimits): ArchiveError {
  return {
    kind: "too_large",
    detail: `a bundle has at most ${filesMax} files and ${bytesMax} bytes`,
  };
}
