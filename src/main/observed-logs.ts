/** How far the logs of a deployment have come in the repositories where they are kept for good (AG-403 4.4). */

import { openDisk } from "../adapters/disk/index.ts";
import { checkpointPath, openCheckpoint, parseVkey } from "../audit/index.ts";
import { type AuditCanary, fillVerification, type Manifest } from "../failover/index.ts";
import { readBody } from "../kernel/index.ts";
import type { HttpTransport } from "../ports.ts";

const checkpointBytesMax = 64 * 1024;
const timeoutMs = 5_000;

interface KeptLog {
  readonly origin: string;
  readonly vkey: string;
  readonly repository: string;
}

/** Every log that a component of the manifest reads back, of every site. */
export function keptLogs({ components, sites }: Manifest): readonly KeptLog[] {
  const canaries = components.flatMap(({ verify }) =>
    verify.kind === "audit_canary" ? [verify] : [],
  );
  return canaries.flatMap((canary) =>
    sites.flatMap(({ id, variables }) => {
      const filled = fillVerification(canary, { site: id, nonce: "-", variables });
      if (!filled.ok) return [];
      const { log_key: vkey, repository } = filled.value as AuditCanary;
      const key = parseVkey(vkey);
      return key.ok ? [{ origin: key.value.name, vkey, repository }] : [];
    }),
  );
}

/** By origin; what cannot be read, or does not verify, is not there. */
export async function keptSizes(
  logs: readonly KeptLog[],
  http: HttpTransport,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const { origin, vkey, repository } of logs) {
    const key = parseVkey(vkey);
    const text = await checkpointAt(repository, http);
    const opened = key.ok && text !== undefined ? openCheckpoint(text, key.value) : undefined;
    if (opened?.ok) sizes.set(origin, Math.max(opened.value.size, sizes.get(origin) ?? 0));
  }
  return sizes;
}

async function checkpointAt(repository: string, http: HttpTransport): Promise<string | undefined> {
  if (!/^https?:/.test(repository)) {
    const file = await openDisk(repository).read(checkpointPath);
    return file.ok ? Buffer.from(file.value).toString() : undefined;
  }
  const url = `${repository.replace(/\/+$/, "")}/${checkpointPath}`;
  const times = { headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs };
  const sent = await http.send({ method: "GET", url, headers: {}, ...times });
  const body = sent.ok ? await readBody(sent.value, checkpointBytesMax) : undefined;
  return sent.ok && sent.value.status === 200 && body?.ok
    ? Buffer.from(body.value).toString()
    : undefined;
}
