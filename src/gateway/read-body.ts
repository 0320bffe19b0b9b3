import { err, ok, type Result } from "../kernel/index.ts";
import { type HttpResponse, TransportFailure } from "../ports.ts";

/** The whole body of a small answer, for documents the gateway itself asks for; the error is one sentence. */
export async function readBody(
  response: HttpResponse,
  bytesMax: number,
): Promise<Result<Uint8Array, string>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of response.body) {
      size += piece.length;
      if (size > bytesMax) return err(`the answer is larger than ${bytesMax} bytes`);
      pieces.push(piece);
    }
  } catch (thrown) {
    if (thrown instanceof TransportFailure) return err(thrown.message);
    throw thrown;
  }
  return ok(Buffer.concat(pieces));
}
