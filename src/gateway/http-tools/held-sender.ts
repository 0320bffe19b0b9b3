/** Sends held requests, as their face would have sent them. */
import { err, isJsonObject, type JsonObject, ok, splitToolId } from "../../kernel/index.ts";
import type { HttpTransport } from "../../ports.ts";
import type { Sender } from "../escrow/index.ts";
import type { FrontRequest } from "../http-front.ts";
import type { BodyKind, ReadBody } from "./body.ts";
import type { HttpUpstream } from "./http-tools.ts";
import { type HttpToolLimits, httpToolLimits } from "./refusal.ts";
import type { HttpRoute } from "./routes.ts";
import { type ResolvedCall, sendJudged, unheard } from "./send.ts";

/** Sends held calls of one upstream. What the upstream answers is recorded by its digest and told to nobody. */
export function httpSender(
  upstream: HttpUpstream,
  transport: HttpTransport,
  givenLimits: Partial<HttpToolLimits> = {},
): Sender {
  const limits: HttpToolLimits = { ...httpToolLimits, ...givenLimits };
  return ({ tool, method, identity }, carry) => {
    const route = routeOf(upstream, splitToolId(tool).tool);
    if (route === undefined) return err(`${tool} is no tool of ${upstream.name} any more`);
    const body = bodyOf(carry);
    const headers = headersOf(carry);
    if (body === undefined || headers === undefined)
      return err("it was not held back by a Holdfast like this one");
    const call: ResolvedCall = {
      ...{ upstream, route, effect: "write", tool, identity, body },
      clientKey: undefined,
    };
    // Nobody can leave: the signal never aborts.
    const request = { method, headers, signal: new AbortController().signal };
    return ok(async (judged) =>
      unheard(await sendJudged(call, judged, request, transport, limits)),
    );
  };
}

function routeOf({ routes }: HttpUpstream, name: string): HttpRoute | undefined {
  const cut = name.indexOf(" ");
  const [method, template] = [name.slice(0, cut), name.slice(cut + 1)];
  if (routes === undefined) return { method, template };
  return routes.routes.find((route) => route.method === method && route.template === template);
}

function bodyOf({ body }: JsonObject): ReadBody | undefined {
  if (!isJsonObject(body)) return undefined;
  const { kind, mediaType, contentType, value, bytes } = body;
  if (typeof kind !== "string" || typeof mediaType !== "string" || typeof contentType !== "string")
    return undefined;
  return {
    ...{ kind: kind as BodyKind, mediaType, contentType },
    ...(value === undefined ? {} : { value }),
    ...(typeof bytes === "string" ? { bytes: Buffer.from(bytes, "base64") } : {}),
  };
}

function headersOf({ headers }: JsonObject): FrontRequest["headers"] | undefined {
  if (!isJsonObject(headers)) return undefined;
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, [String(text)]]));
}
