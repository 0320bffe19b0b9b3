/**
 * Legs of a call that waits for people: between two requests of a client, the call lies here under a handle that is its
 * `requestState` (MCP 2026-07-28, multi round-trip requests). The handle is drawn by chance and means nothing elsewhere;
 * it is good once, for the same caller and the same request, at any gateway.
 */
import { isJsonObject, type JsonObject, sha256Hex } from "../../kernel/index.ts";
import type { Entropy } from "../../ports.ts";
import type { SharedState } from "../../state/index.ts";

export interface Leg {
  readonly approvalId: string;
  /** How many legs came before it. */
  readonly legs: number;
  /** The upstream's own half of the exchange, which the client gave and was given ours for. */
  readonly retry: JsonObject;
}

/** What the handle is bound to. */
export interface LegBinding {
  /** Names the caller. */
  readonly owner: string;
  /** Of the request without its retry channel. */
  readonly requestDigest: string;
}

const handlePrefix = "holdfast.";
const handleForm = /^holdfast\.(apr-[\w-]{1,64})\.([\w-]{22,64})$/;
/** What an upstream gave its client to bring back is stored up to this size; more is not held. */
const retryBytesMax = 64 * 1024;

export const legsPrefix = (approvalId: string): string => `approval/legs/${approvalId}/`;

export class ApprovalLegs {
  readonly #state: SharedState;
  readonly #entropy: Entropy;

  constructor(state: SharedState, entropy: Entropy) {
    this.#state = state;
    this.#entropy = entropy;
  }

  /** Whether this state is a handle of ours; anything else is the upstream's. */
  isHandle(requestState: unknown): requestState is string {
    return typeof requestState === "string" && requestState.startsWith(handlePrefix);
  }

  /** The handle; undefined when it cannot be stored, and the call must be answered now. */
  async issue(leg: Leg, binding: LegBinding): Promise<string | undefined> {
    if (JSON.stringify(leg.retry).length > retryBytesMax) return undefined;
    const chance = Buffer.from(this.#entropy.bytes(24)).toString("base64url");
    const key = legsPrefix(leg.approvalId) + sha256Hex(chance);
    const { owner, requestDigest } = binding;
    const value = { owner, request: requestDigest, legs: leg.legs, retry: leg.retry };
    const done = await this.#state.transact([key], () => ({
      writes: new Map([[key, value]]),
      result: undefined,
    }));
    return done.ok ? `${handlePrefix}${leg.approvalId}.${chance}` : undefined;
  }

  /** Takes the leg, once. Undefined for a handle that was used, is somebody else's or another request's. */
  async take(handle: string, binding: LegBinding): Promise<Leg | undefined> {
    const [, approvalId, chance] = handleForm.exec(handle) ?? [];
    if (approvalId === undefined || chance === undefined) return undefined;
    const key = legsPrefix(approvalId) + sha256Hex(chance);
    const taken = await this.#state.transact([key], (values) => {
      const stored = values.get(key);
      const isOwn =
        stored?.["owner"] === binding.owner && stored["request"] === binding.requestDigest;
      // What somebody else tried is not used up by it.
      return { writes: new Map(isOwn ? [[key, null]] : []), result: isOwn ? stored : undefined };
    });
    if (!taken.ok || taken.value === undefined) return undefined;
    const { legs, retry } = taken.value;
    return { approvalId, legs: Number(legs), retry: isJsonObject(retry) ? retry : {} };
  }
}
