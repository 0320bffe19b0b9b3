/** The CDC canary with a warehouse that is a database, and what stands between it and an answer. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CdcCanary } from "../../../src/failover/index.ts";
import { AuditConsumer } from "../../fixtures/audit-pipeline.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { closedAddress, type Probing, probing } from "../../fixtures/probing.ts";
import { temporaryFolder } from "../../fixtures/processes.ts";

let source: PostgresServer;
let standby: PostgresServer;
let consumer: AuditConsumer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let probe: Probing;

beforeAll(async () => {
  folder = await temporaryFolder();
  source = await PostgresServer.primary({ settings: ["wal_level = logical"] });
  standby = await source.standby();
  source.query("SELECT pg_create_logical_replication_slot('audit', 'wal2json')");
  // The warehouse is a table that a sink fills from the same stream.
  source.query("CREATE TABLE warehouse (line text)");
  consumer = new AuditConsumer(source, "audit", join(folder.path, "lines"), "wal2json");
  const gone = `postgres://u@${await closedAddress()}/db`;
  probe = probing({ SOURCE: source.url, STANDBY: standby.url, GONE: gone });
});
afterAll(async () => {
  await consumer?.stop();
  await probe?.close();
  await standby?.remove();
  await source?.remove();
  await folder?.remove();
});

const filled = "SELECT count(*) FROM warehouse WHERE line LIKE '%' || $1 || '%'";
const ask = (more: Partial<CdcCanary> & { query?: string }, nonce: string, timeoutMs = 10_000) => {
  const { query = filled, ...rest } = more;
  const warehouse = { connection: { env: "SOURCE" }, query };
  return probe.ask(
    { kind: "cdc_canary", connection: { env: "SOURCE" }, warehouse, ...rest },
    { nonce, timeoutMs },
  );
};

test("it arrives in the table: how long it took, and how often it is there", async () => {
  const sink = new pg.Client({ connectionString: source.url });
  await sink.connect();
  let isOver = false;
  const copied = (async () => {
    while (!isOver) {
      const lines = readFileSync(consumer.file, "utf8").split("\n").filter(Boolean);
      for (const line of [...lines, ...lines])
        await sink.query("INSERT INTO warehouse VALUES ($1)", [line]);
      isOver ||= lines.length > 0;
      await new Promise((wake) => setTimeout(wake, 20));
    }
  })();
  const finding = await ask({}, "two-copies");
  expect(finding).toMatchObject({ verdict: "pass", boundBy: "address" });
  expect(Number(finding.observed["copies"])).toBeGreaterThan(0);
  expect(Number(finding.observed["latency_ms"])).toBeGreaterThan(0);
  isOver = true;
  await copied;
  await sink.end();
});

test("a table that nobody fills fails, and names what was written", async () => {
  const finding = await ask({}, "never", 4_000);
  expect(finding.because).toMatch(/what was written at \S+ did not arrive within 4000 ms/);
  expect(finding).toMatchObject({ verdict: "fail", observed: { copies: 0 } });
});

test.each<[string, Partial<CdcCanary> & { query?: string }, string]>([
  ["a standby writes nothing", { connection: { env: "STANDBY" } }, "was not sent"],
  ["no source", { connection: { env: "GONE" } }, "was not sent"],
  ["no such table", { query: "SELECT count(*) FROM none WHERE $1 = $1" }, "42P01"],
  ["no count", { query: "SELECT 'many' || $1" }, "no count"],
  ["no warehouse", { warehouse: { connection: { env: "GONE" }, query: filled } }, "the warehouse"],
  ["no file", { warehouse: { file: "/no/such/file" } }, "cannot be read"],
])("%s: inconclusive", async (_name, more, because) => {
  const finding = await ask(more, "n", 3_000);
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe("inconclusive");
});
