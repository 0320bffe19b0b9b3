/** A spine that decides what the test says, an identifier that knows one token, and an upstream that remembers. */
import type {
  Decision,
  Governed,
  Identifier,
  Judged,
  Spine,
  ToolRequest,
} from "../../../src/gateway/call.ts";
import type { FrontRequest } from "../../../src/gateway/http-front.ts";
import type { Identity } from "../../../src/identity/index.ts";
import { err, type JsonObject, ok, type Result } from "../../../src/kernel/index.ts";
import type {
  HttpRequest,
  HttpResponse,
  HttpTransport,
  TransportError,
} from "../../../src/ports.ts";

export const someone: Identity = {
  agent: "buyer",
  tenant: "acme",
  delegation: [],
  how: "development_token",
  expiresAtMs: 10,
  properties: {},
};

export const identifier: Identifier = {
  async identify(headers) {
    const authorization = [headers["authorization"]].flat()[0];
    if (authorization === "Bearer buyer") return { ok: true, identity: someone };
    if (authorization === "Bearer pep") return { ok: true, identity: { ...someone, agent: "pep" } };
    return { ok: false, status: 401, reason: "no token", challenge: "Bearer" };
  },
};

export interface FakeSpine extends Spine {
  readonly asked: ToolRequest[];
}

type Say = Partial<Decision> & { readonly args?: JsonObject; readonly receipt?: string };

/** `say` gives the decision for a request; allow when it returns nothing. */
export function fakeSpine(say: (request: ToolRequest) => Say = () => ({})): FakeSpine {
  const asked: ToolRequest[] = [];
  const decide = (request: ToolRequest): Governed<never> & { readonly args: JsonObject } => {
    asked.push(request);
    const { args = request.args, receipt, ...said } = say(request);
    const decision: Decision = {
      call_id: `call-${asked.length}`,
      decision: "allow",
      agent_id: request.identity.agent,
      tool: request.tool,
      effect: request.effectHint ?? "write",
      risk: "high",
      reason: "the test says so",
      policy_version: "rev-1",
      determining_rules: ["test/rule"],
      next: "Go on.",
      ...said,
    };
    return { decision, args, ...(receipt === undefined ? {} : { receipt }) };
  };
  return {
    asked,
    async govern(request, forward) {
      const { args, ...governed } = decide(request);
      const { decision } = governed;
      const through = decision.decision === "allow" || decision.decision === "sanitize";
      if (!through || decision.refusal !== undefined) return governed;
      const judged: Judged = {
        callId: decision.call_id,
        args,
        sanitized: decision.decision === "sanitize",
        idempotencyKey: decision.call_id,
        traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      };
      return { ...governed, forwarded: await forward(judged) };
    },
    async evaluate(request) {
      const { args: _, ...governed } = decide(request);
      return governed;
    },
    async search(search) {
      const { candidates, resultsMax, candidatesMax } = search;
      const results: JsonObject[] = [];
      let judged = 0;
      for (const candidate of candidates.slice(0, candidatesMax)) {
        if (results.length >= resultsMax) break;
        judged += 1;
        const result = search.resultOf(candidate, decide(search.requestOf(candidate)).decision);
        if (result !== undefined) results.push(result);
      }
      return ok({ callId: "search-1", policyVersion: "rev-1", results, judged, withheld: 0 });
    },
    catalog: () => [],
    couldCall: () => true,
    policyVersion: () => "rev-1",
    answered: async () => false,
    onPolicyChange: () => () => undefined,
  };
}

export interface FakeTransport extends HttpTransport {
  readonly sent: HttpRequest[];
}

export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: HttpResponse["headers"];
  readonly body?: string | AsyncIterable<Uint8Array>;
  readonly error?: TransportError;
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  if (text !== "") yield new TextEncoder().encode(text);
}

export function fakeTransport(answer: (request: HttpRequest) => FakeAnswer): FakeTransport {
  const sent: HttpRequest[] = [];
  return {
    sent,
    async send(request): Promise<Result<HttpResponse, TransportError>> {
      sent.push(request);
      const { status = 200, headers = {}, body = "{}", error } = answer(request);
      if (error !== undefined) return err(error);
      return ok({ status, headers, body: typeof body === "string" ? pieces(body) : body });
    },
  };
}

/** `target` is path and query. A body that is an object is sent as JSON. */
export function frontRequest(
  method: string,
  target: string,
  body?: JsonObject | string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): FrontRequest {
  const cut = target.indexOf("?");
  const text = typeof body === "object" ? JSON.stringify(body) : (body ?? "");
  const json = typeof body === "object" ? { "content-type": "application/json" } : {};
  const all = { authorization: "Bearer buyer", ...json, ...headers };
  return {
    method,
    path: cut === -1 ? target : target.slice(0, cut),
    query: cut === -1 ? "" : target.slice(cut + 1),
    headers: Object.fromEntries(Object.entries(all).map(([k, v]) => [k, [v].flat()])),
    body: new TextEncoder().encode(text),
    signal: new AbortController().signal,
  };
}

export async function bodyText(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

export async function bodyJson(
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<Record<string, unknown>> {
  return JSON.parse(await bodyText(body)) as Record<string, unknown>;
}
