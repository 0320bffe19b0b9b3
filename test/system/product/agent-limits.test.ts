/** Budgets and rates as agents meet them: real gateways, the embedded store and one PostgreSQL for three of them. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { type Answer, ask, reportBot, root, until, type World, world } from "./harness.ts";

const worlds: World[] = [];
afterEach(() => Promise.all(worlds.splice(0).map((one) => one.close())));
const servers: PostgresServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.remove())));

const costMicroUsd = 250_000;

/** The desk's policy, with a price for a write, and limits that agents do not name. */
const priced = `
policy: desk
tools:
  desk:GET /items: { effect: read, risk: low }
  desk:POST /items: { effect: write, risk: high, cost_estimate_micro_usd: ${costMicroUsd} }
  gone:POST /items: { effect: write, risk: high, cost_estimate_micro_usd: ${costMicroUsd} }
rules:
  - { id: all, match: { tools: ["desk:*", "gone:*"] }, outcome: allow }
`;
const withLimits = `${priced}
limits:
  - { id: looks, match: { tools: "desk:GET /items" }, each: tool, calls_max: 12, window_seconds: 3600 }
  - { id: reports, match: { agents: report-bot, effect: write }, budget_calls: 9, period: month }
`;

async function made(supportBot: string, config = "", policy = priced): Promise<World> {
  const one = await world({ config, supportBot });
  worlds.push(one);
  one.policy("desk.yaml", policy);
  return one;
}

const put = (here: World, path = "/http/desk/items"): Promise<Answer> =>
  here.http("POST", path, { weight: 1 });

/** A store that is too busy says so, and the caller asks again: how fast a machine is decides nothing. */
async function answered(ask: () => Promise<Answer>): Promise<Answer> {
  let answer = await ask();
  for (let asked = 1; asked < 200 && /unknown/.test(String(answer.body["refusal"])); asked++)
    answer = await ask();
  return answer;
}

/** `holdfast limits`, by the store alone. */
function limits(here: World, ...options: readonly string[]): Promise<string> {
  const program = join(root, "bin/holdfast.mjs");
  const all = [program, "limits", ...options, "--config", here.path("holdfast.yaml")];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, all, { timeout: 60_000 }, (error, out) =>
      error === null ? resolve(out) : reject(error),
    );
  });
}

const codes = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const key = status === 200 ? "ok" : String(body["refusal"]);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

test("three gateways on one PostgreSQL and sixty-four callers: exactly as many calls as each limit holds", async () => {
  const server = await PostgresServer.primary();
  servers.push(server);
  const fleet: World[] = [];
  for (const name of ["one", "two", "three"]) {
    const config = `store: { postgres: "${server.url}" }\ninstance: ${name}`;
    const budget = `budget_micro_usd_per_day: ${20 * costMicroUsd}`;
    fleet.push(await made(budget, config, withLimits));
  }
  // One after the other: six processes that start at once start slowly.
  for (const each of fleet) await each.both();
  const [first] = fleet;
  if (first === undefined) throw new Error("no fleet");
  /** Sixty-four at once, through all three. */
  const many = (ask: (here: World) => Promise<Answer>): Promise<readonly Answer[]> =>
    Promise.all(Array.from({ length: 64 }, (_, i) => answered(() => ask(fleet[i % 3] ?? first))));
  const [money, looks, reports] = await Promise.all([
    many((here) => put(here)),
    many((here) => here.http("GET", "/http/desk/items")),
    many((here) => here.http("POST", "/http/desk/items", {}, reportBot)),
  ]);
  expect(codes(money)).toEqual({ ok: 20, over_budget: 44 });
  expect(codes(looks)).toEqual({ ok: 12, over_rate: 52 });
  expect(codes(reports)).toEqual({ ok: 9, over_budget: 55 });
  expect(fleet.reduce((sum, { desk }) => sum + desk.seen.length, 0)).toBe(20 + 12 + 9);
  tellsWhy(money, looks, reports);
  const denied = first.entries().filter(({ decision }) => decision === "deny");
  expect(denied.map(({ reason }) => String(reason)).join()).toContain("0 USD left of 5 USD");
  await showsHowFull(first);
});

