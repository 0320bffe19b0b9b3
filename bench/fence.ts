/**
 * Whether gateways that share a PostgreSQL wait for one another because they write under an epoch. Two of them commit
 * changes of their own, one after another, for some seconds: without a fence, under one fence, and for comparison each with one
 * row that both lock. They share nothing else.
 */
import { PostgresStore } from "../src/adapters/postgres/index.ts";
import { SharedState } from "../src/state/index.ts";
import { PostgresServer } from "../test/fixtures/postgres.ts";
import { load, type Measured, measured } from "./measure.ts";

const secondsEach = 3;
const ways = ["without a fence", "under one fence", "with one row that both lock"] as const;
type Way = (typeof ways)[number];

export async function benchFence(trials: number): Promise<readonly Measured[]> {
  const server = await PostgresServer.primary();
  try {
    const rates = new Map<Way, number[]>(ways.map((way) => [way, []]));
    for (let trial = 0; trial < trials; trial++)
      for (const way of ways) rates.get(way)?.push(await together(server, way));
    const [none, ...others] = ways;
    const what = (way: Way): string => `two gateways commit, ${way}`;
    const base = measured(what(none), "commits/s", rates.get(none) ?? []);
    return [
      base,
      ...others.map((way) => measured(what(way), "commits/s", rates.get(way) ?? [], base)),
    ];
  } finally {
    await server.remove();
  }
}

/** Commits a second of both together. */
async function together(server: PostgresServer, way: Way): Promise<number> {
  const states = [open(server), open(server)];
  try {
    for (const [at, state] of states.entries())
      if (way === "under one fence") {
        const along = { key: `gateway/${at}`, value: { at } };
        if (!(await state.fence("bench/fence", 1, along)).ok) throw new Error("not fenced");
      }
    const run = await Promise.all(
      states.map((state, at) => load(1, secondsEach * 1_000, () => commit(state, at, way))),
    );
    return run.reduce((sum, { perSecond }) => sum + perSecond, 0);
  } finally {
    for (const state of states) await state.close();
  }
}

async function commit(state: SharedState, at: number, way: Way): Promise<void> {
  const own = `bench/own/${at}`;
  const keys = way === "with one row that both lock" ? [own, "bench/shared"] : [own];
  const done = await state.transact(keys, (values) => ({
    // Once there, the shared row is only looked at, as a fence is.
    writes: new Map(
      keys
        .filter((key) => key === own || !values.has(key))
        .map((key) => [key, { n: Number(values.get(key)?.["n"] ?? 0) + 1 }]),
    ),
    result: undefined,
  }));
  if (!done.ok) throw new Error(done.error.detail);
}

function open(server: PostgresServer): SharedState {
  const store = PostgresStore.open(server.url, "holdfast bench");
  if (!store.ok) throw new Error(store.error);
  return new SharedState(store.value);
}
