/** Gateways that are killed, stopped and whose clocks are set: a grant is used once and never lost. */
import { expect, test } from "vitest";
import { grantStorm } from "./grant-storm.ts";

test("three gateways on one PostgreSQL: no grant is used twice and none is lost", async () => {
  const report = await grantStorm({ seed: 7, grants: 250, usesEach: 8, lanes: 24, chaos: true });
  expect(report).toMatchObject({ twice: [], lost: [] });
  expect(report.executed + report.unknown).toBe(250);
  expect(report.kills + report.stops + report.clockJumps).toBeGreaterThan(0);
});

test("one gateway on its embedded store: no grant is used twice and none is lost", async () => {
  const report = await grantStorm({
    ...{ seed: 8, grants: 120, usesEach: 8, lanes: 12, chaos: true, embedded: true },
  });
  expect(report).toMatchObject({ twice: [], lost: [] });
  expect(report.executed + report.unknown).toBe(120);
});
