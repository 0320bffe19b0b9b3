/** The Ed25519 private key that signs local tokens: one JWK in one file that only its owner can read. */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { thumbprint } from "../../identity/index.ts";
import {
  err,
  isJsonObject,
  type JsonObject,
  ok,
  parseJsonStrict,
  type Result,
} from "../../kernel/index.ts";

export interface TokenKeyError {
  readonly path: string;
  /** What is wrong and what to do. */
  readonly detail: string;
}

/** The private JWK at `path`; made, with mode 0600, when there is no file. */
export async function openTokenKey(path: string): Promise<Result<JsonObject, TokenKeyError>> {
  try {
    return ok(await make(path));
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") {
      return err({ path, detail: `${path} cannot be made (${codeOf(thrown)}).` });
    }
  }
  try {
    return await read(path);
  } catch (thrown) {
    return err({ path, detail: `${path} cannot be read (${codeOf(thrown)}).` });
  }
}

/** Written aside and linked into place, so that the file is never there half written; throws EEXIST when it is there. */
async function make(path: string): Promise<JsonObject> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = privateKey.export({ format: "jwk" }) as JsonObject;
  const named = { ...jwk, kid: thumbprint(jwk) };
  const aside = `${path}.${randomUUID()}.tmp`;
  const file = await open(aside, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(named)}\n`);
    await file.sync();
    await link(aside, path);
    return named;
  } finally {
    await file.close();
    await unlink(aside);
  }
}

async function read(path: string): Promise<Result<JsonObject, TokenKeyError>> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    return err({ path, detail: `${path} can be read by others. Run: chmod 600 ${path}` });
  }
  const parsed = parseJsonStrict(await readFile(path), { bytesMax: 16_384 });
  const jwk = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
  const { kty, crv, d } = jwk ?? {};
  if (jwk === undefined || kty !== "OKP" || crv !== "Ed25519" || typeof d !== "string") {
    return err({ path, detail: `${path} is not an Ed25519 private key as a JWK.` });
  }
  return ok(jwk);
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
}
