/** The `Store` port on a real PostgreSQL: the contract, and what only a server can do to us. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { fenceLock } from "../../../src/adapters/postgres/fence-lock.ts";
import { PostgresStore } from "../../../src/adapters/postgres/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import { storeContract } from "../../contracts/store-contract.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";

/** What the library says of how it is used, from the first test on. */
const warned: string[] = [];
process.on("warning", ({ message }) => warned.push(message));

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.primary();
});
afterAll(() => server.remove());

let databases = 0;

/** A database of its own on the one server. */
async function database(): Promise<{ readonly url: string; open(): Promise<PostgresStore> }> {
  databases += 1;
  const name = `contract_${databases}`;
  server.query(`CREATE DATABASE ${name}`);
  const url = server.url.replace(/\/postgres$/, `/${name}`);
  return { url, open: () => opened(url) };
}

async function opened(url: string): Promise<PostgresStore> {
  const store = PostgresStore.open(url, "holdfast test");
  if (!store.ok) throw new Error(store.error);
  return store.value;
}

storeContract("postgres", database);

test("many who ask one store at once are served one after another, and the library has nothing against it", async () => {
  const { open } = await database();
  const state = new SharedState(await open());
  const put = (key: string) =>
    state.transact([key], () => ({ writes: new Map([[key, { key }]]), result: key }));
  const asked = Array.from({ length: 30 }, (_, i) => [
    put(`k/${i}`),
    state.read([`k/${i}`]),
    state.list("k/", 10),
  ]).flat();
  expect((await Promise.all(asked)).every(({ ok }) => ok)).toBe(true);
  await state.close();
  expect(warned).toEqual([]);
});

test("who waits behind a fault learns of it at once, and who comes later is served", async () => {
  const { url, open } = await database();
  const store = await open();
  expect((await store.read(["k"])).ok).toBe(true);
  const ours = `FROM pg_stat_activity WHERE datname = '${new URL(url).pathname.slice(1)}'
    AND application_name = 'holdfast test'`;
  server.query(`SELECT pg_terminate_backend(pid) ${ours}`);
  while (server.query(`SELECT count(*) ${ours}`) !== "0");
  const reads = await Promise.all(Array.from({ length: 5 }, () => store.read(["k"])));
  const kinds = reads.map((read) => (read.ok ? "ok" : read.error.kind));
  expect(kinds).toEqual(kinds.map(() => "unreachable"));
  expect((await store.read(["k"])).ok).toBe(true);
  await store.close();
});

test("the schema after all steps is the checked-in dump (vitest -u rewrites it)", async () => {
  const { url, open } = await database();
  const store = await open();
  expect((await store.read(["k"])).ok).toBe(true);
  await store.close();
  const lines = server.dump(url, "holdfast").split("\n");
  // What depends on the version of pg_dump, and not on the schema.
  const schema = lines.filter(
    (line) => line !== "" && !/^(--|SET |SELECT pg_catalog|\\)/.test(line),
  );
  await expect(`${schema.join("\n")}\n`).toMatchFileSnapshot("../../../schemas/store/postgres.sql");
});

test("a store that a newer Holdfast has written is not touched", async () => {
  const { url, open } = await database();
  const store = await open();
  await store.attempt(["k"], () => new Map([["k", { n: 1 }]]));
  await store.close();
  server.query("INSERT INTO holdfast.migration (number, name) VALUES (99, 'later')", url);
  const older = await open();
  const read = await older.read(["k"]);
  expect(read.ok ? "ok" : `${read.error.kind}: ${read.error.detail}`).toMatch(
    /^unreachable: .*step 99, and this Holdfast knows 1/,
  );
  await older.close();
});

test("processes that start together bring the schema up to date once", async () => {
  const { url, open } = await database();
  const stores = await Promise.all(Array.from({ length: 6 }, open));
  const reads = await Promise.all(stores.map((store) => store.read(["k"])));
  expect(reads.map(({ ok }) => ok)).toEqual(reads.map(() => true));
  expect(server.query("SELECT count(*) FROM holdfast.migration", url)).toBe("1");
  await Promise.all(stores.map((store) => store.close()));
});

