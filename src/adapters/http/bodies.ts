/** Request bodies in memory, together bounded. */
import type { IncomingMessage } from "node:http";
import { err, ok, type Result } from "../../kernel/index.ts";

/** `gone`: the client left before its body was whole. */
export type BodyRefusal = "too_large" | "no_room" | "gone";

interface Reading {
  length: number;
  /** Tells whoever reads it that there is no room for it any more. */
  readonly cut: () => void;
}

export interface HeldBody {
  readonly bytes: Uint8Array;
  /** Gives the room back. */
  readonly release: () => void;
}

/**
 * Bodies being read or answered. When there is no room, the body that has been read for longest and is still not whole
 * makes it: clients that send slowly cannot keep the bodies of others out.
 */
export class Bodies {
  readonly #bytesMax: number;
  #held = 0;
  readonly #unfinished = new Set<Reading>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The whole body. After an error the rest of the request is still unread. */
  read(incoming: IncomingMessage, bytesMax: number): Promise<Result<HeldBody, BodyRefusal>> {
    return new Promise((resolve) => {
      const pieces: Buffer[] = [];
      const stop = (refusal: BodyRefusal): void => {
        incoming.off("data", more);
        incoming.off("end", whole);
        incoming.off("close", gone);
        this.#release(reading);
        resolve(err(refusal));
      };
      const reading: Reading = { length: 0, cut: () => stop("no_room") };
      const more = (piece: Buffer): void => {
        pieces.push(piece);
        if (reading.length + piece.length > bytesMax) stop("too_large");
        else if (!this.#take(reading, piece.length)) stop("no_room");
      };
      const gone = (): void => stop("gone");
      const whole = (): void => {
        incoming.off("close", gone);
        this.#unfinished.delete(reading);
        const [only] = pieces;
        const bytes = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
        resolve(ok({ bytes, release: () => this.#release(reading) }));
      };
      this.#unfinished.add(reading);
      incoming.on("data", more).once("end", whole).once("close", gone);
    });
  }

  #take(reading: Reading, length: number): boolean {
    reading.length += length;
    this.#held += length;
    while (this.#held > this.#bytesMax) {
      const [oldest] = this.#unfinished;
      if (oldest === undefined || oldest === reading) return false;
      oldest.cut();
    }
    return true;
  }

  #release(reading: Reading): void {
    this.#unfinished.delete(reading);
    this.#held -= reading.length;
    reading.length = 0;
  }
}
