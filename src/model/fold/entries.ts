/** By which operation the outside entered, for every span. */
import type { SpanForest } from "./span-forest.ts";

/** For each span, `service operation` of the one that the outside called; "" where that was not told. */
export function entriesOf({ spans, parents, children }: SpanForest): readonly string[] {
  const entries = new Array<string>(spans.length).fill("");
  for (const [root, span] of spans.entries()) {
    if ((parents[root] ?? -1) >= 0) continue;
    // An orphan or a cut cycle began somewhere that nobody told.
    const entry = span.parent === null ? entryBelow(root, spans, children) : "";
    const stack = [root];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      entries[at] = entry;
      for (const child of children(at)) stack.push(child);
    }
  }
  return entries;
}

/** A front door that only forwards calls everything alike; it is told apart by what it forwards to. */
function entryBelow(
  root: number,
  spans: SpanForest["spans"],
  children: SpanForest["children"],
): string {
  const service = spans[root]?.service;
  const beyond: number[] = [];
  const stack = [root];
  for (let at = stack.pop(); at !== undefined && beyond.length < 2; at = stack.pop())
    for (const child of children(at))
      (spans[child]?.service === service ? stack : beyond).push(child);
  const named = spans[beyond.length === 1 ? (beyond[0] ?? root) : root];
  return named === undefined ? "" : `${named.service} ${named.operation}`;
}
