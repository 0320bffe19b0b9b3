/** Requests the aggregate makes to the face of one upstream, as if its client had made them there. */
import { type JsonObject, sliceJson } from "../../../kernel/index.ts";
import type { FrontFace, FrontRequest, FrontResponse } from "../../http-front.ts";
import { sseEvents } from "./sse.ts";
import { jsonBytes } from "./upstream.ts";

const encoder = new TextEncoder();

/** The client's request with another body, and headers replaced or (undefined) left out. */
export function innerRequest(
  outer: FrontRequest,
  body: JsonObject | undefined,
  headers: Readonly<Record<string, string | undefined>>,
  method = "POST",
): FrontRequest {
  const changed: Record<string, readonly string[]> = { ...outer.headers };
  delete changed["content-length"];
  for (const [name, value] of Object.entries({ "content-type": "application/json", ...headers }))
    if (value === undefined) delete changed[name];
    else changed[name] = [value];
  return {
    ...outer,
    method,
    headers: changed,
    body: body === undefined ? new Uint8Array() : jsonBytes(body),
  };
}

export interface InnerAnswer {
  readonly status: number;
  readonly headers: FrontResponse["headers"];
  /** The JSON-RPC response; undefined when there was none. */
  readonly message: Uint8Array | undefined;
}

/** Asks and waits for the response; what comes before it is dropped. */
export async function innerAnswer(
  face: FrontFace,
  request: FrontRequest,
  answerBytesMax: number,
): Promise<InnerAnswer> {
  const { status, headers, body } = await face(request);
  if (body instanceof Uint8Array)
    return { status, headers, message: body.length === 0 ? undefined : body };
  for await (const { data } of sseEvents(body, answerBytesMax)) {
    const message = data === undefined ? undefined : encoder.encode(data);
    if (message !== undefined && isResponse(message)) return { status, headers, message };
  }
  return { status, headers, message: undefined };
}

function isResponse(message: Uint8Array): boolean {
  return sliceJson(message, ["id"]) !== undefined && sliceJson(message, ["method"]) === undefined;
}
