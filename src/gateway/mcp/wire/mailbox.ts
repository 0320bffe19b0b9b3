/** Messages from several sources in one order, for one reader. */
export class Mailbox<T> {
  readonly #held: { readonly item: T; readonly taken: () => void }[] = [];
  #ended: { readonly failure?: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** Resolves when the reader took the item, or nobody reads any more. */
  async put(item: T): Promise<void> {
    if (this.#ended !== undefined) return;
    await new Promise<void>((taken) => {
      this.#held.push({ item, taken });
      this.#wake();
    });
  }

  /** No more items; with `failure`, the reader's `next` throws it after the items that are held. */
  end(failure?: unknown): void {
    this.#ended ??= failure === undefined ? {} : { failure };
    this.#wake();
  }

  /** Drops what is held and takes nothing more. */
  close(): void {
    this.end();
    for (const { taken } of this.#held.splice(0)) taken();
  }

  /** The next item; undefined at the end. */
  async next(): Promise<T | undefined> {
    for (;;) {
      const first = this.#held.shift();
      if (first !== undefined) {
        first.taken();
        return first.item;
      }
      if (this.#ended !== undefined) {
        if (this.#ended.failure !== undefined) throw this.#ended.failure;
        return undefined;
      }
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