function tellsWhy(...[money, looks, reports]: readonly (readonly Answer[])[]): void {
  const refused = (answers: readonly Answer[] = []) => answers.find(({ status }) => status !== 200);
  expect(refused(money)?.status).toBe(403);
  expect(refused(money)?.body["reason"]).toMatch(
    /^the limit agents\/support-bot\/budget_micro_usd_per_day has 0 USD left of 5 USD a day for tenant default, agent support-bot; this call takes 0.25 USD; it begins anew at \d{4}-\d\d-\d\dT00:00:00.000Z$/,
  );
  expect(refused(reports)?.body["reason"]).toMatch(
    /^the limit reports has 0 calls left of 9 calls a month; it begins anew at \d{4}-\d\d-01T00:00:00.000Z$/,
  );
  const look = refused(looks);
  const limit = look?.body["limit"] as Record<string, unknown>;
  expect(limit).toMatchObject({ id: "looks", left: 0, unit: "calls" });
  expect(look?.headers.get("retry-after")).toBe(`${limit["room_in_seconds"]}`);
  expect(look?.body["reason"]).toBe(
    `the limit looks (12 calls in 3600 s) is full for tool desk:GET /items: there is room again in ${limit["room_in_seconds"]} s`,
  );
  expect(limit["room_in_seconds"]).toBeGreaterThan(3_500);
  expect(limit["room_in_seconds"]).toBeLessThanOrEqual(3_660);
}

async function showsHowFull(here: World): Promise<void> {
  const told = await until("the metric", async () => {
    const { body } = await ask(`${here.gatewayUrl}/metrics`);
    const text = String(body["text"]);
    return /limit_used_ratio\{limit="reports"\} 1\n/.test(text) ? text : undefined;
  });
  expect(told).toContain('holdfast_limit_used_ratio{limit="looks"} 1\n');
  expect(told).toMatch(/holdfast_limit_refusals_total\{limit="looks"\} \d+\n/);
  const lines = (await limits(here, "--json")).trim().split("\n");
  const counters = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const of = (id: string) => counters.find(({ limit }) => limit === id);
  expect(of("looks")).toMatchObject({
    each: { tool: "desk:GET /items" },
    unit: "calls",
    window_seconds: 3_600,
    used: 12,
    max: 12,
    left: 0,
    room_at: expect.any(String),
  });
  expect(of("reports")).toMatchObject({ each: {}, period: "month", used: 9, max: 9, left: 0 });
  expect(of("agents/support-bot/budget_micro_usd_per_day")).toMatchObject({
    unit: "micro_usd",
    used: 20 * costMicroUsd,
    left: 0,
  });
  expect(await limits(here, "--for", "desk:GET /items")).toMatch(
    /^FULL {2}LIMIT {2}FOR {19}USED {2}MAX {2}LEFT {2}RESETS\n100% {2}looks {2}tool desk:GET \/items {2}12 {4}12 {3}0 {5}room in \d+ s\n$/,
  );
  expect(await limits(here, "--limit", "none")).toBe("nothing is used of any limit\n");
}

test("what was not sent costs nothing; what may have happened does; a gateway that is killed is charged", async () => {
  const here = await made(`budget_micro_usd_per_day: ${3 * costMicroUsd}`);
  const { gateway } = await here.both();
  expect((await put(here, "/http/gone/items")).status).toBe(502);
  expect((await put(here)).status).toBe(200);
  const held = here.desk.hold();
  const lost = put(here).catch(() => undefined);
  await held.arrived;
  await gateway.stop("SIGKILL");
  await lost;
  held.cut();
  await here.gateway();
  expect(codes([await put(here), await put(here)])).toEqual({ ok: 1, over_budget: 1 });
});

test("no more calls in a minute than the cap, across a restart; the answer says when there is room", async () => {
  const here = await made("calls_per_minute_max: 5");
  const { gateway } = await here.both();
  expect(codes(await Promise.all(Array.from({ length: 8 }, () => put(here))))).toEqual({
    ok: 5,
    over_rate: 3,
  });
  expect(await gateway.stop()).toBe(0);
  await here.gateway();
  const refused = await put(here);
  expect([refused.status, refused.body["refusal"]]).toEqual([429, "over_rate"]);
  const { room_in_seconds: room } = refused.body["limit"] as Record<string, unknown>;
  expect(refused.headers.get("retry-after")).toBe(`${room}`);
  expect(room).toBeGreaterThan(0);
  expect(room).toBeLessThanOrEqual(61);
  // Another agent has its own room, and this one may not borrow it.
  expect((await here.http("POST", "/http/desk/items", {}, reportBot)).status).toBe(200);
  expect(here.desk.seen.length).toBe(6);
});

test("a store that is away: whoever has a limit is refused, whoever has none reads on", async () => {
  const server = await PostgresServer.primary();
  servers.push(server);
  const here = await made("calls_per_minute_max: 100", `store: { postgres: "${server.url}" }`);
  await here.both();
  expect((await put(here)).status).toBe(200);
  await server.kill();
  await until("the refusal", async () => {
    const { body } = await here.http("GET", "/http/desk/items");
    return body["refusal"] === "limits_unknown" ? true : undefined;
  });
  const other = await here.http("GET", "/http/desk/items", undefined, reportBot);
  expect(other.status).toBe(200);
  expect((await ask(`${here.gatewayUrl}/readyz`)).status).toBe(200);
});
