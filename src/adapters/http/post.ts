/** One POST that tells somebody something, and what came of it. */
import { err, ok, type Result } from "../../kernel/index.ts";
import {
  type HttpResponse,
  type HttpTransport,
  type NotifyError,
  TransportFailure,
} from "../../ports.ts";

export interface Posting {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const timeoutMs = 10_000;
const answerBytesMax = 64 * 1024;
const retryAfterMsMax = 3_600_000;

/** Ok is a 2xx. The address may be a secret, so no error names it. */
export async function postNotice(
  http: HttpTransport,
  { url, headers, body }: Posting,
): Promise<Result<void, NotifyError>> {
  const sent = await http.send({
    ...{ method: "POST", url, headers, body: Buffer.from(body) },
    ...{ headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
  });
  if (!sent.ok) {
    const { kind, reason } = sent.error;
    return err({
      kind: kind === "not_sent" ? "not_delivered" : "unknown",
      detail: `connection: ${reason}`,
    });
  }
  await discard(sent.value);
  const { status, headers: answered } = sent.value;
  if (status >= 200 && status < 300) return ok(undefined);
  const detail = `it answered with status ${status}`;
  const retryAfterMs = Number(answered["retry-after"]) * 1_000;
  const waits = retryAfterMs > 0 ? { retryAfterMs: Math.min(retryAfterMs, retryAfterMsMax) } : {};
  if (status === 429) return err({ kind: "not_delivered", detail, ...waits });
  // A server that failed may have taken it all the same.
  return err({ kind: status >= 500 || status === 408 ? "unknown" : "refused", detail, ...waits });
}

/** The status says it all. Whoever answers without end is left. */
async function discard({ body }: HttpResponse): Promise<void> {
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > answerBytesMax) return;
    }
  } catch (thrown) {
    if (!(thrown instanceof TransportFailure)) throw thrown;
  }
}
