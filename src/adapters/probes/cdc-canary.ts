/**
 * `cdc_canary`: a message goes through logical decoding to what its consumer has written down (AG-403 4.4). A consumer that hangs
 * keeps its slot active: only what arrives says that it works.
 */
import { open } from "node:fs/promises";
import type { CdcCanary } from "../../failover/index.ts";
import { err, ok, type Result } from "../../kernel/index.ts";
import { type Asked, queryOnce } from "../postgres/index.ts";
import { type Asking, type Found, fail, inconclusive, pass } from "./asking.ts";

export const canaryPrefix = "holdfast.canary";

const pollMs = 100;
const readBytesMax = 16 * 1024 * 1024;

/** How often the nonce is there; the error says why nobody knows. */
type Count = () => Promise<Result<number, string>>;

export async function cdcCanary(asking: Asking<CdcCanary>): Promise<Found> {
  const { verification, secrets } = asking;
  const { warehouse } = verification;
  const source = await secrets.read(verification.connection);
  if ("file" in warehouse) {
    const count = await fromEndOf(warehouse.file, asking.question.nonce);
    return await carried(asking, source, count);
  }
  const url = await secrets.read(warehouse.connection);
  const kept = await queryOnce(connectionOf(asking, url), async (ask) => {
    const count = counting(ask, warehouse.query, asking.question.nonce);
    // A query that cannot be answered now would not be answered later.
    const before = await count();
    if (!before.ok) return inconclusive(`the warehouse: ${before.error}`);
    return await carried(asking, source, count);
  });
  return kept.ok ? kept.value : inconclusive(`the warehouse: ${kept.error}`);
}

const connectionOf = ({ question, signal }: Asking, url: string) => ({
  ...{ url, signal, timeoutMs: question.timeoutMs, applicationName: "holdfast-cdc-canary" },
});

async function carried(asking: Asking<CdcCanary>, source: string, count: Count): Promise<Found> {
  const { question, clock, signal } = asking;
  const { site, nonce, timeoutMs } = question;
  const content = JSON.stringify({ site, nonce });
  const startedMs = clock.monotonicMs();
  const emitted = await queryOnce(connectionOf(asking, source), (ask) =>
    ask("SELECT pg_logical_emit_message(true, $1, $2)::text", [canaryPrefix, content]),
  );
  if (!emitted.ok) return inconclusive(`the message was not sent: ${emitted.error}`);
  const lsn = emitted.value[0]?.[0] ?? "";
  let seen = await count();
  while (!signal.aborted && !(seen.ok && seen.value > 0)) {
    await clock.sleep(pollMs, signal);
    const next = await count();
    // What an abort cut off is no news of the warehouse.
    if (!signal.aborted || next.ok) seen = next;
  }
  const latencyMs = Math.round(clock.monotonicMs() - startedMs);
  const copies = seen.ok ? seen.value : null;
  const more = { observed: { lsn, copies, latency_ms: latencyMs } };
  if (copies !== null && copies > 0)
    return pass(`what was written at ${lsn} arrived after ${latencyMs} ms`, more);
  if (!asking.isTimeUp()) return inconclusive("it was told to stop", more);
  if (!seen.ok) return inconclusive(`the warehouse: ${seen.error}`, more);
  return fail(`what was written at ${lsn} did not arrive within ${timeoutMs} ms`, more);
}

function counting(ask: Asked, query: string, nonce: string): Count {
  return async () => {
    try {
      const [[value] = []] = await ask(query, [nonce]);
      const count = Number(value);
      if (Number.isSafeInteger(count) && typeof value === "string") return ok(count);
      return err("its query answers no count");
    } catch (thrown) {
      return err(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
}

/** Only what is written from now on is looked at; a file that became shorter was begun anew. */
async function fromEndOf(file: string, nonce: string): Promise<Count> {
  let from = await sizeOf(file);
  return async () => {
    const size = await sizeOf(file);
    if (size < from) from = 0;
    if (size - from > readBytesMax) from = size - readBytesMax;
    const text = await textOf(file, from, size);
    return text.ok ? ok(text.value.split(nonce).length - 1) : text;
  };
}

async function sizeOf(file: string): Promise<number> {
  const handle = await open(file, "r").catch(() => undefined);
  const size = (await handle?.stat())?.size ?? 0;
  await handle?.close();
  return size;
}

async function textOf(file: string, from: number, to: number): Promise<Result<string, string>> {
  const handle = await open(file, "r").catch((thrown: NodeJS.ErrnoException) => thrown);
  if (handle instanceof Error) return err(`${file} cannot be read (${handle.code})`);
  try {
    const bytes = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
    return ok(bytes.subarray(0, bytesRead).toString("utf8"));
  } finally {
    await handle.close();
  }
}
