/** A prediction, and beside it what then happened. */
import { isJsonArray, isJsonObject, type JsonObject } from "../../kernel/index.ts";
import type { ChangeKind } from "../event.ts";
import type { NodeId } from "../graph-words.ts";
import type { Felt } from "./felt.ts";
import type { Share } from "./share.ts";

export interface Prediction {
  /** Of the action: the call's id, or one of its own. */
  readonly id: string;
  readonly target: NodeId;
  readonly change: ChangeKind;
  /** When the action was done, or was to be done. */
  readonly at: number;
  readonly share: Share;
  /** Those that were expected to feel it. */
  readonly services: readonly NodeId[];
  /** How probable it was of each service that anything was said of; absent in what was kept before this was said. */
  readonly feelings?: readonly { readonly service: NodeId; readonly probability: number }[];
  /** Part of the traffic that touches the target, whatever it tolerates. */
  readonly touched: number;
  /** Whether the action was really done; a prediction about what was not has no outcome. */
  readonly isDone: boolean;
  readonly outcome: Outcome | null;
}

/** What the traffic showed after it. */
export interface Outcome {
  readonly share: number;
  readonly services: readonly NodeId[];
  readonly at: number;
}

export function withOutcome(
  prediction: Prediction,
  { share, services }: Felt,
  at: number,
): Prediction {
  return share === null
    ? prediction
    : { ...prediction, outcome: { share: share.value, services, at } };
}

/** Undefined for what is none. */
export function readPrediction(value: JsonObject): Prediction | undefined {
  const { id, target, change, at, share, services, feelings, touched, isDone, outcome } = value;
  const texts = [id, target, change].every((each) => typeof each === "string");
  const numbers = [at, touched].every((each) => typeof each === "number");
  if (!texts || !numbers || typeof isDone !== "boolean") return undefined;
  if (!isJsonObject(share ?? null) || !isJsonArray(services ?? null)) return undefined;
  if (feelings !== undefined && !isJsonArray(feelings)) return undefined;
  if (outcome !== null && !isJsonObject(outcome ?? 0)) return undefined;
  return value as unknown as Prediction;
}
