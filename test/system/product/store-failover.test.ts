/** The primary of the shared state dies while gateways work, and its standby takes over. */
import { afterEach, expect, test } from "vitest";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { addressOf, grantStorm, synchronousStandby } from "./grant-storm.ts";
import { type Answer, until, type World, world } from "./harness.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const budget = 40;
const policy = `
policy: counted
tools: { "desk:POST /items": { effect: write, risk: high } }
limits:
  - { id: per-day, match: { agents: support-bot }, budget_calls: ${budget}, period: day }
rules:
  - { id: all, match: { tools: "desk:POST /items" }, outcome: allow }
`;

async function fleet(address: string): Promise<readonly World[]> {
  const worlds: World[] = [];
  for (const name of ["one", "two", "three"]) {
    const here = await world({ config: `store: { postgres: "${address}" }\ninstance: ${name}` });
    closing.push(() => here.close());
    here.policy("desk.yaml", policy);
    worlds.push(here);
  }
  await Promise.all(worlds.map((here) => here.both()));
  return worlds;
}

async function servers(
  standbyOf: (primary: PostgresServer) => Promise<PostgresServer>,
): Promise<{ primary: PostgresServer; standby: PostgresServer; worlds: readonly World[] }> {
  const primary = await PostgresServer.primary();
  closing.push(() => primary.remove());
  const standby = await standbyOf(primary);
  closing.push(() => standby.remove());
  return { primary, standby, worlds: await fleet(addressOf(primary, standby)) };
}

const put = (here: World | undefined): Promise<Answer> =>
  (here as World).http("POST", "/http/desk/items", { weight: 1 });
const forwarded = (worlds: readonly World[]): number =>
  worlds.reduce((sum, { desk }) => sum + desk.seen.length, 0);

test("grants: none is used twice, none is lost", async () => {
  const report = await grantStorm({
    ...{ seed: 11, grants: 60, usesEach: 4, lanes: 12, chaos: false, failover: true },
  });
  expect(report).toMatchObject({ twice: [], lost: [] });
  expect(report.executed + report.unknown).toBe(60);
});

test("a budget is not overspent, and what is left of it can be spent", async () => {
  const { primary, standby, worlds } = await servers(synchronousStandby);
  const lane = async (i: number): Promise<void> => {
    for (let call = 0; call < 3; call++) await put(worlds[(i + call) % 3]);
  };
  const before = Promise.all([0, 1, 2, 3, 4, 5].map(lane));
  await until("some calls", async () => (forwarded(worlds) > 5 ? true : undefined));
  await primary.kill();
  await standby.promote();
  standby.query("ALTER SYSTEM SET synchronous_standby_names = ''");
  standby.query("SELECT pg_reload_conf()");
  await before;
  await until("the end of the budget", async () => {
    const { body } = await put(worlds[0]);
    return body["refusal"] === "over_budget" ? true : undefined;
  });
  expect(forwarded(worlds)).toBeLessThanOrEqual(budget);
  // A reservation whose commit nobody could confirm counts as spent.
  expect(forwarded(worlds)).toBeGreaterThan(budget - 8);
});

test("a standby that had not received what was acknowledged: refused, not guessed", async () => {
  const { primary, standby, worlds } = await servers((server) => server.standby());
  for (let call = 0; call < 3; call++) await put(worlds[call]);
  const written = primary.query("SELECT pg_current_wal_lsn()");
  await until("the standby to follow", async () =>
    standby.query(`SELECT pg_last_wal_replay_lsn() >= '${written}'`) === "t" ? true : undefined,
  );
  await standby.kill();
  for (let call = 0; call < 3; call++) expect((await put(worlds[call])).status).toBe(200);
  const acknowledged = forwarded(worlds);
  await primary.kill();
  await standby.start();
  await standby.promote();
  for (const here of worlds) {
    const refused = await until("the loss to be seen", async () => {
      const answer = await put(here);
      return String(answer.body["reason"]).includes("regressed") ? answer : undefined;
    });
    expect(refused.status).toBe(503);
  }
  expect(forwarded(worlds)).toBe(acknowledged);
});
