/** What a guard answers of its log is kept as the log grows, and bounded; nobody who asks makes it read the log again. */
import { afterEach, expect, test } from "vitest";
import { type RecordedStep, RecordFold, recordsOf } from "../../../src/failover/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { component, GuardTown } from "./guard-town.ts";

const towns: GuardTown[] = [];
afterEach(async () => {
  for (const town of towns.splice(0)) await town.end();
});

/** Failovers of three steps each, with one attempt at remediation; the first stays open. */
function stepsOf(failovers: number): readonly RecordedStep[] {
  let index = 0;
  const step = (failover: string, name: string, about: JsonObject = {}): RecordedStep => ({
    ...{ index: index++, time: "2026-01-01T00:00:00.000Z", epoch: 1, failover, step: name, about },
  });
  return Array.from({ length: failovers }, (_, nth) => `fo-${nth}`).flatMap((id, nth) => [
    step(id, "opened", { failover: id, initiated: "2026-01-01T00:00:00.000Z" }),
    step(id, "remediated", { component: "audit", attempt: 1, result: "done" }),
    ...(nth === 0 ? [] : [step(id, "closed", { outcome: "resumed" })]),
  ]);
}

test("a bounded fold keeps the newest records and every open one, and still counts the others", () => {
  const steps = stepsOf(25);
  const fold = new RecordFold({ recordsMax: 10, remediationsMax: 5 });
  for (const step of steps) fold.add(step);
  const all = recordsOf(steps);
  expect(all).toHaveLength(25);
  expect(fold.records).toEqual([all[0], ...all.slice(-9)]);
  expect(fold.dropped).toEqual(new Map([["resumed", 15]]));
  expect(fold.remediations).toEqual(new Map([["audit done", 25]]));
});

test("a record that is repaired for days keeps its newest attempts", () => {
  const fold = new RecordFold({ recordsMax: 10, remediationsMax: 5 });
  const [opened, repaired] = stepsOf(1);
  if (opened === undefined || repaired === undefined) throw new Error("there are two steps");
  fold.add(opened);
  for (let attempt = 1; attempt <= 20; attempt++)
    fold.add({ ...repaired, index: attempt, about: { ...repaired.about, attempt } });
  const [record] = fold.records;
  expect(record?.remediation.map(({ attempt }) => attempt)).toEqual([16, 17, 18, 19, 20]);
  expect(fold.remediations).toEqual(new Map([["audit done", 20]]));
});

test("it is what the log says, while it grows and after a restart; asking for it reads nothing", async () => {
  let operations = 0;
  const town = new GuardTown({
    components: [component("gateway")],
    beforeDisk: () => {
      operations += 1;
      return undefined;
    },
  });
  towns.push(town);
  await town.start("fra");
  await town.reaches("fra", "ready");
  const { guard, guardLog } = town.life("fra");
  await town.clock.run(guard.close("resumed", "permit", "gw"));
  await town.clock.run(guard.standDown("a person says so"));
  await town.clock.advance(500);
  const before = operations;
  const { records, older } = guardLog.history.newest;
  expect(operations).toBe(before);
  expect(older).toBe(0);
  expect(records).toEqual(await town.records("fra"));
  expect(records).toHaveLength(1);
  expect(guardLog.history.known).toEqual({ epoch: 1, failover: null, isOpen: false });
  town.crash("fra");
  const { guardLog: again } = await town.start("fra");
  expect(again.history.newest).toEqual({ records, older });
  expect(again.history.known).toEqual(guardLog.history.known);
});
