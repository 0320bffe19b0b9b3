/**
 * A network made from a seed: `HttpTransport` with a simulated upstream behind it. It loses requests and answers,
 * delays, delivers twice and breaks bodies midway. What it reports keeps the port's promise: `not_sent` only when
 * the upstream saw nothing.
 */
import { err, ok, type Result } from "../kernel/index.ts";
import {
  type Clock,
  type HttpRequest,
  type HttpResponse,
  type HttpTransport,
  type TransportError,
  TransportFailure,
} from "../ports.ts";
import { type FaultCounts, strikes } from "./faults.ts";
import type { Random } from "./random.ts";

/** Probabilities, each 0 to 1, but for the delay. */
export interface NetworkFaults {
  /** The connection is refused: `not_sent`. */
  readonly refused: number;
  /** The request is lost on its way; the sender waits for its timeout: `unknown`. */
  readonly requestLost: number;
  /** The upstream acts, its answer is lost: `unknown`. */
  readonly answerLost: number;
  /** The upstream gets the same request twice. */
  readonly delivered2: number;
  /** The body of the answer ends early. */
  readonly bodyBroken: number;
  /** Each way takes up to this long. */
  readonly delayMsMax: number;
}

export const noNetworkFaults: NetworkFaults = {
  refused: 0,
  requestLost: 0,
  answerLost: 0,
  delivered2: 0,
  bodyBroken: 0,
  delayMsMax: 0,
};

/** What an upstream does with a request: answers, says nothing, or cuts the connection without a word. */
export type SimAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: Uint8Array;
      /** After this many bytes of the body the connection breaks or falls silent. */
      readonly stop?: { readonly afterBytes: number; readonly how: "broken" | "silent" };
    }
  | "silent"
  | "reset";

export type SimUpstream = (request: HttpRequest) => SimAnswer;

/** One delivery as the upstream saw it. */
export interface Delivery {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** An upstream that writes down everything it receives, in order, before it acts. */
export class JournalingUpstream {
  readonly journal: Delivery[] = [];
  readonly #act: SimUpstream;

  constructor(act: SimUpstream) {
    this.#act = act;
  }

  readonly receive: SimUpstream = (request) => {
    const { method, url, headers, body = new Uint8Array() } = request;
    this.journal.push({ method, url, headers: { ...headers }, body: body.slice() });
    return this.#act(request);
  };
}

export interface SimNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly counts: FaultCounts;
  readonly faults: NetworkFaults;
  /** By origin, `http://name:port`. An origin that is not there refuses. */
  readonly upstreams: ReadonlyMap<string, SimUpstream>;
}

const failure = (
  kind: TransportError["kind"],
  reason: TransportError["reason"],
  detail: string,
): TransportError => ({ kind, reason, detail });

type Arrived = Exclude<SimAnswer, "silent">;

export class SimNetwork implements HttpTransport {
  readonly #options: SimNetworkOptions;
  #faults: NetworkFaults;

  constructor(options: SimNetworkOptions) {
    this.#options = options;
    this.#faults = options.faults;
  }

  /** From now on, as when the faults of a run end. */
  setFaults(faults: NetworkFaults): void {
    this.#faults = faults;
  }

  async send(request: HttpRequest): Promise<Result<HttpResponse, TransportError>> {
    const upstream = this.#options.upstreams.get(new URL(request.url).origin);
    if (request.signal?.aborted) return err(failure("not_sent", "aborted", "before it was sent"));
    if (upstream === undefined || this.#strikes("refused"))
      return err(failure("not_sent", "refused", "connection refused"));
    const answer = await this.#inTime(request, this.#exchange(request, upstream));
    if (!answer.ok) return answer;
    if (answer.value === "reset") return err(failure("unknown", "broken", "closed without answer"));
    const { status, headers = {}, body = new Uint8Array(), stop } = answer.value;
    const breaks = stop ?? this.#breakAt(body.length);
    return ok({ status, headers, body: this.#pieces(request, body, breaks) });
  }

  /** The way there, the act, the way back. A lost message is waited for as long as the sender cares to. */
  async #exchange(request: HttpRequest, upstream: SimUpstream): Promise<Arrived | "lost"> {
    if (this.#strikes("requestLost")) return "lost";
    await this.#travel();
    const answer = upstream(request);
    if (this.#strikes("delivered2")) {
      await this.#travel();
      upstream(request);
    }
    if (answer === "silent" || this.#strikes("answerLost")) return "lost";
    await this.#travel();
    return answer;
  }

  /** Once on its way, a request that times out or is aborted may have been acted on. */
  async #inTime(
    request: HttpRequest,
    exchange: Promise<Arrived | "lost">,
  ): Promise<Result<Arrived, TransportError>> {
    const over = new AbortController();
    const expired = wait(this.#options.clock, request.headTimeoutMs, over.signal, request.signal);
    const first = await Promise.race([orLater(exchange, expired), expired]);
    over.abort();
    if (first === "aborted") return err(failure("unknown", "aborted", "while it was under way"));
    if (first === "timeout") return err(failure("unknown", "timeout", "no answer in time"));
    return ok(first);
  }

  async *#pieces(
    request: HttpRequest,
    body: Uint8Array,
    stop: { readonly afterBytes: number; readonly how: "broken" | "silent" } | undefined,
  ): AsyncGenerator<Uint8Array> {
    const end = stop?.afterBytes ?? body.length;
    const middle = Math.floor(end / 2);
    if (middle > 0) yield body.slice(0, middle);
    if (end > middle) yield body.slice(middle, end);
    if (stop === undefined) return;
    if (stop.how === "broken")
      throw new TransportFailure(failure("unknown", "broken", "the body ended early"));
    const ended = await wait(this.#options.clock, request.idleTimeoutMs, undefined, request.signal);
    throw new TransportFailure(failure("unknown", ended, "the body fell silent"));
  }

  #breakAt(bytes: number): { readonly afterBytes: number; readonly how: "broken" } | undefined {
    if (bytes === 0 || !this.#strikes("bodyBroken")) return undefined;
    return { afterBytes: this.#options.random.below(bytes), how: "broken" };
  }

  async #travel(): Promise<void> {
    const { clock, random } = this.#options;
    const { delayMsMax } = this.#faults;
    if (delayMsMax > 0) await clock.sleep(random.below(delayMsMax + 1));
  }

  #strikes(kind: Exclude<keyof NetworkFaults, "delayMsMax">): boolean {
    const { random, counts } = this.#options;
    return strikes(random, counts, `network.${kind}`, this.#faults[kind]);
  }
}

/** A lost message is waited for until the sender gives up. */
async function orLater<T>(
  exchange: Promise<Arrived | "lost">,
  expired: Promise<T>,
): Promise<Arrived | T> {
  const answer = await exchange;
  return answer === "lost" ? expired : answer;
}

/** Waits `ms` (0: for ever), until `over` says nobody cares, or until the sender aborts. */
async function wait(
  clock: Clock,
  ms: number,
  over: AbortSignal | undefined,
  aborted: AbortSignal | undefined,
): Promise<"timeout" | "aborted"> {
  const signals = [over, aborted].filter((signal) => signal !== undefined);
  const signal = AbortSignal.any(signals);
  if (ms > 0) await clock.sleep(ms, signal);
  else if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  const isTimeUp =
    aborted?.reason instanceof DOMException && aborted.reason.name === "TimeoutError";
  return aborted?.aborted && !isTimeUp ? "aborted" : "timeout";
}
