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
  const once = async (request: HttpRequest): Promise<Sent> => {
    const added = await authorizer.headersFor(server);
    if (!added.ok)
      return { answer: err({ kind: "not_sent", reason: "withheld", detail: added.error.detail }) };
    const answer = await transport.send({
      ...request,
      headers: { ...request.headers, ...added.value },
    });
    return { answer, ...(answer.ok && { refused: refusalIn(answer.value, added.value) }) };
  };
  const send = async (request: HttpRequest): Promise<Result<HttpResponse, TransportError>> => {
    for (let sends = 1; ; sends++) {
      const { answer, refused } = await once(request);
      if (!answer.ok || refused === undefined || sends === sendsMax) return answer;
      const { status, challenge, credentials } = refused;
      const next = await authorizer.onChallenge(server, status, challenge, credentials);
      if (next !== "retry") return answer;
      await drained(answer.value.body);
    }
  };
  return { send };
}

interface Sent {
  readonly answer: Result<HttpResponse, TransportError>;
  readonly refused?: Refused | undefined;
}

interface Refused {
  readonly status: number;
  readonly challenge: string | undefined;
  readonly credentials: Readonly<Record<string, string>>;
}

function refusalIn(
  { status, headers }: HttpResponse,
  credentials: Readonly<Record<string, string>>,
): Refused | undefined {
  if (status !== 401 && status !== 403) return undefined;
  return { status, challenge: [headers["www-authenticate"] ?? []].flat()[0], credentials };
}

/** Lets the connection go; what a refusal says is of no further use. */
async function drained(body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) if (chunk.length > 64 * 1024) break;
  } catch {
    // The refusal was read already.
  }
}
