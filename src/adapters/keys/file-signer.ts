/** An Ed25519 key in a file: PKCS#8 PEM, readable by its owner alone, made on first use. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { err, ok, type Result } from "../../kernel/index.ts";
import type { Signer } from "../../ports.ts";

export interface KeyFileError {
  readonly path: string;
  /** What is wrong and what to do. */
  readonly detail: string;
}

/** Opens the key, or makes it when the file is absent. `name` is the name it signs under. */
export async function openSigner(
  path: string,
  name: string,
): Promise<Result<Signer, KeyFileError>> {
  try {
    const pem = (await readPem(path)) ?? (await makePem(path));
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      return err({ path, detail: `others can read the private key: chmod 600 ${path}` });
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== "ed25519")
      return err({ path, detail: `the key is ${key.asymmetricKeyType}, not Ed25519` });
    return ok(signer(name, key));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return err({ path, detail: `no Ed25519 key in PKCS#8 PEM: ${detail}` });
  }
}

function signer(name: string, key: KeyObject): Signer {
  // SPKI of Ed25519 ends in the 32 raw bytes (RFC 8410).
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { name, publicKey, sign: (message) => sign(null, message, key) };
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
async function makePem(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}.tmp`;
  const handle = await open(aside, "wx", 0o600);
  try {
    await handle.writeFile(pem);
    await handle.sync();
  } finally {
    await handle.close();
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
