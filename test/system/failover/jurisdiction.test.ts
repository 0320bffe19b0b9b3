/** AG-403 8.4 (our reading), the short form: `npm run test:failover` asks 100,000 times. */
import { expect, test } from "vitest";
import {
  governedResolutions,
  sinkhole,
  unapproved,
  ungovernedResolutions,
} from "../../fixtures/jurisdictions.ts";

test("8.4, our reading of AG-403: whatever is up, the unapproved address is never answered", async () => {
  const { states, answered, down } = await governedResolutions(4_000);
  expect(states).toBe(16);
  const total = [...answered.values()].reduce((sum, each) => sum + each, 0);
  expect(total).toBeGreaterThanOrEqual(4_000);
  expect(answered.get(unapproved)).toBeUndefined();
  expect(down).toBe(0);
  // Two of the sixteen states have no site that may act.
  expect(answered.get(sinkhole)).toBeGreaterThan(400);
});

test("8.4, the control run: a name server that decides by itself answers the unapproved address", async () => {
  const { answered, down } = await ungovernedResolutions(400, [["10.1.0.1"], []]);
  expect(answered.get(unapproved)).toBeGreaterThan(0);
  expect(down).toBeGreaterThan(0);
});
