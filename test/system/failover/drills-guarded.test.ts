/**
 * AG-403 4.7, 8.7 (our reading of AG-403): the library's scenarios against real guards, gateways and a tool server that
 * counts. Guards that let a site act although a component is broken make the same drills fail. The sites change again and again
 * in `test/failover/drills-flapping.test.ts`; what needs root and real servers is in `drills-real.test.ts` beside it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GuardedTown } from "./guarded-town.ts";

describe("AG-403 4.7, 8.7: real guards", () => {
  const town = new GuardedTown();
  beforeAll(() => town.open("block"));
  afterAll(() => town.close());

  test.each(["process-kill", "freeze", "stale-bundle", "failback", "gate-death"])(
    "%s passes, and the state is what it was",
    async (scenario) => {
      const { code, err, result } = await town.drill(scenario);
      expect({ code, ...result }, err).toMatchObject({ code: 0, verdict: "pass", restored: true });
    },
  );
});

describe("AG-403 4.7, 8.7: guards that let a site act although a component is broken", () => {
  const town = new GuardedTown();
  beforeAll(() => town.open("alert"));
  afterAll(() => town.close());

  test.each(["process-kill", "freeze", "stale-bundle"])(
    "%s fails, and the state is what it was",
    async (scenario) => {
      const { code, err, result } = await town.drill(scenario);
      expect({ code, ...result }, err).toMatchObject({ code: 1, verdict: "fail", restored: true });
    },
  );
});
