/** Budgets and rates as agents meet them: real gateways, the embedded store and one PostgreSQL for three of them. */
import { afterAll, afterEach, expect, test } from "vitest";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { type Answer, ask, until, type World, world } from "./harness.ts";

const worlds: World[] = [];
afterEach(() => Promise.all(worlds.splice(0).map((one) => one.close())));
const servers: PostgresServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.remove())));

const costMicroUsd = 250_000;

/** The desk's policy, with a price for a write. */
const priced = `
policy: desk
tools:
  desk:GET /items: { effect: read, risk: low }
  desk:POST /items: { effect: write, risk: high, cost_estimate_micro_usd: ${costMicroUsd} }
  gone:POST /items: { effect: write, risk: high, cost_estimate_micro_usd: ${costMicroUsd} }
rules:
  - { id: all, match: { tools: ["desk:*", "gone:*"] }, outcome: allow }
`;

async function made(supportBot: string, config = ""): Promise<World> {
  const one = await world({ config, supportBot });
  worlds.push(one);
  one.policy("desk.yaml", priced);
  return one;
}

const put = (here: World, path = "/http/desk/items"): Promise<Answer> =>
  here.http("POST", path, { weight: 1 });

/** A store that is too busy says so, and the caller asks again: how fast a machine is decides nothing. */
async function answered(here: World): Promise<Answer> {
  let answer = await put(here);
  for (let asked = 1; asked < 200 && /unknown/.test(String(answer.body["refusal"])); asked++)
    answer = await put(here);
  return answer;
}

const codes = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const key = status === 200 ? "ok" : String(body["refusal"]);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

test("three gateways on one PostgreSQL and sixty-four callers: exactly as many calls as the budget holds", async () => {
  const server = await PostgresServer.primary();
  servers.push(server);
  const fleet: World[] = [];
  for (const name of ["one", "two", "three"]) {
    const config = `store: { postgres: "${server.url}" }\ninstance: ${name}`;
    fleet.push(await made(`budget_micro_usd_per_day: ${20 * costMicroUsd}`, config));
  }
  await Promise.all(fleet.map((each) => each.both()));
  const calls = Array.from({ length: 64 }, (_, i) => answered(fleet[i % 3] as World));
  const answers = await Promise.all(calls);
  expect(codes(answers)).toEqual({ ok: 20, over_budget: 44 });
  expect(fleet.reduce((sum, { desk }) => sum + desk.seen.length, 0)).toBe(20);
  const refused = answers.find(({ status }) => status !== 200);
  expect(refused?.status).toBe(403);
  expect(refused?.body["reason"]).toBe(
    "the call is estimated at 0.25 USD, and support-bot has 0 USD left of 5 USD today (budget_micro_usd_per_day)",
  );
  const denied = fleet[0]?.entries().filter(({ decision }) => decision === "deny") ?? [];
  expect(String(denied[0]?.["reason"])).toContain("0 USD left of 5 USD");
});

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
  expect(refused.headers.get("retry-after")).not.toBeNull();
  // Another agent has its own room, and this one may not borrow it.
  expect(
    (await here.http("POST", "/http/desk/items", {}, "report-bot-development-token")).status,
  ).toBe(200);
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
  const other = await here.http(
    "GET",
    "/http/desk/items",
    undefined,
    "report-bot-development-token",
  );
  expect(other.status).toBe(200);
  expect((await ask(`${here.gatewayUrl}/readyz`)).status).toBe(200);
});
