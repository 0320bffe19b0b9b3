/**
 * How many calls may be under way at each upstream, and how many may wait for their turn. An upstream that answers
 * slowly, or not at all, fills its own room and not that of the others.
 */
import { splitToolId } from "../kernel/index.ts";
import type { Clock } from "../ports.ts";
import { type Entered, type Gate, lets, turnedAway } from "./admit.ts";
import type { Asked, Judgement } from "./judge.ts";

export interface RoomLimits {
  readonly callsMax: number;
  /** 0: nobody waits. */
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

/** When it may make sense to come again: nobody knows, so soon. */
const busyRetryMs = 1_000;

export class UpstreamRooms implements Gate {
  readonly #clock: Clock;
  readonly #rooms: ReadonlyMap<string, Room>;

  /** By upstream; one that is not named has room without end. */
  constructor(clock: Clock, limits: ReadonlyMap<string, RoomLimits>) {
    this.#clock = clock;
    this.#rooms = new Map([...limits].map(([upstream, each]) => [upstream, new Room(each)]));
  }

  enter(asked: Asked, judgement: Judgement, decisionOnly: boolean): Entered | Promise<Entered> {
    if (decisionOnly || !lets(judgement)) return { judgement };
    const { server } = splitToolId(asked.tool.id);
    const room = this.#rooms.get(server);
    if (room === undefined) return { judgement };
    const entered = { judgement, settle: async () => room.leave() };
    if (room.enter()) return entered;
    const { callsMax: max } = room.limits;
    const away = (): Entered =>
      turnedAway(asked, {
        ...{ kind: "upstream_busy", upstream: server, max, retryAfterMs: busyRetryMs },
      });
    const turn = room.wait(this.#clock);
    return turn === undefined ? away() : turn.then((came) => (came ? entered : away()));
  }

  /** Calls under way and waiting, by upstream. */
  get status(): Readonly<Record<string, { readonly calls: number; readonly waiting: number }>> {
    return Object.fromEntries(
      [...this.#rooms].map(([name, { calls, waiting }]) => [name, { calls, waiting }]),
    );
  }
}

class Room {
  readonly limits: RoomLimits;
  calls = 0;
  #waiting: (() => void)[] = [];

  constructor(limits: RoomLimits) {
    this.limits = limits;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  enter(): boolean {
    if (this.calls >= this.limits.callsMax) return false;
    this.calls += 1;
    return true;
  }

  /** Whoever leaves gives the place to whoever has waited longest. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.calls -= 1;
    else next();
  }

  /** Whether a place came in time; undefined when no more may wait. */
  wait(clock: Clock): Promise<boolean> | undefined {
    const { waitingMax, waitMsMax } = this.limits;
    if (this.#waiting.length >= waitingMax) return undefined;
    return new Promise((resolve) => {
      const over = new AbortController();
      const come = (): void => {
        over.abort();
        resolve(true);
      };
      this.#waiting.push(come);
      clock.sleep(waitMsMax, over.signal).then(
        () => {
          const at = this.#waiting.indexOf(come);
          if (at < 0) return;
          this.#waiting.splice(at, 1);
          resolve(false);
        },
        resolve.bind(undefined, false),
      );
    });
  }
}
