/** AG-403 4.7, 8.7 (our reading of AG-403): seven failovers in a row between real guards; never two sites act, nothing is done ungoverned. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { GuardedTown } from "../system/failover/guarded-town.ts";

const town = new GuardedTown();
beforeAll(() => town.open("block"));
afterAll(() => town.close());

test("AG-403 4.7, 8.7: flapping passes with real guards, and the state is what it was", async () => {
  const { code, err, result } = await town.drill("flapping");
  expect({ code, ...result }, err).toMatchObject({ code: 0, verdict: "pass", restored: true });
});
