/**
 * The sockets of the front, and which of them wait for their client: idle, or with a request that is not whole yet.
 * When there is no room for one more, the one that has waited longest makes it. So silent or slow clients, however many,
 * cannot keep a working one out.
 */
import type { Socket } from "node:net";

export class Connections {
  readonly #max: number;
  readonly #full: (socket: Socket) => void;
  readonly #all = new Set<Socket>();
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Socket>();
  /** Requests being answered, by socket: pipelining makes more than one possible. */
  readonly #answering = new Map<Socket, number>();

  /** `full` tells one that must go, and ends it. */
  constructor(max: number, full: (socket: Socket) => void) {
    this.#max = max;
    this.#full = full;
  }

  opened(socket: Socket): void {
    this.#all.add(socket);
    this.#waiting.add(socket);
    socket.once("close", () => this.#forget(socket));
    if (this.#all.size <= this.#max) return;
    // The oldest of those that wait; the new one itself when all others are being answered.
    const [oldest = socket] = this.#waiting;
    this.#forget(oldest);
    this.#full(oldest);
  }

  /** A request came whole. Returns what to call when its answer has left. */
  answers(socket: Socket): () => void {
    this.#waiting.delete(socket);
    this.#answering.set(socket, (this.#answering.get(socket) ?? 0) + 1);
    return () => {
      const left = (this.#answering.get(socket) ?? 1) - 1;
      if (left > 0) this.#answering.set(socket, left);
      else this.#answering.delete(socket);
      if (left === 0 && this.#all.has(socket)) this.#waiting.add(socket);
    };
  }

  isAnswering(socket: Socket): boolean {
    return this.#answering.has(socket);
  }

  #forget(socket: Socket): void {
    this.#all.delete(socket);
    this.#waiting.delete(socket);
  }
}
