/** A request as it can be kept, and sent when nobody waits for its answer any more. */
import type { Later } from "../call.ts";
import type { FrontRequest } from "../http-front.ts";
import type { ReadBody } from "./body.ts";
import { requestHeaders, upstreamIdempotencyKey } from "./headers.ts";
import type { ResolvedCall } from "./send.ts";

/** The headers that cross, and the body's form; its value is among the arguments, unless only its digest is. */
export function laterCall(
  call: Pick<ResolvedCall, "upstream" | "tool" | "identity" | "clientKey">,
  request: FrontRequest,
  { kind, mediaType, contentType, value, bytes }: ReadBody,
  callId: string,
): Later {
  const { upstream, tool, identity, clientKey } = call;
  const opaque =
    kind === "opaque" && bytes !== undefined
      ? { value: value ?? null, bytes: Buffer.from(bytes).toString("base64") }
      : {};
  return {
    carry: {
      headers: requestHeaders(request.headers, upstream.forwardHeaders),
      body: { kind, mediaType, contentType, ...opaque },
    },
    idempotencyKey: upstreamIdempotencyKey(identity, tool, clientKey, callId),
    ...(clientKey === undefined ? {} : { repeats: clientKey }),
  };
}
