/** An answer, onto its socket. */
import type { ServerResponse } from "node:http";
import type { FrontResponse } from "../../gateway/index.ts";

/** Resolves when the last piece was handed over. A client that takes nothing of a stream for too long is cut off. */
export async function send(
  outgoing: ServerResponse,
  response: FrontResponse,
  stalledTimeoutMs: number,
): Promise<void> {
  const { body } = response;
  const headers = response.headers as Record<string, string | string[]>;
  if (body instanceof Uint8Array) {
    const sized =
      response.status === 204 || response.status === 304 ? {} : { "content-length": body.length };
    outgoing.writeHead(response.status, { ...headers, ...sized });
    outgoing.end(body);
    return;
  }
  outgoing.writeHead(response.status, headers);
  outgoing.flushHeaders();
  for await (const piece of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(piece)) await drained(outgoing, stalledTimeoutMs);
  }
  outgoing.end();
}

/** Resolves when the client took what waits for it; one that takes nothing for too long is cut off. */
async function drained(outgoing: ServerResponse, stalledTimeoutMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const stalled = setTimeout(() => outgoing.destroy(), stalledTimeoutMs);
    const done = (): void => {
      clearTimeout(stalled);
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.on("drain", done);
    outgoing.on("close", done);
  });
}
