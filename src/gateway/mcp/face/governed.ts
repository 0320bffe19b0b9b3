/** A request that carries an action: decided, recorded, sent as the value that was judged, and its answer held until the outcome is recorded. */
import { isJsonObject, type JsonObject, type Result } from "../../../kernel/index.ts";
import type { HttpResponse, TransportError } from "../../../ports.ts";
import type { Forwarded, Governed, Judged, ToolRequest } from "../../call.ts";
import { type FrontResponse, jsonResponse } from "../../http-front.ts";
import { deferred } from "../wire/deferred.ts";
import { errorMessage, idKey, type RpcRequest, rpcCode } from "../wire/json-rpc.ts";
import { actionOf, type GovernedAction, treatmentOf } from "../wire/methods.ts";
import { Outlet } from "../wire/outlet.ts";
import { paramHeadersFor } from "../wire/param-headers.ts";
import { failureMessage, refusalMessage, withDecision } from "../wire/refusals.ts";
import { sseMessage } from "../wire/sse.ts";
import {
  outgoingMeta,
  overrideOf,
  rpcErrors,
  toolErrors,
  traceOf,
  versionOf,
} from "../wire/trace.ts";
import {
  contentTypeOf,
  jsonBytes,
  returnedHeaders,
  sendUpstream,
  unread,
  wholeBody,
} from "../wire/upstream.ts";
import { ApprovalHold, pendingApproval } from "./approval-hold.ts";
import {
  aborted,
  asTransportError,
  type Came,
  forwardedOf,
  notSent,
  unknown,
  unreadableMessage,
  usedState,
} from "./came.ts";
import type { CatalogTool } from "./catalog.ts";
import { dryRunAnswer } from "./dry-run.ts";
import type { Exchange } from "./exchange.ts";
import { judgedInput } from "./input-questions.ts";
import { laterCall } from "./later.ts";
import { answeredId, pumpEvents, type Screen } from "./relay.ts";
import { screenOf } from "./server-requests.ts";
import { ownerOf } from "./sessions.ts";

/** Governs one request of a client. Resolves when the head of the answer is known. Never rejects. */
export function governRequest(
  exchange: Exchange,
  message: RpcRequest,
  tool: CatalogTool | undefined,
): Promise<FrontResponse> {
  const outlet = new Outlet(exchange.request.signal);
  const run = new GovernedRequest(exchange, message, tool, outlet);
  run.run().catch((thrown: unknown) => {
    exchange.log.write("error", "mcp.call_failed", { detail: String(thrown) });
    run.refuseBroken();
  });
  return outlet.response;
}

class GovernedRequest {
  readonly #exchange: Exchange;
  #message: RpcRequest;
  readonly #tool: CatalogTool | undefined;
  readonly #outlet: Outlet;
  #action: GovernedAction;
  /** The final message has come and waits, in its place in the stream, for `#release`. */
  #held = false;
  #release: (bytes: Uint8Array) => void = () => undefined;

  constructor(
    exchange: Exchange,
    message: RpcRequest,
    tool: CatalogTool | undefined,
    outlet: Outlet,
  ) {
    this.#exchange = exchange;
    this.#message = message;
    this.#tool = tool;
    this.#outlet = outlet;
    this.#action = this.#actionOf();
  }

