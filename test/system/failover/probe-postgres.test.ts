/** The postgres probe against real servers of version 15 and 17, a primary and its standby each. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PostgresVerification } from "../../../src/failover/index.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { postgres17 } from "../../fixtures/postgres-17.ts";
import { closedAddress, garbageServer, type Probing, probing } from "../../fixtures/probing.ts";
import { until } from "../../fixtures/site.ts";

const programs = postgres17();
const running: PostgresServer[] = [];
let probe: Probing;
let primary: PostgresServer;
let standby: PostgresServer;
let primary17: PostgresServer;
let standby17: PostgresServer;

const logical = ["wal_level = logical", "autovacuum = off"];

beforeAll(async () => {
  primary = kept(await PostgresServer.primary({ settings: logical }));
  primary.query("SELECT pg_create_physical_replication_slot('to_standby')");
  standby = kept(await primary.standby(["primary_slot_name = 'to_standby'"]));
  primary17 = kept(
    await PostgresServer.primary({ programs: programs.programs, settings: logical }),
  );
  primary17.query("SELECT pg_create_physical_replication_slot('to_standby')");
  standby17 = kept(
    await primary17.standby([
      ...["primary_slot_name = 'to_standby'", "hot_standby_feedback = on"],
      "sync_replication_slots = on",
    ]),
  );
  probe = probing({ P15: primary.url, S15: standby.url, P17: primary17.url, S17: standby17.url });
});

function kept(server: PostgresServer): PostgresServer {
  running.push(server);
  return server;
}

afterAll(async () => {
  await probe?.close();
  for (const server of running.reverse()) await server.remove();
  programs.remove();
});

type Check = PostgresVerification["check"];
const ask = (env: string, check: Check, timeoutMs = 10_000) =>
  probe.ask({ kind: "postgres", connection: { env }, check }, { timeoutMs });

test.each<[string, Check, string, string]>([
  ["equals", { query: "SELECT 'a' || 'b', 2", equals: "ab" }, "pass", '"ab"'],
  ["another value", { query: "SELECT 1", equals: "2" }, "fail", 'answers "1", expected 2'],
  ["enough", { query: "SELECT 5::numeric", at_least: 5 }, "pass", '"5"'],
  ["too little", { query: "SELECT 4", at_least: 5 }, "fail", "expected at least 5"],
  ["null", { query: "SELECT NULL", equals: "" }, "fail", "answers null"],
  ["no number", { query: "SELECT 'many'", at_least: 1 }, "inconclusive", "no number"],
  ["no row", { query: "SELECT 1 WHERE false", equals: "1" }, "fail", "no row"],
  ["no expectation", { query: "SELECT 1" }, "inconclusive", "nothing says"],
  ["no such table", { query: "SELECT * FROM none", equals: "1" }, "inconclusive", "42P01"],
  ["a write", { query: "CREATE TABLE t (a int)", equals: "1" }, "inconclusive", "25006"],
  ["too slow", { query: "SELECT pg_sleep(60)", equals: "" }, "inconclusive", "within 700 ms"],
])("query: %s", async (_name, check, verdict, because) => {
  const finding = await ask("P15", check, because.includes("700 ms") ? 700 : 10_000);
  expect(finding.because).toContain(because);
  expect(finding.verdict).toBe(verdict);
});

test("role and timeline of a primary and of a standby", async () => {
  expect(await ask("P15", { role: "primary" })).toMatchObject({
    ...{ verdict: "pass", observed: { role: "primary", timeline: 1 } },
  });
  expect(await ask("S15", { role: "standby", timeline_min: 1 })).toMatchObject({ verdict: "pass" });
  expect(await ask("S15", { role: "primary" })).toMatchObject({
    ...{ verdict: "fail", because: "it is a standby, expected a primary" },
  });
  expect(await ask("P15", { role: "primary", timeline_min: 2 })).toMatchObject({ verdict: "fail" });
  primary.query("ALTER SYSTEM SET default_transaction_read_only = on");
  primary.query("SELECT pg_reload_conf()");
  await until(() => primary.query("SHOW default_transaction_read_only") === "on");
  expect(await ask("P15", { role: "primary" })).toMatchObject({ verdict: "fail" });
  primary.query("ALTER SYSTEM RESET default_transaction_read_only");
  primary.query("SELECT pg_reload_conf()");
  await until(() => primary.query("SHOW default_transaction_read_only") === "off");
});

const synchronous = async (names: string, level: string): Promise<void> => {
  primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
  primary.query(`ALTER SYSTEM SET synchronous_commit = '${level}'`);
  primary.query("SELECT pg_reload_conf()");
  const state = "SELECT coalesce(max(sync_state), '') FROM pg_stat_replication";
  const settled = names === "" ? "async" : names.startsWith("ANY") ? "quorum" : "sync";
  await until(
    () => primary.query(state) === settled && primary.query("SHOW synchronous_commit") === level,
  );
};

test("how many standbys confirm before a commit is acknowledged", async () => {
  const found = () => ask("P15", { synchronous_min: 1 });
  expect(await found()).toMatchObject({ verdict: "fail" });
  for (const names of ["*", "FIRST 1 (*)", "ANY 1 (*)"]) {
    await synchronous(names, "on");
    expect(await found()).toMatchObject({ verdict: "pass", observed: { awaited: 1 } });
    expect(await ask("P15", { synchronous_min: 2 })).toMatchObject({ verdict: "fail" });
  }
  await synchronous("*", "local");
  expect(await found()).toMatchObject({ verdict: "fail", observed: { awaited: 0 } });
  await synchronous("", "on");
});

test("15: a slot that is there, permanent and logical; none other", async () => {
  expect(await ask("P15", { slot: "audit" })).toMatchObject({
    ...{ verdict: "fail", because: "there is no slot audit" },
  });
  primary.query("SELECT pg_create_logical_replication_slot('audit', 'wal2json')");
  expect(await ask("P15", { slot: "audit" })).toMatchObject({ verdict: "pass" });
  expect(await ask("P15", { slot: "to_standby" })).toMatchObject({ verdict: "fail" });
  // As stock PostgreSQL 15 has it: the standby knows nothing of the slot.
  expect(await ask("S15", { slot: "audit" })).toMatchObject({ verdict: "fail" });
  primary.query("CREATE TABLE rows AS SELECT generate_series(1, 1000) AS n");
  expect(await ask("P15", { slot: "audit", lag_bytes_max: 1_000 })).toMatchObject({
    verdict: "fail",
  });
  primary.query("SELECT count(*) FROM pg_logical_slot_get_changes('audit', NULL, NULL)");
  expect(await ask("P15", { slot: "audit", lag_bytes_max: 10_000 })).toMatchObject({
    verdict: "pass",
  });
});

test("17: marked for failover on the primary, synchronised and not temporary on the standby", async () => {
  const create = (name: string, failover: boolean): void => {
    const options = `'${name}', 'test_decoding', failover => ${failover}`;
    primary17.query(`SELECT pg_create_logical_replication_slot(${options})`);
  };
  create("plain", false);
  create("audit", true);
  expect(await ask("P17", { slot: "plain" })).toMatchObject({
    ...{ verdict: "fail", because: "slot plain is not marked for failover, so no standby has it" },
  });
  expect(await ask("P17", { slot: "audit" })).toMatchObject({ verdict: "pass" });
  // The standby is a step behind, so what it synchronises first is temporary.
  const state =
    "SELECT temporary::text || synced FROM pg_replication_slots WHERE slot_name = 'audit'";
  await until(() => standby17.query(state) !== "");
  if (standby17.query(state) === "truetrue")
    expect(await ask("S17", { slot: "audit" })).toMatchObject({
      ...{ verdict: "fail", observed: { temporary: true } },
    });
  const advance = () => {
    primary17.query("SELECT pg_logical_emit_message(true, 'a', 'b')");
    primary17.query("SELECT count(*) FROM pg_logical_slot_get_changes('audit', NULL, NULL)");
    primary17.query("SELECT pg_log_standby_snapshot()");
    return standby17.query(state) === "falsetrue";
  };
  await until(advance);
  expect(await ask("S17", { slot: "audit" })).toMatchObject({
    ...{ verdict: "pass", observed: { synced: true, temporary: false } },
  });
});

test("a frozen server, one that is not there, and one that answers garbage say nothing", async () => {
  const garbage = await garbageServer();
  const other = probing({
    GONE: `postgres://u:pass-word@${await closedAddress()}/db`,
    GARBAGE: `postgres://u:pass-word@${garbage.address}/db`,
  });
  for (const env of ["GONE", "GARBAGE", "NONE"]) {
    const verification = { kind: "postgres", connection: { env }, check: { role: "primary" } };
    const finding = await other.ask(verification as PostgresVerification, { timeoutMs: 2_000 });
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(JSON.stringify(finding)).not.toContain("pass-word");
  }
  await other.close();
  await garbage.close();
  standby.signal("SIGSTOP");
  try {
    const began = performance.now();
    expect(await ask("S15", { role: "standby" }, 800)).toMatchObject({
      ...{ verdict: "inconclusive", because: "the server did not answer within 800 ms" },
    });
    expect(performance.now() - began).toBeLessThan(5_000);
  } finally {
    standby.signal("SIGCONT");
  }
});

test("after a promotion the new timeline is seen at once, before any checkpoint", async () => {
  await standby.promote();
  expect(await ask("S15", { role: "primary", timeline_min: 2 })).toMatchObject({
    ...{ verdict: "pass", observed: { timeline: 2 } },
  });
});
