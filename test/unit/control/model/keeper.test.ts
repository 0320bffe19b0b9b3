/** The model kept at work: what is watched no longer makes its facts stale; many small batches become few, and nothing is lost. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDisk } from "../../../../src/adapters/disk/index.ts";
import { ModelKeeper, ModelLog, RememberedModel } from "../../../../src/control/index.ts";
import { readFactsHead, remembranceUnlessGiven } from "../../../../src/model/index.ts";
import { noStoreFaults, Random, SimClock, SimDatabase } from "../../../../src/sim/index.ts";
import { SharedState } from "../../../../src/state/index.ts";
import { traffic } from "../../../fixtures/model-events.ts";

const factsPath = "model/facts.jsonl";

function world(watchedUntilMs?: () => number | null) {
  const clock = new SimClock();
  const state = new SharedState(new SimDatabase(new Random(3), clock, noStoreFaults).open());
  const disk = openDisk(mkdtempSync(join(tmpdir(), "holdfast-keeper-")));
  const keeper = new ModelKeeper({
    ...{ state, disk, clock, factsPath, rules: remembranceUnlessGiven },
    ...{ everyMs: 1_000, outcomeWindowMs: 1_000, openLog: async () => undefined },
    log: { write: () => undefined },
    telemetry: {
      count: () => undefined,
      gauge: () => undefined,
      startCall: () => ({ traceparent: "", end: () => undefined }),
    },
    ...(watchedUntilMs !== undefined && { watchedUntilMs }),
  });
  const log = new ModelLog(state);
  const tell = async (name: string) => {
    const events = [traffic(Math.floor(clock.wallMs()), null, `service:${name}`, { id: name })];
    expect((await log.write({ id: name, source: "test", events })).ok).toBe(true);
  };
  const told = async (): Promise<number | null> => {
    expect(await keeper.once()).toMatchObject({ ok: true });
    const read = await disk.read(factsPath);
    const head = readFactsHead(
      read.ok ? (Buffer.from(read.value).toString().split("\n")[0] ?? "") : "",
    );
    if (!head.ok) throw new Error(head.error);
    return head.value.toldAtMs;
  };
  return { clock, state, log, tell, told };
}

test("facts are no younger than what a watched cluster last confirmed, and unknown before it ever did", async () => {
  let until: number | null = null;
  const { clock, tell, told } = world(() => until);
  await tell("cart");
  expect(await told()).toBeNull();
  until = clock.wallMs() - 60_000;
  expect(await told()).toBe(Math.floor(until));
  until = clock.wallMs() + 1_000;
  expect(await told()).toBe(Math.floor(clock.wallMs()));
});

test("without a watch, the newest measurement says how old the facts are", async () => {
  const { clock, tell, told } = world();
  await tell("cart");
  expect(await told()).toBe(Math.floor(clock.wallMs()));
});

test("many small batches become few; who has read them does not read them again, and nothing is lost", async () => {
  const { clock, state, log, tell, told } = world();
  // The first round of a day forgets, and who forgets may leave something out.
  await tell("first");
  await told();
  for (let at = 0; at < 100; at++) await tell(`s${at}`);
  const reader = new RememberedModel(log, remembranceUnlessGiven);
  await reader.refresh(clock.wallMs());
  const { graph } = reader;
  for (let at = 100; at < 200; at++) await tell(`s${at}`);
  await reader.refresh(clock.wallMs());
  await told();
  await told();
  const batches = await new ModelLog(state).batches();
  expect(batches.ok && batches.value.length).toBeLessThan(60);
  await reader.refresh(clock.wallMs());
  expect(reader.graph).toBe(graph);
  expect(graph.latest().nodes("service")).toHaveLength(201);
  const other = new RememberedModel(new ModelLog(state), remembranceUnlessGiven);
  await other.refresh(clock.wallMs());
  expect(other.graph.latest().nodes("service")).toHaveLength(201);
  // A merge of merges holds what its reader has, and one more.
  for (let at = 200; at < 400; at++) await tell(`s${at}`);
  await reader.refresh(clock.wallMs());
  await told();
  await reader.refresh(clock.wallMs());
  expect(reader.graph.latest().nodes("service")).toHaveLength(401);
});
