/** Turns: in the order of asking, a bounded time, and room for others in between. */
import { expect, test } from "vitest";
import { Turns } from "../../../src/gateway/turns.ts";
import type { Clock } from "../../../src/ports.ts";

/** One millisecond with each look at it. */
function slowClock(): Clock & { readonly told: string[] } {
  let nowMs = 0;
  const told: string[] = [];
  return {
    told,
    wallMs: () => 0,
    monotonicMs: () => nowMs++,
    sleep: async () => {
      told.push("room");
    },
  };
}

async function work(turns: Turns, name: string, steps: number, told: string[]): Promise<void> {
  let left = steps;
  while (
    await turns.turn(() => {
      if (left === 0) return false;
      left -= 1;
      told.push(name);
      return true;
    })
  );
}

test("two computations alternate, with room for everything else after each turn", async () => {
  const clock = slowClock();
  const turns = new Turns(clock, 3);
  await Promise.all([work(turns, "a", 6, clock.told), work(turns, "b", 4, clock.told)]);
  const said = clock.told.join(" ");
  expect(said).toBe("a a a room b b b room a a a room b");
});

test("many short ones share one turn", async () => {
  const clock = slowClock();
  const turns = new Turns(clock, 100);
  await Promise.all(Array.from({ length: 20 }, (_, at) => work(turns, `${at}`, 1, clock.told)));
  expect(clock.told).toEqual(Array.from({ length: 20 }, (_, at) => `${at}`));
});

test("many short ones together do not take longer than one long one", async () => {
  const clock = slowClock();
  const turns = new Turns(clock, 3);
  await Promise.all(Array.from({ length: 20 }, () => work(turns, "step", 1, clock.told)));
  for (const between of clock.told.join(" ").split("room"))
    expect(between.split("step").length - 1).toBeLessThanOrEqual(3);
});

test("a step that throws ends its own turn only", async () => {
  const clock = slowClock();
  const turns = new Turns(clock, 3);
  const broken = turns.turn(() => {
    throw new Error("broken");
  });
  await expect(broken).rejects.toThrow("broken");
  await work(turns, "a", 1, clock.told);
  expect(clock.told).toContain("a");
});
