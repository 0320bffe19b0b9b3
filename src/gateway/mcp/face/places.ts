/** How many requests of one caller are being answered; a stream counts until it ends. */
import type { FrontRequest, FrontResponse } from "../../http-front.ts";
import { InFlight } from "../../in-flight.ts";
import { rpcErrorResponse } from "../wire/inbound.ts";
import { rpcCode } from "../wire/json-rpc.ts";

export function placesOf(perCallerMax: number): InFlight {
  return new InFlight({ perAgentMax: perCallerMax, totalMax: Number.POSITIVE_INFINITY });
}

/** Serves in a place of `owner`, given back with the end of the answer or of the client; 429 when there is none. */
export async function inPlace(
  places: InFlight,
  owner: string,
  request: FrontRequest,
  serve: () => Promise<FrontResponse>,
): Promise<FrontResponse> {
  const leave = once(places.enter(owner));
  if (leave === undefined)
    return rpcErrorResponse(
      429,
      null,
      {
        code: rpcCode.invalidRequest,
        message: "Too many requests and streams are open; end some.",
      },
      { "retry-after": "1" },
    );
  request.signal.addEventListener("abort", leave, { once: true });
  try {
    const response = await serve();
    const { body } = response;
    if (!(body instanceof Uint8Array)) return { ...response, body: until(body, leave) };
    leave();
    return response;
  } catch (thrown) {
    leave();
    throw thrown;
  }
}

async function* until(
  body: AsyncIterable<Uint8Array>,
  leave: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    leave();
  }
}

function once(leave: (() => void) | undefined): (() => void) | undefined {
  let left = false;
  return (
    leave &&
    ((): void => {
      if (!left) leave();
      left = true;
    })
  );
}
