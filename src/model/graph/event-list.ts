/** Events of one type, in order; put in order when somebody looks. */
import { compareDated, countBefore, type Dated, type Moment } from "./order.ts";

const none: readonly never[] = [];

export class EventList<T extends Dated> {
  readonly #events: T[] = [];
  #isOrdered = true;

  add(event: T): void {
    const last = this.#events.at(-1);
    if (last !== undefined && compareDated(last, event) > 0) this.#isOrdered = false;
    this.#events.push(event);
  }

  /** Those with `fromAt` ≤ `at` < `toAt` that are seen from the moment. */
  within(fromAt: number, toAt: number, moment: Moment): readonly T[] {
    const events = this.#ordered();
    const found: T[] = [];
    for (let at = countBefore(events, (event) => event.at < fromAt); at < events.length; at++) {
      const event = events[at] as T;
      if (event.at >= toAt || event.at > moment.validAt) break;
      if (event.knownAt <= moment.knownAt) found.push(event);
    }
    return found;
  }

  #ordered(): readonly T[] {
    if (!this.#isOrdered) this.#events.sort(compareDated);
    this.#isOrdered = true;
    return this.#events;
  }
}

/** All of one type, and those about each node. */
export class NodeEvents<T extends Dated> {
  readonly all: EventList<T> = new EventList<T>();
  readonly #byNode = new Map<number, EventList<T>>();

  add(event: T, nodes: Iterable<number>): void {
    this.all.add(event);
    for (const node of new Set(nodes)) {
      const list = this.#byNode.get(node) ?? new EventList<T>();
      this.#byNode.set(node, list);
      list.add(event);
    }
  }

  of(node: number | undefined): Pick<EventList<T>, "within"> {
    return (node === undefined ? undefined : this.#byNode.get(node)) ?? { within: () => none };
  }
}
