/** AG-403 8.4 (our reading): 100,000 resolutions over every combination of sites that are up and down. */
import { expect, test } from "vitest";
import {
  governedResolutions,
  unapproved,
  ungovernedResolutions,
} from "../fixtures/jurisdictions.ts";

test("8.4: the unapproved address is never answered, in 100,000 resolutions on a real BIND", async () => {
  const { states, answered, down } = await governedResolutions(100_000);
  expect(states).toBe(16);
  const total = [...answered.values()].reduce((sum, each) => sum + each, 0);
  expect(total).toBeGreaterThanOrEqual(100_000);
  expect(answered.get(unapproved)).toBeUndefined();
  expect(down).toBe(0);
});

test("8.4, the control run: PowerDNS, deciding by itself, answers it", async () => {
  const { states, answered } = await ungovernedResolutions(100_000);
  expect(states).toBe(16);
  expect(answered.get(unapproved)).toBeGreaterThan(1_000);
});
