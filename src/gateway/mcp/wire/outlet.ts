/** The answer to one HTTP request while it is still being made: whole, or a stream once the first piece is known. */
import { emptyResponse, type FrontResponse } from "../../http-front.ts";

interface Piece {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

/** Slow readers slow the writer: `write` resolves when the piece was taken, or when nobody reads any more. */
export class Outlet {
  /** Resolves with the head; rejects only by `fail`. */
  readonly response: Promise<FrontResponse>;
  #resolve: (response: FrontResponse) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #failure: Error | undefined;
  #state: "waiting" | "streaming" | "closed" = "waiting";
  #pieces: Piece[] = [];
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener("abort", () => this.#drop(), { once: true });
  }

  get streaming(): boolean {
    return this.#state === "streaming";
  }

  /** The client left, or the answer is complete. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Answers in one piece. Does nothing once an answer began. */
  whole(response: FrontResponse): void {
    if (this.#state !== "waiting") return;
    this.#state = "closed";
    this.#resolve(response);
  }

  /** Begins a stream. Does nothing once an answer began. */
  begin(status: number, headers: FrontResponse["headers"]): void {
    if (this.#state !== "waiting") return;
    this.#state = "streaming";
    this.#resolve({ status, headers, body: this.#stream() });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== "streaming") return;
    await new Promise<void>((taken) => {
      this.#pieces.push({ bytes, taken });
      this.#wake();
    });
  }

  /** Completes the stream after what was written; an outlet that never began answers 202 without a body. */
  end(): void {
    this.whole(emptyResponse(202));
    this.#state = "closed";
    this.#wake();
  }

  /** Breaks the answer off: the head rejects, or the stream throws after what was written. */
  fail(error: Error): void {
    if (this.#state === "waiting") this.#reject(error);
    this.#failure = error;
    this.#state = "closed";
    this.#wake();
  }

  async *#stream(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          piece.taken();
          yield piece.bytes;
        } else if (this.#failure !== undefined) throw this.#failure;
        else if (this.#state === "closed") return;
        else
          await new Promise<void>((wake) => {
            this.#wake = wake;
          });
      }
    } finally {
      this.#drop();
    }
  }

  #drop(): void {
    // Nobody reads it; whoever awaits the head must not wait for ever.
    this.whole(emptyResponse(499));
    this.#state = "closed";
    for (const { taken } of this.#pieces.splice(0)) taken();
    this.#wake();
  }
}
