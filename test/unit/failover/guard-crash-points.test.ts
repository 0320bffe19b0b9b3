/** AG-403 4.6; our reading of AG-403 8.6: a guard that dies at any step loses no record, and makes none twice. */
import { expect, test } from "vitest";
import { GuardTown } from "./guard-town.ts";

/** One failover to its end, with a crash before the disk's operation `at`; how many there were. */
async function failoverWithCrash(at: number): Promise<number> {
  let operations = 0;
  let crashed = false;
  const town = new GuardTown({
    beforeDisk: (_, number) => {
      operations = Math.max(operations, number + 1);
      if (number !== at || crashed || !town.lives.has("fra")) return undefined;
      crashed = true;
      town.crash("fra");
      return undefined;
    },
  });
  await town.start("fra");
  let closed = false;
  // A gateway comes for its permit until it has one; that closes the record.
  for (let ms = 0; ms < 60_000 && !closed; ms += 20) {
    await town.clock.advance(20);
    const life = town.lives.get("fra") ?? (await town.start("fra"));
    if (life.guard.permit() === undefined) continue;
    const closing = life.guard.close("resumed", "permit", "gw").then(() => {
      closed = true;
    });
    void closing;
    await town.clock.advance(20);
  }
  crashed = true;
  const steps = await town.steps("fra");
  const opened = steps.filter(({ step }) => step === "opened");
  const ended = steps.filter(({ step }) => step === "closed");
  const records = await town.records("fra");
  await town.end();
  expect(
    ended.map((each) => each.failover),
    `crash before operation ${at}`,
  ).toEqual(opened.map((each) => each.failover));
  expect(records.every((record) => record.outcome === "resumed")).toBe(true);
  expect(opened.length, `crash before operation ${at}`).toBe(1);
  return operations;
}

test("a crash before every operation of the disk", async () => {
  const whole = await failoverWithCrash(Number.POSITIVE_INFINITY);
  expect(whole).toBeGreaterThan(10);
  for (let at = 0; at < whole; at++) await failoverWithCrash(at);
});
