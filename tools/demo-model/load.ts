/** Customers: the same requests in the same order for a seed, so many a second, and what each of them saw. */
const everyMs = 60;
const timeoutMs = 4_000;
/** The machine of a demonstration does other things too; what is slow here is slower by far than that makes it. */
const slowerMin = 2.5;
const slowerMsMin = 80;

export interface Visit {
  readonly at: number;
  readonly operation: string;
  readonly isOk: boolean;
  readonly ms: number;
}

/** Of ten visits five look at products, three at their cart, two buy; one purchase in two says its currency. */
const wishes = [
  "GET /products",
  "GET /cart",
  "GET /products",
  "POST /checkout",
  "GET /products",
  "GET /cart",
  "GET /products",
  "POST /checkout?currency=EUR",
  "GET /cart",
  "GET /products",
] as const;

export class Load {
  readonly visits: Visit[] = [];
  readonly #address: () => string;
  readonly #under = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #next: number;

  constructor(address: () => string, seed: number) {
    this.#address = address;
    this.#next = seed % wishes.length;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const visit = this.#visit(wishes[this.#next % wishes.length] ?? wishes[0]);
      this.#next += 1;
      this.#under.add(visit);
      void visit.finally(() => this.#under.delete(visit));
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
  }

  /** Visits that began within the time. */
  within(fromAt: number, toAt: number): readonly Visit[] {
    return this.visits.filter(({ at }) => at >= fromAt && at < toAt);
  }

  async #visit(wish: string): Promise<void> {
    const [method = "GET", path = "/"] = wish.split(" ");
    const [at, began] = [Date.now(), performance.now()];
    const isOk = await fetch(`${this.#address()}${path}`, {
      ...{ method, signal: AbortSignal.timeout(timeoutMs) },
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    const operation = wish.split("?")[0] ?? wish;
    this.visits.push({ at, operation, isOk, ms: performance.now() - began });
  }
}

/** Of visits: how many failed, and how long the middle one took. */
export function sumOf(visits: readonly Visit[]): {
  count: number;
  failed: number;
  medianMs: number;
} {
  const times = visits.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    count: visits.length,
    failed: visits.filter(({ isOk }) => !isOk).length,
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
  };
}

/** The part of the visits whose operation went otherwise than before: failed more or less often, or took another time. */
export function feltShare(before: readonly Visit[], after: readonly Visit[]): number {
  const operations = [...new Set(after.map(({ operation }) => operation))];
  const felt = operations.map((operation) => {
    const [was, is] = [before, after].map((visits) =>
      sumOf(visits.filter((each) => each.operation === operation)),
    );
    if (was === undefined || is === undefined || was.count === 0) return 0;
    const [low, high] = [Math.min(was.medianMs, is.medianMs), Math.max(was.medianMs, is.medianMs)];
    if (high > low * slowerMin && high - low > slowerMsMin) return is.count;
    const errors = Math.abs(is.failed / is.count - was.failed / was.count);
    return errors >= 0.05 ? errors * is.count : 0;
  });
  return felt.reduce((sum, part) => sum + part, 0) / Math.max(1, after.length);
}
