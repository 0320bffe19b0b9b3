/** Two events with one id are one. When they say different things, which one counts may not depend on which came first. */
import type { ModelEvent } from "../event.ts";
import { orderedText } from "./ordered-text.ts";

/**
 * The one that counts is the one that was known first: what was answered by the knowledge of that time stays answered.
 * Between two of the same time, the order of their texts decides.
 */
export function chosen(
  present: ModelEvent,
  arrived: ModelEvent,
): { readonly kept: ModelEvent; readonly isSame: boolean } {
  if (present === arrived) return { kept: present, isSame: true };
  const [a, b] = [orderedText(present), orderedText(arrived)];
  if (a === b) return { kept: present, isSame: true };
  const isPresentFirst =
    present.knownAt < arrived.knownAt || (present.knownAt === arrived.knownAt && a < b);
  return { kept: isPresentFirst ? present : arrived, isSame: false };
}
