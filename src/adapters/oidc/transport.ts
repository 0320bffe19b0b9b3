/** Carries what openid-client asks over `HttpTransport`: no redirects, no cloud metadata addresses, small answers only. */
import type { CustomFetch, CustomFetchOptions } from "openid-client";
import { type HttpTransport, TransportFailure } from "../../ports.ts";

const timeoutMs = 5_000;
const answerBytesMax = 512 * 1024;

export function fetchOver(http: HttpTransport): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const bytes = bytesOf(body);
    const sent = await http.send({
      ...{ method, url, headers: lowerCase(headers) },
      ...(bytes === undefined ? {} : { body: bytes }),
      ...(signal === undefined ? {} : { signal }),
      ...{ headTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs },
    });
    if (!sent.ok) throw new TransportFailure(sent.error);
    const { status, headers: answered } = sent.value;
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of sent.value.body) {
      size += piece.length;
      if (size > answerBytesMax)
        throw new Error(`${url} answers more than ${answerBytesMax} bytes`);
      pieces.push(piece);
    }
    const given = Object.entries(answered).flatMap(([name, values]) =>
      [values].flat().map((value): [string, string] => [name, value]),
    );
    const empty = status === 204 || status === 205 || status === 304;
    return new Response(empty ? null : Buffer.concat(pieces), { status, headers: given });
  };
}

function bytesOf(body: CustomFetchOptions["body"]): Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string" || body instanceof URLSearchParams) return Buffer.from(String(body));
  throw new TypeError("openid-client sent a body of a kind it does not use for sign-in");
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