test("who writes under a fence shares its lock, who raises it has it alone; also before it stands there", async () => {
  const { url, open } = await database();
  const store = await open();
  expect((await store.read(["k"])).ok).toBe(true);
  const lock = `'${fenceLock("fence")}'::bigint`;
  const locked = (): string =>
    server.query(
      `SELECT pg_try_advisory_xact_lock_shared(${lock}), pg_try_advisory_xact_lock(${lock})`,
      url,
    );
  const seen: string[] = [];
  for (const epoch of [1, 2]) {
    const look = (raises: boolean): Promise<unknown> =>
      store.attempt(
        raises ? ["fence"] : ["k"],
        () => {
          seen.push(`${raises ? "raises" : "writes"} ${locked()}`);
          return new Map(raises ? [["fence", { epoch }]] : [["k", { epoch }]]);
        },
        { key: "fence", raises },
      );
    await look(false);
    await look(true);
    seen.push(`nobody ${locked()}`);
  }
  const once = ["writes t|f", "raises f|f", "nobody t|t"];
  expect(seen).toEqual([...once, ...once]);
  await store.close();
});

test("a standby is refused, and of several hosts the primary is found", async () => {
  const standby = await server.standby();
  try {
    const alone = await opened(standby.url);
    const refused = await alone.read(["k"]);
    expect(refused.ok ? "" : refused.error.detail).toContain("it is a standby");
    await alone.close();
    const both = server.url.replace(
      /127[^/]*/,
      `127.0.0.1:${standby.port},127.0.0.1:${server.port}`,
    );
    const store = await opened(both);
    expect((await store.read(["k"])).ok).toBe(true);
    await store.close();
  } finally {
    await standby.remove();
  }
});

test("a process that stops inside a transaction loses it, and its locks", async () => {
  const { open } = await database();
  const [stuck, other] = [await open(), await open()];
  await stuck.attempt(["k"], () => new Map([["k", { n: 0 }]]));
  // The event loop of this process stands still between the read and the commit, as if stopped by a signal.
  const held = stuck.attempt(["k"], () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
    return new Map([["k", { n: 1 }]]);
  });
  const late = await held;
  expect(late.ok ? "ok" : late.error.kind).toBe("unreachable");
  expect((await other.attempt(["k"], () => new Map([["k", { n: 2 }]]))).ok).toBe(true);
  const read = await stuck.read(["k"]);
  expect(read.ok && read.value.get("k")).toEqual({ n: 2 });
  await Promise.all([stuck.close(), other.close()]);
});

test("a standby that had not received a commit takes over: regressed, for good", async () => {
  const primary = await PostgresServer.primary();
  const standby = await primary.standby();
  try {
    const hosts = primary.url.replace(
      /127[^/]*/,
      `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`,
    );
    const state = new SharedState(await opened(hosts), { process: "gateway/one" });
    const spend = (key: string) =>
      state.transact([key], () => ({ writes: new Map([[key, { spent: true }]]), result: key }));
    expect((await spend("token/1")).ok).toBe(true);
    await caughtUp(primary, standby);
    // Asynchronous replication, cut: what follows is acknowledged by the primary alone.
    await standby.kill();
    expect((await spend("token/2")).ok).toBe(true);
    await primary.kill();
    await standby.start();
    await standby.promote();
    const after = await spend("token/2");
    const kind = after.ok ? "ok" : after.error.kind;
    expect(kind, after.ok ? "" : after.error.detail).toMatch(/regressed|unreachable/);
    const again = await spend("token/2");
    expect(again.ok ? "ok" : again.error.kind).toBe("regressed");
    const read = await state.read(["token/1"]);
    expect(read.ok ? "ok" : read.error.kind).toBe("regressed");
    await state.close();
  } finally {
    await primary.remove();
    await standby.remove();
  }
});

async function caughtUp(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const written = primary.query("SELECT pg_current_wal_lsn()");
  while (standby.query(`SELECT pg_last_wal_replay_lsn() >= '${written}'`) !== "t")
    await new Promise((wake) => setTimeout(wake, 20));
}
