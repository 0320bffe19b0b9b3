/**
 * Once a deployment has adopted a manifest, a gateway without one acts no more: a line left out of a configuration is no
 * way around the guard. Going back takes the quorum that the manifest names.
 */
import { isJsonObject, type JsonObject } from "../kernel/index.ts";
import type { Clock, Log } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { type Entered, type Gate, lets, turnedAway } from "./admit.ts";
import type { Hold } from "./hold.ts";
import type { Asked, Judgement } from "./judge.ts";

/** In the state that gateways share. */
export const adoptedKey = "failover/adopted";

/** Stands there from the first permit on. */
export function adopted(deployment: string, manifestDigest: string): JsonObject {
  return { deployment, manifest_digest: manifestDigest, abandoned: null };
}

const lookMs = 5_000;

/** For a gateway that runs standalone. */
export class AdoptionGate implements Gate {
  readonly #parts: { readonly state: SharedState; readonly clock: Clock; readonly log: Log };
  #deployment: string | undefined;

  constructor(parts: { readonly state: SharedState; readonly clock: Clock; readonly log: Log }) {
    this.#parts = parts;
  }

  /** A store that cannot be read changes nothing; writes wait for it anyway (kill switch). */
  async look(): Promise<void> {
    const { state, log } = this.#parts;
    const read = await state.read([adoptedKey]);
    if (!read.ok) return;
    const value = read.value.get(adoptedKey);
    const binding = value !== undefined && !isJsonObject(value["abandoned"]);
    const deployment = binding ? String(value["deployment"]) : undefined;
    if (deployment !== undefined && this.#deployment === undefined)
      log.write("error", "manifest_missing", { deployment });
    this.#deployment = deployment;
  }

  async follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await this.look();
      await clock.sleep(lookMs, signal);
    }
  }

  enter(asked: Asked, judgement: Judgement): Entered {
    const hold = lets(judgement) ? this.#hold() : undefined;
    return hold === undefined ? { judgement } : turnedAway(asked, hold);
  }

  answer(): Hold | undefined {
    return this.#hold();
  }

  recheck(): Hold | undefined {
    return this.#hold();
  }

  #hold(): Hold | undefined {
    if (this.#deployment === undefined) return undefined;
    const detail = `${this.#deployment} has adopted a manifest, and this gateway has no \`failover:\` in its configuration; going back takes a quorum (holdfast failover abandon)`;
    return { kind: "no_permit", detail };
  }
}
