/** A private key in a file: PKCS#8 PEM, mode 0600, made on first use. */
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { err, ok, type Result } from "../../kernel/index.ts";

export interface KeyFileError {
  readonly path: string;
  /** What is wrong and what to do. */
  readonly detail: string;
}

/** The PEM in the file, or what `make` gives when there is none yet. Refuses a file that others can read. */
export async function openPem(
  path: string,
  make: () => string,
): Promise<Result<string, KeyFileError>> {
  try {
    const pem = (await readPem(path)) ?? (await keep(path, make()));
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      return err({ path, detail: `others can read the private key: chmod 600 ${path}` });
    return ok(pem);
  } catch (error) {
    return err({ path, detail: error instanceof Error ? error.message : String(error) });
  }
}

async function readPem(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Written aside and linked into place: of two processes that begin together one makes the key, both use it. */
async function keep(path: string, pem: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}.tmp`;
  const file = await open(aside, "wx", 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(aside, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(aside, { force: true });
  }
  const folder = await open(dirname(path), "r");
  await folder.sync();
  await folder.close();
  return readFile(path, "utf8");
}
