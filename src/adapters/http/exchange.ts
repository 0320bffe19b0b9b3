/**
 * One request and its answer as undici's dispatcher tells them: the cheapest of its interfaces, without a stream object for each
 * answer. A reader that is slow stops the upstream.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Dispatcher } from "undici";
import { err, ok, type Result } from "../../kernel/index.ts";
import { type HttpResponse, type TransportError, TransportFailure } from "../../ports.ts";
import { asError } from "./errors.ts";

type Control = Dispatcher.DispatchController;
type Sent = Result<HttpResponse, TransportError>;

/** What is held for a reader before the connection is paused. */
const heldBytesMax = 64 * 1024;

export class Exchange implements Dispatcher.DispatchHandler {
  /** Resolves at the head of the answer, or at the failure before it. */
  readonly response: Promise<Sent>;
  readonly #signal: AbortSignal | undefined;
  readonly #pieces: Buffer[] = [];
  #settle: ((sent: Sent) => void) | undefined;
  #control: Control | undefined;
  #wake: (() => void) | undefined;
  #heldBytes = 0;
  #ended = false;
  #failure: unknown;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.response = new Promise((settle) => {
      this.#settle = settle;
    });
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  onRequestStart(control: Control): void {
    this.#control = control;
    if (this.#signal?.aborted === true) this.#abort();
  }

  onResponseStart(_control: Control, status: number, headers: IncomingHttpHeaders): void {
    // 100 to 199 announce an answer (RFC 9110 15.2); they are none.
    if (status < 200) return;
    this.#settle?.(ok({ status, headers: present(headers), body: this.#readable() }));
  }

  onResponseData(control: Control, piece: Buffer): void {
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes > heldBytesMax) control.pause();
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#end();
  }

  onResponseError(_control: Control, error: Error): void {
    this.#failure = error;
    this.#end();
    this.#settle?.(err(asError(error)));
  }

  readonly #abort = (): void => {
    const reason = this.#signal?.reason as Error;
    // Still connecting, or waiting for a connection: when its turn comes it ends before a byte is written.
    if (this.#control === undefined) this.#settle?.(err({ ...asError(reason), kind: "not_sent" }));
    else this.#control.abort(reason);
  };

  #end(): void {
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake?.();
  }

  /** Read once. Leaving it early ends the connection, also before the first piece was asked for. */
  #readable(): AsyncGenerator<Uint8Array> {
    const body = this.#body();
    const leave = body.return.bind(body);
    body.return = async (value) => {
      this.#leave();
      return await leave(value);
    };
    return body;
  }

  #leave(): void {
    if (!this.#ended) this.#control?.abort(new DOMException("not read any more", "AbortError"));
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          yield piece;
          this.#heldBytes -= piece.length;
          if (this.#heldBytes <= 0 && this.#control?.paused === true) this.#control.resume();
        } else if (this.#failure !== undefined)
          throw new TransportFailure({ ...asError(this.#failure), kind: "unknown" });
        else if (this.#ended) return;
        else
          await new Promise<void>((wake) => {
            this.#wake = wake;
          });
      }
    } finally {
      this.#leave();
    }
  }
}

function present(headers: IncomingHttpHeaders): Record<string, string | readonly string[]> {
  const kept: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) kept[name] = value;
  return kept;
}
