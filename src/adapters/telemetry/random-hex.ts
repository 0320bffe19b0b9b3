/** Random ids for traces, taken in advance: asking the system for eight bytes costs as much as for thousands. */
import { randomBytes } from "node:crypto";

const poolBytes = 2_048;

export class RandomHex {
  #pool = "";
  #at = 0;

  /** Two lower-case hexadecimal digits for each byte; at most `poolBytes`. */
  take(bytes: number): string {
    if (this.#at + 2 * bytes > this.#pool.length) {
      this.#pool = randomBytes(poolBytes).toString("hex");
      this.#at = 0;
    }
    const end = this.#at + 2 * bytes;
    const taken = this.#pool.slice(this.#at, end);
    this.#at = end;
    return taken;
  }
}
