/** What is sent again: every combination, against the sentence it must obey. */
import { expect, test } from "vitest";
import { type Attempted, mayRepeat, outcomeOfAttempts } from "../../../src/limits/index.ts";

const every: readonly Attempted[] = (["read", "write"] as const).flatMap((effect) =>
  [true, false].flatMap((isIdempotent) =>
    (["answer", "conflict", "failed", "unsaid"] as const).flatMap((came) =>
      (["ok", "tool_error", "not_sent", "unknown"] as const).flatMap((outcome) =>
        [true, false].map((mayHaveActed) => ({
          effect,
          isIdempotent,
          came,
          outcome,
          mayHaveActed,
        })),
      ),
    ),
  ),
);

test("a write that may have happened is repeated only under a key that the upstream honours", () => {
  for (const each of every)
    if (each.effect === "write" && !each.isIdempotent)
      expect(mayRepeat(each), JSON.stringify(each)).toBe(
        each.came === "failed" && each.outcome === "not_sent" && !each.mayHaveActed,
      );
});

test("an answer is an answer, and a caller that left is not served again", () => {
  for (const each of every)
    if (each.came === "answer" || each.came === "unsaid") expect(mayRepeat(each)).toBe(false);
});

test("reads, and writes under a key, are repeated after every failure of the upstream", () => {
  for (const each of every)
    if (each.came === "failed" && (each.effect === "read" || each.isIdempotent))
      expect(mayRepeat(each)).toBe(true);
});

test("what may have happened is never told as not sent", () => {
  for (const each of every)
    if (each.mayHaveActed) {
      const outcome = outcomeOfAttempts(each);
      expect(outcome).not.toBe("not_sent");
      if (each.came === "conflict") expect(outcome).toBe("unknown");
    } else expect(outcomeOfAttempts(each)).toBe(each.outcome);
});
