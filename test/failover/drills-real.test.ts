/**
 * AG-403 4.7, 8.7 (our reading of AG-403): the library's other eight scenarios against real guards, gateways and a tool
 * server that counts, with real faults: each has taken effect, or the drill is inconclusive. One after another in the same
 * town, so that each finds what the one before restored. Where the control that should meet it looks at something else, each of
 * them fails.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WholeTown } from "./whole-town.ts";

const scenarios = [
  ...["partition", "lost-slot", "missing-sidecar", "wrong-jurisdiction", "revoked-key"],
  ...["audit-sink-full", "clock-skew", "double-failure"],
];

describe("AG-403 4.7, 8.7: real faults, and controls that meet them", () => {
  const town = new WholeTown();
  beforeAll(() => town.open("sound"));
  afterAll(() => town.close());

  test.each(scenarios)("%s passes, and the state is what it was", async (scenario) => {
    const { code, err, result } = await town.drill(scenario);
    expect({ code, ...result }, err).toMatchObject({ code: 0, verdict: "pass", restored: true });
  });
});

describe("AG-403 4.7, 8.7: the same faults, and controls that look at something else", () => {
  const town = new WholeTown();
  beforeAll(() => town.open("unsound"));
  afterAll(() => town.close());

  test.each(scenarios)("%s fails, and the state is what it was", async (scenario) => {
    const { code, err, result } = await town.drill(scenario);
    expect({ code, ...result }, err).toMatchObject({ code: 1, verdict: "fail", restored: true });
  });
});
