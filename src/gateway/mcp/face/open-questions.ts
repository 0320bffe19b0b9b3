/** Questions of a server that policy allowed, until the client has answered. */

/** Hands a client's answer over; gives what the server is sent, once the outcome is recorded. */
type Settle = (answer: Uint8Array) => Promise<Uint8Array>;

/** Governed questions of one session that wait for the client's answer, by the server's own id. */
export class OpenQuestions {
  readonly #settles = new Map<string, Settle>();

  add(key: string, settle: Settle): void {
    this.#settles.set(key, settle);
  }

  take(key: string): Settle | undefined {
    const settle = this.#settles.get(key);
    this.#settles.delete(key);
    return settle;
  }
}
