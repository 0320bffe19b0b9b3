import { err, ok, type Result } from "./result.ts";
import { TransportFailure } from "./transport-failure.ts";

/** The whole of a small answer. The error is one sentence: it is larger than `bytesMax`, or it broke off. */
export async function readBody(
  { body }: { readonly body: AsyncIterable<Uint8Array> },
  bytesMax: number,
): Promise<Result<Uint8Array, string>> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += piece.length;
      if (bytes > bytesMax) return err(`the answer is larger than ${bytesMax} bytes`);
      pieces.push(piece);
    }
  } catch (thrown) {
    if (thrown instanceof TransportFailure)
      return err(`the answer broke off (${thrown.error.reason})`);
    throw thrown;
  }
  return ok(Buffer.concat(pieces));
}
