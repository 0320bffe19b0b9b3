/** What is compared between sites is asked of the other guard, and brought here where it differs. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type FailoverConfig, manifestReader } from "../cli/index.ts";
import type { Drift } from "../failover/index.ts";
import { err, type JsonValue, parseJsonStrict, type Result, readBody } from "../kernel/index.ts";
import type { HttpTransport } from "../ports.ts";
import { digestOfFile } from "./parity-files.ts";

const answerBytesMax = 8 * 1024 * 1024;
const timeoutMs = 5_000;

export async function askParity(
  http: HttpTransport,
  url: string,
  nonce: string,
): Promise<Result<JsonValue, string>> {
  const body = await get(http, `${url}/parity?nonce=${nonce}`, {});
  return body.ok ? jsonOf(body.value) : body;
}

function jsonOf(bytes: Uint8Array): Result<JsonValue, string> {
  const parsed = parseJsonStrict(bytes);
  return parsed.ok ? parsed : err("the other guard answers no JSON");
}

/** The content of what other sites may bring to themselves. */
export async function fileAt(
  { manifest, parity_files: files }: FailoverConfig,
  name: string,
): Promise<string | undefined> {
  const path = name === "manifest" ? manifest : files.find((each) => basename(each) === name);
  return path === undefined ? undefined : await readFile(path, "utf8").catch(() => undefined);
}

/**
 * Replaces the manifest when a newer one that is rightly signed is there, and files where that is configured; each only
 * when it is what the other site has signed for. The answer names what was replaced.
 */
export async function synchronised(
  http: HttpTransport,
  failover: FailoverConfig,
  from: string,
  drifts: readonly Drift[],
): Promise<readonly string[]> {
  const done: string[] = [];
  for (const { of, there } of drifts) {
    const path =
      of === "manifest"
        ? failover.manifest
        : failover.parity_files.find((each) => basename(each) === of);
    if (path === undefined || (of !== "manifest" && !failover.synchronise_files)) continue;
    const headers = { authorization: `Bearer ${failover.token.reveal()}` };
    const got = await get(http, `${from}/file?name=${encodeURIComponent(of)}`, headers);
    if (!got.ok) continue;
    const bytes = Buffer.from(got.value);
    const right =
      of === "manifest" ? await isNewer(failover, bytes) : digestOfFile(path, bytes) === there;
    if (!right) continue;
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
    done.push(of);
  }
  return done;
}

/** An older manifest never replaces a newer one, whoever acts. */
async function isNewer(failover: FailoverConfig, bytes: Buffer): Promise<boolean> {
  const { manifest: path, manifest_keys: keys, signatures_min: signatures } = failover;
  const reader = await manifestReader();
  const now = new Date().toISOString();
  const own = reader.readSigned(
    await readFile(path, "utf8").catch(() => ""),
    keys,
    now,
    signatures,
  );
  const other = reader.readSigned(bytes.toString("utf8"), keys, now, signatures);
  if (!other.ok) return false;
  return !own.ok || other.value.manifest.version > own.value.manifest.version;
}

async function get(
  http: HttpTransport,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Result<Uint8Array, string>> {
  const sent = await http.send({
    ...{ method: "GET", url, headers, headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
  });
  if (!sent.ok) return err(`${url} does not answer (${sent.error.reason})`);
  const body = await readBody(sent.value, answerBytesMax);
  if (!body.ok) return body;
  return sent.value.status === 200 ? body : err(`${url} answers ${sent.value.status}`);
}
