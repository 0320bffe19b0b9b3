import { expect, test } from "vitest";
import { instantMs, instantText } from "../../../src/kernel/index.ts";

test("instants by arithmetic are those of Date, over 500 years", () => {
  for (
    let ms = Date.UTC(1800, 0, 1);
    ms < Date.UTC(2300, 0, 1);
    ms += 86_400_000 * 13 + 3_723_456
  ) {
    const text = new Date(ms).toISOString();
    expect(instantText(ms)).toBe(text);
    expect(instantMs(text)).toBe(ms);
  }
  for (const wrong of [
    "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01",
    "2026-01-01T00:00:00+01:00",
  ])
    expect(instantMs(wrong)).toBeUndefined();
});
