/** Keeps the name where the gate says: at this site while it may act, and at the sinkhole from when it may not. */
import type { Clock, Log } from "../../ports.ts";
import type { DnsSteering } from "./dns-steering.ts";
import { markOf, type Steering } from "./steered-name.ts";

export interface FollowParts {
  readonly steering: Pick<DnsSteering, "point">;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: this site has never acted, and has nothing to say. */
  readonly wanted: () => Steering | undefined;
  /** Resolves when the gate may have changed, and after `ms` at the latest. */
  readonly changed: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What somebody else may have changed by hand is looked at again so often. */
const lookAgainMs = 10_000;
const tryAgainMs = 500;

/** Until `signal` aborts, and then once more. Never rejects. A site that another one has succeeded is refused, and keeps still. */
export async function followGate(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const name = new FollowedName(parts);
  while (!signal.aborted) {
    await name.look();
    await parts.changed(name.isSettled ? 1_000 : tryAgainMs, signal);
  }
  await name.look();
}

class FollowedName {
  readonly #parts: FollowParts;
  #settled = "";
  #wanted = "";
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: FollowParts) {
    this.#parts = parts;
  }

  /** What is wanted stands there, or will be refused again. */
  get isSettled(): boolean {
    return this.#settled === this.#wanted;
  }

  async look(): Promise<void> {
    const { steering, clock, log, wanted } = this.#parts;
    const next = wanted();
    if (next === undefined) return;
    this.#wanted = `${markOf(next)} ${next.addresses.join(" ")}`;
    if (this.isSettled && clock.monotonicMs() - this.#lookedMs < lookAgainMs) return;
    const pointed = await steering.point(next);
    this.#lookedMs = clock.monotonicMs();
    // A newer epoch stands there, or the server does not know us: the same again will be refused again.
    const settled = pointed.ok || pointed.error.kind === "refused";
    this.#settled = settled ? this.#wanted : "";
    if (!pointed.ok) log.write("warn", "dns_not_steered", { ...pointed.error });
    else if (pointed.value) log.write("info", "dns_steered", { ...next });
  }
}
