/** What an answer says of its upstream: the tool, all of it, or nothing; and how long it asks to be left alone. */
import { expect, test } from "vitest";
import { healthOfFailure, healthOfStatus } from "../../../src/gateway/health.ts";

const date = "Mon, 04 May 2026 10:00:00 GMT";

test.each([
  [200, {}, "answered", undefined],
  [302, {}, "answered", undefined],
  [404, { "retry-after": "5" }, "answered", undefined],
  [429, {}, "answered", undefined],
  [429, { "retry-after": "5" }, "tool_failed", 5_000],
  [500, { "retry-after": "5" }, "tool_failed", undefined],
  [501, {}, "tool_failed", undefined],
  [502, {}, "failed", undefined],
  [503, {}, "failed", undefined],
  [503, { "retry-after": "120" }, "failed", 120_000],
  [503, { "retry-after": "Mon, 04 May 2026 10:00:07 GMT", date }, "failed", 7_000],
  [503, { "retry-after": "Mon, 04 May 2026 09:00:00 GMT", date }, "failed", 0],
  // Without the answer's own clock, or in no form that is sent today, nothing can be made of it.
  [503, { "retry-after": "Mon, 04 May 2026 10:00:07 GMT" }, "failed", undefined],
  [503, { "retry-after": "soon", date }, "failed", undefined],
  [503, { "retry-after": "-1", date }, "failed", undefined],
  [503, { "retry-after": "1e3", date }, "failed", undefined],
  [504, {}, "failed", undefined],
] as const)("%i with %o is %s", (status, headers, kind, waitMs) => {
  const health = healthOfStatus(status, headers);
  expect([health.kind, "waitMs" in health ? health.waitMs : undefined]).toEqual([kind, waitMs]);
});

test("what the caller or the gateway has brought about says nothing of the upstream; causes are short", () => {
  const of = (reason: Parameters<typeof healthOfFailure>[0]["reason"]) =>
    healthOfFailure({ kind: "unknown", reason, detail: "x".repeat(9_000) });
  for (const reason of ["aborted", "blocked_address", "too_large", "withheld"] as const)
    expect(of(reason)).toEqual({ kind: "unsaid" });
  for (const reason of ["refused", "timeout", "broken"] as const)
    expect(of(reason)).toEqual({
      kind: "failed",
      cause: expect.stringMatching(/^\w+: x{200,300}$/),
    });
});
