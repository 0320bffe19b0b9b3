/** Grouped transactions and the watermark, on the simulated store with faults. */
import { expect, inject, test } from "vitest";
import { Random, SimClock, SimDatabase, type StoreFaults } from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const calm: StoreFaults = { refused: 0, commitLost: 0, answerLost: 0, delayMsMax: 3 };
const rough: StoreFaults = { refused: 0.1, commitLost: 0.1, answerLost: 0.1, delayMsMax: 5 };

interface World {
  readonly clock: SimClock;
  readonly database: SimDatabase;
  open(process?: string): SharedState;
}

function world(seed: number, faults: StoreFaults = calm): World {
  const clock = new SimClock();
  const database = new SimDatabase(new Random(seed), clock, faults);
  const open = (process?: string): SharedState =>
    new SharedState(database.open(), process === undefined ? {} : { process });
  return { clock, database, open };
}

const count = (state: SharedState, key = "n") =>
  state.transact([key], (values) => {
    const next = Number(values.get(key)?.["n"] ?? 0) + 1;
    return { writes: new Map([[key, { n: next }]]), result: next };
  });

test("a hot key costs a few commits, not one for each who waits", async () => {
  const { clock, database, open } = world(1);
  const state = open();
  const results = await clock.run(Promise.all(Array.from({ length: 200 }, () => count(state))));
  expect(results.map((each) => each.ok && each.value)).toEqual(
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  expect(database.commits).toBeLessThanOrEqual(2);
});

test("a change that throws rejects alone and leaves nothing; so does a key that was not named", async () => {
  const { clock, open } = world(1);
  const state = open();
  const outcomes = await clock.run(
    Promise.allSettled([
      count(state),
      state.transact(["n"], () => {
        throw new Error("broken rule");
      }),
      state.transact(["n"], () => ({ writes: new Map([["other", {}]]), result: 0 })),
      count(state),
    ]),
  );
  expect(outcomes.map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  const read = await clock.run(state.read(["n", "other"]));
  expect(read.ok && [...read.value]).toEqual([["n", { n: 2 }]]);
});

test("theorem: whatever fails, an acknowledged transaction happened once, and a refused one never", async () => {
  for (let seed = 1; seed <= 20 * inject("effort"); seed++) {
    const { clock, database, open } = world(seed, rough);
    const processes = ["a", "b", "c"].map((name) => open(name));
    const told = new Map<string, string>();
    const spendAll = processes.flatMap((state, at) =>
      Array.from({ length: 15 }, async (_, i) => {
        told.set(`${at}-${i}`, await spend(state, `${at}-${i}`));
      }),
    );
    await clock.run(Promise.all(spendAll));
    database.faults = calm;
    const keys = [...told.keys()].map((id) => `spent/${id}`);
    const read = await clock.run(open().read([...keys, "total"]));
    if (!read.ok) throw new Error(read.error.detail);
    const promised = [...told].filter(([, answer]) => answer !== "unknown");
    expect(promised.map(([id]) => [id, read.value.has(`spent/${id}`)])).toEqual(
      promised.map(([id, answer]) => [id, answer === "ok"]),
    );
    const happened = keys.filter((key) => read.value.has(key)).length;
    expect(Number(read.value.get("total")?.["n"] ?? 0), `seed ${seed}`).toBe(happened);
  }
});

/** Counts, and leaves a mark of its own. `ok`, `twice` when the mark was there already, or the kind of error. */
async function spend(state: SharedState, id: string): Promise<string> {
  const spent = await state.transact(["total", `spent/${id}`], (values) => ({
    writes: new Map([
      ["total", { n: Number(values.get("total")?.["n"] ?? 0) + 1 }],
      [`spent/${id}`, { by: id }],
    ]),
    result: values.has(`spent/${id}`) ? "twice" : "ok",
  }));
  return spent.ok ? spent.value : spent.error.kind;
}

test("a store that lost an acknowledged commit is refused from then on, also by reads and lists", async () => {
  const { clock, database, open } = world(3);
  const [own, other] = [open("a"), open("b")];
  await clock.run(count(own));
  await clock.run(count(own));
  database.lose(1);
  // Who lost nothing of its own cannot see it.
  expect((await clock.run(other.read(["n"]))).ok).toBe(true);
  const kinds = [
    await clock.run(own.read(["n"])),
    await clock.run(own.list("n/", 10)),
    await clock.run(count(own)),
  ].map((each) => (each.ok ? "ok" : each.error.kind));
  expect(kinds).toEqual(["regressed", "regressed", "regressed"]);
});

test("after closing, nothing is done", async () => {
  const { clock, open } = world(4);
  const state = open();
  await clock.run(state.close());
  const counted = await clock.run(count(state));
  expect(counted.ok ? "ok" : counted.error.kind).toBe("unreachable");
});

test("a commit that failed and is then not needed any more is no loss", async () => {
  const { clock, database, open } = world(5);
  const one = open("a");
  // Both want the key; whoever comes second finds it taken at the second attempt, and writes nothing.
  const take = (state: SharedState) =>
    state.transact(["token"], (values) => ({
      writes: values.has("token") ? new Map() : new Map([["token", {}]]),
      result: values.has("token"),
    }));
  await clock.run(count(one));
  for (let round = 0; round < 20; round++) {
    database.commit(new Map([["token", null]]));
    await clock.run(Promise.all([take(one), take(open())]));
    expect((await clock.run(one.read(["n"]))).ok, `round ${round}`).toBe(true);
  }
});
