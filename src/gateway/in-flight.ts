/** Counts the calls an agent has under way, so that one agent cannot take the whole gateway. */
export class InFlight {
  readonly #perAgentMax: number;
  readonly #totalMax: number;
  readonly #counts = new Map<string, number>();
  #total = 0;
  #stopping = false;
  #idle: (() => void)[] = [];

  constructor(limits: { readonly perAgentMax: number; readonly totalMax: number }) {
    this.#perAgentMax = limits.perAgentMax;
    this.#totalMax = limits.totalMax;
  }

  /** The way to leave, or undefined when there is no room. */
  enter(agent: string): (() => void) | undefined {
    const count = this.#counts.get(agent) ?? 0;
    if (this.#stopping) return undefined;
    if (count >= this.#perAgentMax || this.#total >= this.#totalMax) return undefined;
    this.#counts.set(agent, count + 1);
    this.#total += 1;
    return () => this.#leave(agent);
  }

  /** From now on nobody enters. */
  stop(): void {
    this.#stopping = true;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get total(): number {
    return this.#total;
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#total === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #leave(agent: string): void {
    const count = this.#counts.get(agent) ?? 0;
    if (count <= 1) this.#counts.delete(agent);
    else this.#counts.set(agent, count - 1);
    this.#total -= 1;
    if (this.#total === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
