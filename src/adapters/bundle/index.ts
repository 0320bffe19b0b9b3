/** An OPA bundle as an archive: a gzipped tar. The same files give the same bytes (sorted, no time, no owner). */
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip, gzip } from "node:zlib";
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
  const archive = pack();
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const name of [...files.keys()].sort())
    archive.entry(
      { name: `/${name}`, mtime: new Date(0), mode: 0o644 },
      Buffer.from(files.get(name) ?? []),
    );
  archive.finalize();
  await collected;
  const zipped = await promisify(gzip)(Buffer.concat(chunks), { level: 9 });
  // RFC 1952: the system it was made on. Unknown, so that every system makes the same bytes.
  zipped[gzipSystemAt] = gzipSystemUnknown;
  return zipped;
}

/** Reads every regular file. Names lose a leading `/` or `./`; other kinds of entry are refused. */
export async function readBundle(
  archive: Uint8Array,
  limits: ArchiveLimits = limitsDefault,
): Promise<Result<BundleFiles, ArchiveError>> {
  const reader = extract();
  const reading = readEntries(reader, limits);
  const feeding = pipeline([archive], createGunzip(), reader).catch((thrown: unknown) => thrown);
  try {
    const files = await reading;
    if (!files.ok) reader.destroy();
    const broken = await feeding;
    return files.ok && broken instanceof Error ? err(malformed(broken.message)) : files;
  } catch (thrown) {
    return err(malformed(thrown instanceof Error ? thrown.message : String(thrown)));
  }
}

async function readEntries(
  reader: Extract,
  { filesMax, bytesMax }: ArchiveLimits,
): Promise<Result<BundleFiles, ArchiveError>> {
  const files = new Map<string, Uint8Array>();
  let left = bytesMax;
  for await (const entry of reader) {
    const { name, type } = entry.header;
    const path = name.replace(/^(?:\.?\/)+/, "");
    if (type !== "file" && type !== "directory")
      return err(malformed(`${path} is a ${type ?? "strange entry"}`));
    if (files.has(path)) return err(malformed(`${path} stands there twice`));
    const content = await contentOf(entry, left);
    if (content === undefined || files.size >= filesMax)
      return err(tooLarge({ filesMax, bytesMax }));
    left -= content.length;
    if (type === "file") files.set(path, content);
  }
  return ok(files);
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