  async run(): Promise<void> {
    const { approvalHold: rules } = this.#exchange;
    if (rules === undefined) return await this.#answer(await this.#govern());
    const hold = new ApprovalHold(this.#exchange, rules, this.#message);
    const resumed = await hold.resumed();
    if (!resumed.ok) return this.#tell(usedState(this.#message.id));
    this.#message = resumed.message;
    this.#action = this.#actionOf();
    // A leg that was asked about before goes on waiting before anything is decided again.
    if (resumed.leg !== undefined) await this.#waits(hold, resumed.leg.approvalId);
    let governed = await this.#govern();
    for (let pending = pendingApproval(governed); pending !== undefined; ) {
      if (!(await this.#waits(hold, pending))) break;
      governed = await this.#govern();
      pending = pendingApproval(governed);
    }
    const next = pendingApproval(governed) === undefined ? undefined : await hold.next(governed);
    return next === undefined ? await this.#answer(governed) : this.#tell(next);
  }

  #govern(): Promise<Governed<Came>> {
    return this.#exchange.spine.govern(this.#toolRequest(), (judged) => this.#forward(judged));
  }

  #actionOf(): GovernedAction {
    const { method, params } = this.#message;
    return actionOf(this.#exchange.upstream.server, method, params);
  }

  /** While it waits the call can be cancelled, in the way of its era. */
  async #waits(hold: ApprovalHold, approvalId: string): Promise<boolean> {
    const { open, spine, request } = this.#exchange;
    const key = idKey(this.#message.id);
    const cancelled = new AbortController();
    const unanswered = async (message: Uint8Array): Promise<Uint8Array> => message;
    if (!open.add(key, unanswered, () => cancelled.abort())) return false;
    try {
      const signal = AbortSignal.any([cancelled.signal, request.signal]);
      return await hold.answered(spine, approvalId, signal);
    } finally {
      open.remove(key, unanswered);
    }
  }

  async #answer(governed: Governed<Came>): Promise<void> {
    const answer = governed.forwarded?.answer;
    if (answer === undefined) this.#tell(refusalMessage(this.#asked(), governed));
    else if (answer.kind === "failed")
      this.#tell(failureMessage(this.#asked(), governed, answer.error));
    else if (answer.kind === "response") this.#outlet.whole(answer.response);
    else answer.release(await this.#released(answer.message, governed));
  }

  /** What the client is sent for the held answer: nothing in it speaks as the gateway, or asks the client unjudged. */
  async #released(message: Uint8Array, governed: Governed<Came>): Promise<Uint8Array> {
    const decided = withDecision(message, governed);
    if (decided === undefined) return jsonBytes(unreadableMessage(this.#message.id));
    // Last: a refused question is answered with its own decision.
    return this.#exchange.era === "modern"
      ? await judgedInput(this.#exchange, this.#asked(), decided)
      : decided;
  }

  /** A promise of our own was broken: whatever the upstream said is withheld. */
  refuseBroken(): void {
    this.#tell(
      errorMessage(this.#message.id, {
        code: rpcCode.internalError,
        message: "The gateway failed and withheld the answer. The call may have taken effect.",
      }),
    );
  }

  /** A message of our own as the answer, in whichever form the answer has begun. */
  #tell(message: JsonObject): void {
    if (!this.#outlet.streaming) {
      this.#outlet.whole(jsonResponse(200, message));
    } else if (this.#held) {
      this.#release(jsonBytes(message));
    } else {
      const last = this.#outlet.write(sseMessage(JSON.stringify(message)));
      last.then(() => this.#outlet.end()).catch(() => undefined);
    }
  }

  #asked(): Parameters<typeof refusalMessage>[0] {
    return {
      id: this.#message.id,
      method: this.#message.method,
      era: this.#exchange.era,
      hasOutputSchema: this.#tool?.hasOutputSchema ?? false,
    };
  }

  #toolRequest(): ToolRequest {
    const { method, params, id } = this.#message;
    const treatment = treatmentOf(method);
    const retry = params["inputResponses"];
    return {
      face: "mcp",
      method,
      identity: this.#exchange.identity,
      tool: this.#action.tool,
      args: this.#action.args,
      requestId: String(id),
      ...(method === "resources/read"
        ? { resource: { type: "resource", id: String(params["uri"]), properties: {} } }
        : {}),
      ...(treatment.kind === "governed" && treatment.effect !== "tool"
        ? { effectHint: treatment.effect }
        : {}),
      ...(this.#tool === undefined ? {} : { definition: this.#tool.definition }),
      ...laterCall(this.#message, this.#tool),
      ...(isJsonObject(retry) ? { context: { mcp: { input_responses: retry } } } : {}),
      ...traceOf(this.#exchange.request, params),
      ...versionOf(this.#exchange.request),
      ...overrideOf(this.#exchange.request, params),
      errorClass: method === "tools/call" ? toolErrors : rpcErrors,
    };
  }

  async #forward(judged: Judged): Promise<Forwarded<Came>> {
    if (judged.isDryRun === true) return await this.#dryRun(judged);
    const came = await this.#send(judged).catch(
      (thrown: unknown): Came => ({ kind: "failed", error: asTransportError(thrown) }),
    );
    return { ...forwardedOf(came), ...(this.#outlet.streaming ? { hasBegun: true } : {}) };
  }

  async #dryRun(judged: Judged): Promise<Forwarded<Came>> {
    const params = this.#action.paramsWith(judged.args);
    const request = { method: this.#message.method, params };
    const message = await dryRunAnswer(this.#exchange, request, this.#tool, judged);
    return forwardedOf(
      message === undefined
        ? { kind: "failed", error: unknown("no answer came") }
        : { kind: "message", message, release: () => undefined },
    );
  }

  #outgoing(judged: Judged): { headers: Record<string, string>; body: Uint8Array } {
    const { value, params } = this.#message;
    const judgedParams = this.#action.paramsWith(judged.args);
    const meta = outgoingMeta(params, judged);
    const body: JsonObject = {
      ...value,
      params: meta === undefined ? judgedParams : { ...judgedParams, _meta: meta },
    };
    const headers: Record<string, string> = {
      ...this.#exchange.headers,
      "idempotency-key": judged.idempotencyKey,
      traceparent: judged.traceparent,
    };
    delete headers["tracestate"];
    if (judged.tracestate !== undefined) headers["tracestate"] = judged.tracestate;
    // A client of the older era sends none of these headers; a stateless server behind the bridge needs them.
    const { era, writesParamHeaders } = this.#exchange;
    if (judged.sanitized || writesParamHeaders || era === "legacy") {
      const mirrored = paramHeadersFor(this.#tool?.paramHeaders ?? [], judged.args);
      for (const name of mirrored.absent) delete headers[name];
      Object.assign(headers, mirrored.set);
    }
    return { headers, body: jsonBytes("params" in value ? body : value) };
  }

  async #send(judged: Judged): Promise<Came> {
    const { open, limits, era, request, clock } = this.#exchange;
    const key = idKey(this.#message.id);
    const final = deferred<Uint8Array>();
    const release = deferred<Uint8Array>();
    this.#release = release.resolve;
    const rewrite = (message: Uint8Array): Promise<Uint8Array> => {
      this.#held = true;
      final.resolve(message);
      return release.promise;
    };
    const cancelled = new AbortController();
    if (!open.add(key, rewrite, () => cancelled.abort()))
      return { kind: "failed", error: notSent("another request with this id is still open") };
    const came = new AbortController();
    const signal = anyOf([
      cancelled.signal,
      // Closing the stream cancels in the stateless era only.
      ...(era === "modern" ? [request.signal] : []),
      ...(judged.timeUp === undefined ? [] : [judged.timeUp]),
    ]);
    const late = clock.sleep(limits.answerTimeoutMs, came.signal).then((): Came => {
      if (!came.signal.aborted) cancelled.abort();
      return { kind: "failed", error: unknown("no answer came in time", "timeout") };
    });
    try {
      return await Promise.race([
        late,
        this.#answered(judged, final.promise, release.resolve, signal),
        aborted(signal),
      ]);
    } finally {
      came.abort();
      open.remove(key, rewrite);
    }
  }

  async #answered(
    judged: Judged,
    final: Promise<Uint8Array>,
    release: (bytes: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<Came> {
    const { upstream, limits, identity } = this.#exchange;
    const owner = ownerOf(identity);
    const out = { method: "POST", owner, signal, ...this.#outgoing(judged) } as const;
    const sent = await sendUpstream(upstream, out, limits.callTimeoutMs);
    if (!sent.ok) return { kind: "failed", error: sent.error };
    return contentTypeOf(sent.value) === "text/event-stream"
      ? await this.#streamed(sent.value, final, release, signal)
      : await this.#whole(sent.value, judged);
  }

  async #streamed(
    response: HttpResponse,
    final: Promise<Uint8Array>,
    release: (bytes: Uint8Array) => void,
    cancelled: AbortSignal,
  ): Promise<Came> {
    const { open, limits, clock, unclaimed } = this.#exchange;
    this.#outlet.begin(response.status, returnedHeaders(response));
    const done = new AbortController();
    const pumped: Promise<Result<{ resumable: boolean }, TransportError>> = pumpEvents(
      response,
      this.#outlet,
      open,
      limits.answerBytesMax,
      unclaimed,
      this.#screen(),
    ).then(
      (value) => ({ ok: true, value }),
      (thrown: unknown) => ({ ok: false, error: asTransportError(thrown) }),
    );
    const message = final.then((bytes) => ({ kind: "message" as const, message: bytes, release }));
    const ended = pumped.then(async (end): Promise<Came> => {
      if (end.ok && end.value.resumable) {
        this.#outlet.end();
        await clock.sleep(limits.resumeTimeoutMs, AbortSignal.any([cancelled, done.signal]));
      }
      const broken = unknown("the stream ended without an answer");
      return { kind: "failed", error: end.ok ? broken : end.error };
    });
    const came = await Promise.race([message, ended]);
    done.abort();
    if (came.kind === "message") pumped.then(() => this.#outlet.end()).catch(() => undefined);
    return came;
  }

  /** A second answer to the call is nobody's: the first is the one that was recorded. */
  #screen(): Screen {
    const screen = screenOf(this.#exchange);
    const key = idKey(this.#message.id);
    return async (message, relay, ended) =>
      (this.#held && answeredId(message) === key) || (await screen(message, relay, ended));
  }

  async #whole(response: HttpResponse, { isRepeat }: Judged): Promise<Came> {
    const { status } = response;
    // Whoever failed before has begun anew without the session. What the first attempt came to is still the answer.
    if (isRepeat === true && status === 404 && "mcp-session-id" in this.#exchange.headers) {
      unread(response);
      return { kind: "failed", error: notSent("the server has forgotten the session") };
    }
    const body = await wholeBody(response, this.#exchange.limits.answerBytesMax);
    if (body === undefined)
      return { kind: "failed", error: unknown("the answer is larger than the gateway accepts") };
    if (status === 401 || status === 403)
      return { kind: "failed", error: unknown(`the server refused the gateway (HTTP ${status})`) };
    const headers = returnedHeaders(response);
    const isAnswer = answeredId(body) === idKey(this.#message.id);
    if (!isAnswer && status < 300 && body.length > 0)
      return { kind: "failed", error: unknown("the answer is not one to this request") };
    if (!isAnswer) return { kind: "response", response: { status, headers, body } };
    const release = (bytes: Uint8Array): void =>
      this.#outlet.whole({ status, headers, body: bytes });
    return { kind: "message", message: body, release };
  }
}

/** The common case is one, which needs no signal above it. */
function anyOf(signals: readonly [AbortSignal, ...AbortSignal[]]): AbortSignal {
  return signals.length === 1 ? signals[0] : AbortSignal.any([...signals]);
}
