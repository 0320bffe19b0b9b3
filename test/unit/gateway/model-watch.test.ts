/** Facts of the runtime model at the gateway: from a snapshot in memory, and unknown as soon as it is too old. */
import { expect, test } from "vitest";
import { ModelWatch } from "../../../src/gateway/index.ts";
import { err, ok } from "../../../src/kernel/index.ts";
import { type FactsHead, factsLines, type TargetFacts } from "../../../src/model/index.ts";
import type { TargetTemplate } from "../../../src/policy/index.ts";
import type { Disk } from "../../../src/ports.ts";
import { recordingLog, recordingTelemetry, SimClock } from "../../../src/sim/index.ts";

const cart: TargetFacts = {
  target: "service:cart",
  dependents: 2,
  recentChanges: 1,
  memory: { count: 3, byChange: { restart: 2 } },
  reached: {
    "*": {
      services: 3,
      share: { value: 0.5, low: 0.4, high: 0.6 },
      zones: ["eu"],
      dataClasses: [],
    },
    restart: { services: 1, share: { value: 0.1, low: 0, high: 0.2 }, zones: [], dataClasses: [] },
  },
};
const idle: TargetFacts = {
  ...cart,
  target: "service:idle",
  reached: { "*": { services: 1, share: null, zones: [], dataClasses: [] } },
};
const startMs = Date.UTC(2026, 0, 1);
const template: TargetTemplate = { kind: "service", parts: [["name"]], change: "restart" };

function watching() {
  const clock = new SimClock(startMs);
  const log = recordingLog();
  let text: string | undefined;
  const disk = {
    read: async (path: string) =>
      text === undefined
        ? err({ kind: "not_found", code: "ENOENT", path })
        : ok(new TextEncoder().encode(text)),
  } as unknown as Disk;
  const watch = new ModelWatch({
    ...{ disk, clock, log, telemetry: recordingTelemetry() },
    path: "model/facts.jsonl",
    pollMs: 10,
    freshForMs: 60_000,
  });
  const write = (changed: Partial<FactsHead> = {}, targets = [cart, idle]): void => {
    const head = { version: 1, madeAtMs: startMs, toldAtMs: startMs - 1_000, ...changed };
    text = [...factsLines(head, targets), ""].join("\n");
  };
  return {
    ...{ watch, clock, log, write },
    writeText: (bytes: string) => {
      text = bytes;
    },
    text: () => text ?? "",
    facts: (name: string, kind = template) => watch.facts(kind, { name }, clock.wallMs()),
  };
}

test("no snapshot, then one, looked up by target and by kind of change", async () => {
  const { watch, facts, write } = watching();
  expect(await watch.refresh()).toBe("absent");
  expect(facts("cart")).toEqual({ known: false, why: "no_model" });
  write();
  expect(await watch.refresh()).toBe("read");
  expect(await watch.refresh()).toBe("unchanged");
  expect(facts("cart")).toEqual({
    known: true,
    target: "service:cart",
    ageSeconds: 1,
    blastRadius: {
      trafficShare: 0.1,
      trafficShareLow: 0,
      trafficShareHigh: 0.2,
      services: 1,
      zones: [],
      dataClasses: [],
    },
    dependents: 2,
    recentChanges: 1,
    memory: { count: 3, sameChange: 2 },
  });
  expect(facts("cart", { ...template, change: "config" })).toMatchObject({
    blastRadius: { trafficShare: 0.5, services: 3, zones: ["eu"] },
    memory: { count: 3, sameChange: 0 },
  });
  expect(facts("idle")).toEqual({ known: false, why: "no_traffic" });
  expect(facts("basket")).toEqual({ known: false, why: "unknown_target" });
  expect(facts("")).toEqual({ known: false, why: "no_target" });
  expect(watch.facts(undefined, {}, startMs)).toEqual({ known: false, why: "no_target" });
});

test("what is too old is unknown: the snapshot, or what it rests on", async () => {
  const { watch, facts, write, clock } = watching();
  write();
  await watch.refresh();
  clock.jumpWall(59_000);
  expect(facts("cart").known).toBe(true);
  clock.jumpWall(1);
  expect(facts("cart")).toEqual({ known: false, why: "stale" });
  // Made anew, and nothing was told since.
  write({ version: 2, madeAtMs: clock.wallMs() });
  await watch.refresh();
  expect(facts("cart")).toEqual({ known: false, why: "stale" });
  write({ version: 3, madeAtMs: clock.wallMs(), toldAtMs: clock.wallMs() });
  await watch.refresh();
  expect(facts("cart").known).toBe(true);
  write({ version: 4, toldAtMs: null });
  await watch.refresh();
  expect(facts("cart")).toEqual({ known: false, why: "stale" });
  // The clock was set back: how old it is nobody can tell.
  write({ version: 5, madeAtMs: clock.wallMs() + 3_600_000, toldAtMs: clock.wallMs() });
  await watch.refresh();
  expect(facts("cart")).toEqual({ known: false, why: "stale" });
});

test("a bad snapshot changes nothing, is told once, and what was read before grows old", async () => {
  const { watch, facts, write, writeText, text, clock, log } = watching();
  write();
  await watch.refresh();
  const good = text();
  const bad = [
    "",
    "{}",
    good.slice(0, -20),
    good.split("\n").slice(0, 2).join("\n"),
    good.replace('"value":0.5', '"value":0.7'),
    good.replace('"dependents":2', '"dependents":-1'),
    good.replace('"services":3', '"services":"3"'),
    good.replace('"version":1', '"version":1.5'),
    good.replace('"*"', '"+"'),
  ];
  for (const one of bad) {
    writeText(one);
    expect([one.length, await watch.refresh()]).toEqual([one.length, "refused"]);
    expect(facts("cart").known).toBe(true);
  }
  expect(log.lines.some(({ event }) => event === "model_facts_refused")).toBe(true);
  clock.jumpWall(61_000);
  expect(facts("cart")).toEqual({ known: false, why: "stale" });
});
