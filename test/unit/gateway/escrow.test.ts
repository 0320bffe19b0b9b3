/** Held writes under faults, by seed: gateways die anywhere, the store loses answers, upstreams fail; nothing acts twice. */
import { expect, inject, test } from "vitest";
import type { Governed } from "../../../src/gateway/call.ts";
import { attemptIn, attemptOf } from "../../../src/gateway/escrow/attempt.ts";
import { noStoreFaults, type Random } from "../../../src/sim/index.ts";
import { EscrowWorld } from "./escrow-world.ts";

const effort = inject("effort");
const seeds = 25 * effort;

const storm = { refused: 0.02, commitLost: 0.02, answerLost: 0.03, delayMsMax: 30 };

function weather(random: Random): "answers" | "acts, no answer" | "no answer" | "not reached" {
  const drawn = random.below(20);
  if (drawn < 14) return "answers";
  if (drawn < 16) return "acts, no answer";
  return drawn < 18 ? "no answer" : "not reached";
}

const ids = (upstream: string): string[] => Array.from({ length: 8 }, (_, i) => `${upstream}${i}`);

async function lived(seed: number): Promise<EscrowWorld> {
  const world = new EscrowWorld(seed);
  const { clock, random, upstreams } = world;
  for (const name of ["bank", "shop"]) for (const id of ids(name)) await world.hold(id, name);
  for (const upstream of Object.values(upstreams)) upstream.weather = () => weather(random);
  await world.person();
  world.database.faults = storm;
  const running = ["a", "b"].map((name) => ({ name, process: world.start(name) }));
  for (let kill = 0; kill < 12; kill++) {
    await clock.advance(50 + random.below(1_500));
    const victim = running[random.below(2)];
    victim?.process.kill();
    await clock.advance(random.below(400));
    if (victim !== undefined) victim.process = world.start(victim.name);
    if (random.chance(0.5)) await world.person();
  }
  // The storm is over: now everything must come to its end.
  world.database.faults = noStoreFaults;
  for (const upstream of Object.values(upstreams)) upstream.weather = () => "answers";
  for (let i = 0; i < 60 && (await world.open()).length > 0; i++) {
    await clock.advance(20_000);
    await world.person();
  }
  for (const { process } of running) process.kill();
  return world;
}

test(`${seeds} storms: each write acts once, in order; what does not honour the key receives none twice`, async () => {
  let repeated = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const world = await lived(seed);
    const { bank, shop } = world.upstreams;
    expect(await world.open(), `seed ${seed}`).toEqual([]);
    expect(bank.effects, `seed ${seed}`).toEqual(ids("bank"));
    expect(shop.effects, `seed ${seed}`).toEqual(ids("shop"));
    const sent = (of: readonly string[], id: string): number =>
      of.filter((each) => each === id).length;
    for (const id of ids("shop"))
      expect(sent(shop.received, id), `seed ${seed}`).toBeLessThanOrEqual(
        1 + sent(world.sentAgain, id),
      );
    repeated += bank.received.length - bank.effects.length + world.sentAgain.length;
  }
  // Storms that never caught a write under way would show nothing.
  expect(repeated).toBeGreaterThan(seeds);
});

test("without a person nothing is carried out, however long gateways run", async () => {
  const world = new EscrowWorld(1);
  for (const id of ids("bank")) await world.hold(id, "bank");
  world.start("a");
  await world.clock.advance(600_000);
  expect(world.upstreams.bank.received).toEqual([]);
  expect((await world.open()).map(({ state }) => state)).toEqual(ids("bank").map(() => "queued"));
});

test("an upstream that is away is asked again and again, ever more seldom; then everything goes out in order", async () => {
  const world = new EscrowWorld(2);
  const { bank } = world.upstreams;
  let asked = 0;
  bank.weather = () => {
    asked += 1;
    return "not reached";
  };
  for (const id of ids("bank")) await world.hold(id, "bank");
  await world.person();
  world.start("a");
  await world.clock.advance(600_000);
  expect(asked).toBeGreaterThan(8);
  expect(asked).toBeLessThan(25);
  bank.weather = () => "answers";
  await world.clock.advance(70_000);
  expect(bank.effects).toEqual(ids("bank"));
});

test("behind a write of which nobody knows the others wait, of that upstream alone", async () => {
  const world = new EscrowWorld(3);
  const { bank, shop } = world.upstreams;
  for (const name of ["bank", "shop"]) for (const id of ids(name)) await world.hold(id, name);
  shop.weather = () => "acts, no answer";
  await world.person();
  world.start("a");
  await world.clock.advance(300_000);
  expect(shop.received).toEqual(["shop0"]);
  expect(bank.effects).toEqual(ids("bank"));
  const [first, second] = await world.open();
  expect([first?.state, second?.state]).toEqual(["unknown", "released"]);
  shop.weather = () => "answers";
  await world.person();
  await world.clock.advance(60_000);
  expect(shop.effects).toEqual(ids("shop"));
});

