/** What was judged is what arrives, over 100,000 generated calls. */
import { expect, test } from "vitest";
import { judgedIsSent } from "../fixtures/judged/run.ts";

test("100,000 generated calls arrive as they were judged, or not at all", async () => {
  const seed = Date.now() & 0x7fffffff;
  const report = await judgedIsSent({ calls: 100_000, seed });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  expect(report.problems, `seed ${seed}`).toEqual([]);
  expect(report.calls).toBe(100_000);
  for (const what of ["allow", "sanitize", "deny", "refused"])
    expect(report.told[what], what).toBeGreaterThan(5_000);
});
