/** The files that must be the same at every site, by the digest of what each means. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { bytesDigest, formOf, structuredDigest, textDigest } from "../failover/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { parseSource, sourceValue } from "../policy/index.ts";

/** Names are those of the files without their folders, which differ from site to site. */
export async function parityFiles(
  paths: readonly string[],
): Promise<Result<Readonly<Record<string, string>>, string>> {
  const digests: Record<string, string> = {};
  for (const path of paths) {
    try {
      digests[basename(path)] = digestOfFile(path, await readFile(path));
    } catch (thrown) {
      return err(`${path} cannot be read (${(thrown as NodeJS.ErrnoException).code ?? thrown})`);
    }
  }
  return ok(digests);
}

/** What cannot be read as what its name says is compared byte by byte. */
export function digestOfFile(path: string, bytes: Buffer): string {
  const form = formOf(basename(path));
  if (form === "bytes") return bytesDigest(bytes);
  if (form !== "structured") return textDigest(bytes.toString("utf8"), form);
  const documents = bytes.toString("utf8").split(/^---\s*$/m);
  const values = documents
    .filter((text) => text.trim() !== "")
    .map((text) => {
      const { root, diagnostics } = parseSource(path, text);
      return root === undefined || diagnostics.length > 0
        ? undefined
        : sourceValue(root, () => undefined);
    });
  const read = values.filter((value) => value !== undefined);
  return read.length === values.length ? structuredDigest(read) : bytesDigest(bytes);
}
