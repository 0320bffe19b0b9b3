/** The stores that need no server hold the contract of the `Store` port. PostgreSQL's turn is in the system tests. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/clock/index.ts";
import { SqliteStore } from "../../src/adapters/sqlite/index.ts";
import { Random, SimDatabase } from "../../src/sim/index.ts";
import { storeContract } from "./store-contract.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

storeContract("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"));
  folders.push(folder);
  return {
    open: async () => {
      const opened = await SqliteStore.open(join(folder, "made/when/needed/store.db"));
      if (!opened.ok) throw new Error(opened.error);
      return opened.value;
    },
  };
});

storeContract("simulated", async () => {
  const database = new SimDatabase(new Random(1), systemClock);
  return { open: async () => database.open() };
});

storeContract("simulated, with delays", async () => {
  const faults = { refused: 0, commitLost: 0, answerLost: 0, delayMsMax: 3 };
  const database = new SimDatabase(new Random(1), systemClock, faults);
  return { open: async () => database.open() };
});

async function sqliteFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "store-"));
  folders.push(folder);
  return join(folder, "store.db");
}

test("sqlite: the schema after all steps is the checked-in dump (vitest -u rewrites it)", async () => {
  const path = await sqliteFile();
  const store = await SqliteStore.open(path);
  if (store.ok) await store.value.close();
  const database = new DatabaseSync(path);
  const rows = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  database.close();
  const schema = rows.map(({ sql }) => String(sql).replace(/^ {6}/gm, "")).join(";\n");
  await expect(`${schema};\n`).toMatchFileSnapshot("../../schemas/store/sqlite.sql");
});

test("sqlite: a file of a newer Holdfast is not touched, and one that is no database is named", async () => {
  const path = await sqliteFile();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 99");
  database.close();
  const newer = await SqliteStore.open(path);
  expect(newer.ok ? "" : newer.error).toMatch(/store\.db: its schema is at step 99/);
  const garbage = await sqliteFile();
  await writeFile(
    garbage,
    "this is no database, and long enough to be looked at by one".repeat(20),
  );
  const refused = await SqliteStore.open(garbage);
  expect(refused.ok ? "" : refused.error).toMatch(/store\.db cannot be opened: .*not a database/);
});
