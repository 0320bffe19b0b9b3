/** One request, from its head until its answer is out or its client gone. */

const clientGone = new DOMException("the client is gone", "AbortError");

export class Visit {
  over = false;
  #abort: AbortController | undefined;
  readonly #ends: (() => void)[] = [];

  /** Made when somebody asks: most answers are whole before anybody needs to know that the client left. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.over) this.#abort.abort(clientGone);
    return this.#abort.signal;
  }

  /** Calls `act` when it ends; at once when it has. */
  onEnd(act: () => void): void {
    if (this.over) act();
    else this.#ends.push(act);
  }

  end(): void {
    if (this.over) return;
    this.over = true;
    for (const act of this.#ends) act();
    this.#abort?.abort(clientGone);
  }
}
