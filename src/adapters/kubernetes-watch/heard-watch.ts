/** The client's watch, and what it does not tell: that the server has answered, and that it did not. */
import { type KubeConfig, Watch } from "@kubernetes/client-node";
import type { JsonObject } from "../../kernel/index.ts";

export interface WatchHearing {
  reduce(object: JsonObject): JsonObject;
  /** Something came: an event or a bookmark. */
  heard(): void;
  /** The server has accepted the watch. */
  connected(): void;
  /** The server did not answer in time; the client tries again by itself. */
  silent(fault: unknown): void;
}

export class HeardWatch extends Watch {
  readonly #signal: AbortSignal;
  readonly #hearing: WatchHearing;

  constructor(access: KubeConfig, signal: AbortSignal, hearing: WatchHearing) {
    super(access);
    this.#signal = signal;
    this.#hearing = hearing;
  }

  /** Asks for bookmarks too, so that a quiet kind can go on where it was after an outage. Never rejects: nobody would see it. */
  override async watch(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>>,
    changed: (type: string, object: unknown) => void,
    done: (fault: unknown) => void,
  ): Promise<AbortController> {
    if (this.#signal.aborted) return new AbortController();
    const { heard, connected, silent, reduce } = this.#hearing;
    let isWaiting = true;
    try {
      const controller = await super.watch(
        path,
        { ...query, allowWatchBookmarks: true },
        (type: string, object: JsonObject) => {
          heard();
          const isChange = type === "ADDED" || type === "MODIFIED" || type === "DELETED";
          changed(type, isChange ? reduce(object) : object);
        },
        (fault: unknown) => {
          // Silence after that is no fault: the client then asks again.
          if (isWaiting && fault instanceof Error && fault.name === "TimeoutError") silent(fault);
          isWaiting = false;
          done(fault);
        },
      );
      if (isWaiting) {
        isWaiting = false;
        heard();
        connected();
      }
      return controller;
    } catch (thrown) {
      done(thrown);
      return new AbortController();
    }
  }
}
