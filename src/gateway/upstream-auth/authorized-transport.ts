/** An upstream's transport that proves the gateway to it, and answers its challenges. */
import { err, type Result } from "../../kernel/index.ts";
import type { HttpRequest, HttpResponse, HttpTransport, TransportError } from "../../ports.ts";
import type { UpstreamAuthorizer } from "./authorizer.ts";

/** A first answer, a token, a wider scope, and one to spare. */
const sendsMax = 4;

/**
 * Adds the credentials of `server` to each request. A request is sent again only after 401 or 403, which say that the
 * upstream did nothing with it (RFC 9110 §15.5.2, §15.5.4).
 */
export function authorizedTransport(
  transport: HttpTransport,
  server: string,
  authorizer: UpstreamAuthorizer,
): HttpTransport {
  const send = async (request: HttpRequest): Promise<Result<HttpResponse, TransportError>> => {
    for (let sends = 1; ; sends++) {
      const added = await authorizer.headersFor(server);
      if (!added.ok)
        return err({ kind: "not_sent", reason: "refused", detail: added.error.detail });
      const headers = { ...request.headers, ...added.value };
      const sent = await transport.send({ ...request, headers });
      if (!sent.ok || sends === sendsMax) return sent;
      const { status } = sent.value;
      if (status !== 401 && status !== 403) return sent;
      const challenge = [sent.value.headers["www-authenticate"] ?? []].flat()[0];
      const answer = await authorizer.onChallenge(server, status, challenge, added.value);
      if (answer !== "retry") return sent;
      await drained(sent.value.body);
    }
  };
  return { send };
}

/** Lets the connection go; what a refusal says is of no further use. */
async function drained(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) if (chunk.length > 64 * 1024) break;
  } catch {
    // The refusal was read already.
  }
}