test("a gateway that lives keeps what it has in hand, however long the upstream takes", async () => {
  const world = new EscrowWorld(4);
  const { shop } = world.upstreams;
  for (const id of ids("shop")) await world.hold(id, "shop");
  shop.answerMs = 150_000;
  await world.person();
  world.start("a");
  await world.clock.advance(2_000);
  world.start("b");
  await world.clock.advance(120_000);
  expect((await world.open())[0]?.state).toBe("executing");
  shop.answerMs = 0;
  await world.clock.advance(60_000);
  expect(shop.effects).toEqual(ids("shop"));
});

test("what a gateway had in hand that is gone is unknown after a minute; its own next run knows at once", async () => {
  const world = new EscrowWorld(5);
  const { shop } = world.upstreams;
  for (const id of ids("shop")) await world.hold(id, "shop");
  shop.answerMs = 1_000;
  await world.person();
  const gone = world.start("a");
  await world.clock.advance(900);
  gone.kill();
  world.start("b");
  await world.clock.advance(50_000);
  expect((await world.open())[0]?.state).toBe("executing");
  await world.clock.advance(20_000);
  const [first] = await world.open();
  expect(first).toMatchObject({ state: "unknown", note: expect.stringContaining("silent") });
  // Its log has an outcome after all: the answer came, and the store could not be told.
  world.logs.get("a")?.set(first?.claim?.call ?? "", "ok");
  world.start("a");
  await world.clock.advance(60_000);
  expect(shop.received).toEqual(ids("shop"));
  expect(await world.open()).toEqual([]);
});

test("a gateway that was frozen with a write in hand, and was given up, sends nothing when it wakes", async () => {
  const world = new EscrowWorld(6);
  const { shop } = world.upstreams;
  await world.hold("shop0", "shop");
  await world.person();
  world.start("a").freezeNext(120_000);
  await world.clock.advance(1_000);
  world.start("b");
  await world.clock.advance(70_000);
  expect((await world.open())[0]?.state).toBe("unknown");
  // Nothing in the journal: a person lets it go once more, and the other gateway sends it.
  await world.person();
  await world.clock.advance(100_000);
  expect(world.sentAgain).toEqual(["shop0"]);
  expect(shop.received).toEqual(["shop0"]);
  expect(await world.open()).toEqual([]);
});

const governed = (decision: object, forwarded?: object): Governed<unknown> =>
  ({
    decision: { call_id: "c", decision: "deny", reason: "so", policy_version: "r", ...decision },
    ...(forwarded === undefined ? {} : { forwarded }),
  }) as unknown as Governed<unknown>;
const plain = { honoured: false, attempt: 1 };
const honoured = { honoured: true, attempt: 1 };

test.each([
  ["policy denies", governed({}), plain, "discarded"],
  ["policy wants approval", governed({ decision: "approval_needed" }), plain, "back"],
  ["a person paused it", governed({ refusal: "paused" }), plain, "back"],
  ["the money is spent", governed({ refusal: "over_budget" }), plain, "back"],
  ["the rate is used up", governed({ refusal: "over_rate" }), plain, "again"],
  ["the breaker is open", governed({ refusal: "breaker_open" }), plain, "again"],
  ["nothing could be recorded", governed({ refusal: "record_failed" }), plain, "again"],
  ["done, not recorded", governed({ refusal: "outcome_unrecorded" }), plain, "unknown"],
  ["done, not recorded", governed({ refusal: "outcome_unrecorded" }), honoured, "again"],
  ["it is done", governed({}, { outcome: "ok" }), plain, "executed"],
  ["it was not sent", governed({}, { outcome: "not_sent" }), plain, "again"],
  ["no answer", governed({}, { outcome: "unknown" }), plain, "unknown"],
  ["no answer", governed({}, { outcome: "unknown" }), honoured, "again"],
  [
    "no answer, too often",
    governed({}, { outcome: "unknown" }),
    { ...honoured, attempt: 10 },
    "unknown",
  ],
  ["status 400", governed({}, { outcome: "tool_error", statusCode: 400 }), honoured, "failed"],
  ["status 409", governed({}, { outcome: "tool_error", statusCode: 409 }), honoured, "again"],
  ["status 409", governed({}, { outcome: "tool_error", statusCode: 409 }), plain, "failed"],
  ["status 503", governed({}, { outcome: "tool_error", statusCode: 503 }), plain, "unknown"],
  ["status 503", governed({}, { outcome: "tool_error", statusCode: 503 }), honoured, "again"],
  [
    "a JSON-RPC error",
    governed({}, { outcome: "tool_error", statusCode: -32602 }),
    plain,
    "failed",
  ],
])("%s: %#", (_, came, facts, kind) => {
  expect(attemptOf(came, facts).kind).toBe(kind);
});

test.each([
  [undefined, plain, "again"],
  ["not_sent", plain, "again"],
  ["ok", plain, "executed"],
  ["tool_error", plain, "failed"],
  ["tool_error", honoured, "again"],
  ["unknown", plain, "unknown"],
  ["unknown", honoured, "again"],
] as const)("the log of a dead run says %s", (fate, facts, kind) => {
  expect(attemptIn(fate, facts).kind).toBe(kind);
});
