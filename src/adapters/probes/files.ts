/** `files`: a file, or every file of a folder, has the content it must have. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FilesVerification } from "../../failover/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

const filesMax = 10_000;
const depthMax = 32;

export async function files({
  verification: { path, digest },
  question,
  signal,
  isTimeUp,
}: Asking<FilesVerification>): Promise<Found> {
  try {
    const seen = await digestOfFiles(path, signal);
    // They are our own machine's, so nobody else can answer for them.
    const echo = { site: question.site, nonce: question.nonce };
    const more = { observed: { digest: seen, config_digest: seen }, echo };
    if (seen === digest) return pass(`${path} has the digest it must have`, more);
    return fail(`${path} has the digest ${seen}, expected ${digest}`, more);
  } catch (thrown) {
    if (isTimeUp()) return inconclusive(`${path} was not read within ${question.timeoutMs} ms`);
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
    if (code === "ENOENT") return fail(`${path} is not there`);
    throw thrown;
  }
}

/**
 * `sha256:<hex>` of a file's bytes; of a folder, of the lines `<hex>  <path>` that `sha256sum` prints for its files, sorted by the
 * bytes of their paths. Links are followed, so a file counts however it is there. Names that begin with `..` are left out: Kubernetes
 * keeps the versions of a mounted volume there, under a name that changes with each.
 */
export async function digestOfFiles(path: string, signal: AbortSignal): Promise<string> {
  if (!(await stat(path)).isDirectory()) return `sha256:${await sha256OfFile(path, signal)}`;
  const found: string[] = [];
  await walk(path, "", found, 0);
  const sorted = found.map((name) => Buffer.from(name)).sort(Buffer.compare);
  const list = createHash("sha256");
  for (const name of sorted)
    list.update(`${await sha256OfFile(join(path, name.toString()), signal)}  ${name}\n`);
  return `sha256:${list.digest("hex")}`;
}

async function walk(root: string, below: string, found: string[], depth: number): Promise<void> {
  if (depth > depthMax) throw new Error(`${root} is over ${depthMax} folders deep`);
  for (const name of await readdir(join(root, below))) {
    if (name.startsWith("..")) continue;
    if (/[\n\\]/.test(name)) throw new Error(`a name in ${root} holds a line break or a backslash`);
    const path = below === "" ? name : `${below}/${name}`;
    const about = await stat(join(root, path));
    if (about.isDirectory()) await walk(root, path, found, depth + 1);
    else if (about.isFile()) found.push(path);
    else throw new Error(`${path} in ${root} is neither a file nor a folder`);
    if (found.length > filesMax) throw new Error(`${root} holds over ${filesMax} files`);
  }
}

async function sha256OfFile(path: string, signal: AbortSignal): Promise<string> {
  const about = await stat(path);
  if (!about.isFile()) throw new Error(`${path} is neither a file nor a folder`);
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { signal })) hash.update(piece as Buffer);
  return hash.digest("hex");
}
