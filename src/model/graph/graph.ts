/**
 * Production as it was told: every event folded into typed nodes and edges, each fact with the time from which it was so
 * and the time from which it was known. The same events give the same graph, in whatever order and however often they come.
 */
import type { ModelEvent } from "../event.ts";
import { chosen } from "./same-event.ts";
import { Tables } from "./tables.ts";
import { View } from "./view.ts";

/** As `knownAt`: with everything that is known now, whenever it was learned. */
export const allKnown: number = Number.POSITIVE_INFINITY;

/** What became of the events that were added. */
export interface Added {
  readonly added: number;
  /** The same event was there. */
  readonly repeated: number;
  /** Ids under which another event was there; the one that was known first counts, whichever came first. */
  readonly contradicted: readonly string[];
}

export class Graph {
  readonly #events = new Map<string, ModelEvent>();
  #tables = new Tables();
  /** An event that was folded has been replaced: everything is folded anew before the next question. */
  #mustFoldAnew = false;

  /** Events that are known. */
  get eventCount(): number {
    return this.#events.size;
  }

  /** Adds what is new. The same again changes nothing; neither does the order. */
  add(events: Iterable<ModelEvent>): Added {
    let [added, repeated] = [0, 0];
    const contradicted: string[] = [];
    for (const event of events) {
      const present = this.#events.get(event.id);
      if (present === undefined) {
        this.#events.set(event.id, event);
        if (!this.#mustFoldAnew) this.#tables.fold(event);
        added += 1;
        continue;
      }
      const { kept, isSame } = chosen(present, event);
      if (isSame) repeated += 1;
      else contradicted.push(event.id);
      if (kept === present) continue;
      this.#events.set(event.id, kept);
      this.#mustFoldAnew = true;
    }
    return { added, repeated, contradicted };
  }

  /** Every event that is known, in no order that means anything. */
  events(): Iterable<ModelEvent> {
    return this.#events.values();
  }

  /** The same, with the changes that facts tell of by what was known at `knownAt`; what was learned later may be among the rest. */
  *eventsWithChanges(knownAt: number): Iterable<ModelEvent> {
    for (const event of this.#events.values()) if (event.type !== "change") yield event;
    yield* this.asOf(Number.POSITIVE_INFINITY, knownAt).changes();
  }

  /**
   * Production at `validAt`, by what was known at `knownAt`: then, unless given. Nothing that is learned after `knownAt` ever
   * changes the answer; `allKnown` asks with everything that is known by now.
   */
  asOf(validAt: number, knownAt: number = validAt): View {
    return new View(this.#folded(), { validAt, knownAt });
  }

  /** Production by everything that is known, without a bound in time. */
  latest(): View {
    return this.asOf(Number.POSITIVE_INFINITY);
  }

  #folded(): Tables {
    if (!this.#mustFoldAnew) return this.#tables;
    this.#tables = new Tables();
    for (const event of this.#events.values()) this.#tables.fold(event);
    this.#mustFoldAnew = false;
    return this.#tables;
  }
}
