/**
 * Writes that people let go, while the gateway that carries them out is killed again and again: the upstream's own journal
 * shows each once and in order where it honours the key; where it does not, none twice, and people are told of every one
 * that nobody can know.
 */
import { afterEach, expect, test } from "vitest";
import { SqliteStore } from "../../../src/adapters/sqlite/index.ts";
import { itemsOf } from "../../../src/cli/escrow-items.ts";
import type { EscrowItem } from "../../../src/escrow/index.ts";
import { SharedState } from "../../../src/state/index.ts";
import type { EscrowUpstream } from "../../fixtures/escrow-upstream.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { escrow, town, worldOf, write } from "./escrow-town.ts";
import { type Process, until, type World } from "./harness.ts";

const kills = 30;
/** All of one agent, which may have a hundred in escrow. */
const writesEach = 33;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function stateOf(here: World): Promise<SharedState> {
  const opened = await SqliteStore.open(here.path("data/store.db"));
  if (!opened.ok) throw new Error(opened.error);
  const state = new SharedState(opened.value);
  cleanups.push(() => state.close());
  return state;
}

async function openItems(state: SharedState): Promise<readonly EscrowItem[]> {
  const items = await itemsOf(state, "open");
  if (!items.ok) throw new Error(items.error);
  return items.value;
}

/** Thirty starts: on a busy machine one of them takes long, which is not what is tested. */
async function started(here: World): Promise<Process> {
  const gateway = here.start("gateway");
  for (let left = 5; ; left--)
    try {
      await gateway.line("gateway_listening");
      return gateway;
    } catch (thrown) {
      if (left === 0 || gateway.child.exitCode !== null) throw thrown;
    }
}

const notes = (of: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${of} ${i}`);

/** Held back one after the other, so that their order is known. */
async function queue(here: World): Promise<void> {
  const http = async (upstream: string): Promise<void> => {
    for (const note of notes(upstream, writesEach))
      expect((await write(here, upstream, { note })).status).toBe(202);
  };
  const client = await here.client("blog");
  const mcp = async (): Promise<void> => {
    for (const note of notes("blog", writesEach)) {
      const held = await client.callTool({ name: "post", arguments: { note } });
      expect(held.isError).toBe(true);
    }
  };
  await Promise.all([http("bank"), http("shop"), mcp()]);
}

/** What a person does who finds a write of which nobody knows: looks into the upstream's journal, and says so. */
class Person {
  /** Said not to have happened, and let go again. */
  readonly again: string[] = [];
  found = 0;
  readonly #here: World;
  readonly #shop: EscrowUpstream;

  constructor(here: World, shop: EscrowUpstream) {
    this.#here = here;
    this.#shop = shop;
  }

  async look(items: readonly EscrowItem[]): Promise<void> {
    for (const { id, state, upstream, idempotency_key: key } of items) {
      if (state !== "unknown") continue;
      this.found += 1;
      expect(upstream).toBe("shop");
      const happened = this.#shop.effects.some((effect) => effect.key === key);
      const why = ["--reason", "looked into the journal"];
      const said = happened
        ? await escrow(this.#here, "reconcile", id, "--done", ...why)
        : await escrow(this.#here, "release", id, ...why);
      expect(said.code, said.err).toBe(0);
      if (!happened) this.again.push(key);
    }
  }
}

function expectOnceInOrder(upstream: EscrowUpstream, name: string, count = writesEach): void {
  expect(upstream.effects.map(({ note }) => note)).toEqual(notes(name, count));
}

test(`${kills} kills while ${3 * writesEach} writes are carried out: each acts once, in order; what nobody knows is listed`, async () => {
  const { here, bank, shop, blog } = await town(cleanups);
  const { gateway: first } = await here.both();
  expect((await escrow(here, "on", "--reason", "drill")).code).toBe(0);
  await queue(here);
  await first.stop("SIGKILL");
  // Nothing is executed without a person's word, however often a gateway starts.
  expect([bank, shop, blog].flatMap(({ received }) => received)).toEqual([]);
  for (const name of ["bank", "shop", "blog"])
    expect((await escrow(here, "release", "--upstream", name, "--reason", "back")).code).toBe(0);
  for (const each of [bank, shop, blog]) each.answerMs = () => Math.random() * 30;
  const state = await stateOf(here);
  const person = new Person(here, shop);
  for (let kill = 1; kill <= kills; kill++) {
    const gateway = await started(here);
    await new Promise((wake) => setTimeout(wake, 20 + Math.random() * 300));
    await gateway.stop("SIGKILL");
    expect(twice(shop, person.again)).toEqual([]);
    await person.look(await openItems(state));
  }
  await started(here);
  await until("the end", async () => {
    const items = await openItems(state);
    await person.look(items);
    return items.length === 0 ? true : undefined;
  });
  expectOnceInOrder(bank, "bank");
  expectOnceInOrder(blog, "blog");
  expectOnceInOrder(shop, "shop");
  const repeated = [bank, blog].map(({ received }) => received.length - writesEach);
  process.stdout.write(`${JSON.stringify({ kills, repeated, unknown: person.found })}\n`);
  // A loop that never caught a write under way would show nothing.
  expect(repeated.reduce((a, b) => a + b) + person.found).toBeGreaterThan(0);
  expect(here.audit("verify").code).toBe(0);
}, 600_000);

/** Keys that the upstream received more often than people had it sent. */
function twice({ received }: EscrowUpstream, again: readonly string[]): string[] {
  const count = (of: readonly string[], key: string): number =>
    of.filter((each) => each === key).length;
  const keys = received.map(({ key }) => key);
  return [...new Set(keys)].filter((key) => count(keys, key) > 1 + count(again, key));
}

test("two gateways on one PostgreSQL carry out the same queue: each write once, in order, also when one is killed", async () => {
  const server = await PostgresServer.primary();
  cleanups.push(() => server.remove());
  const config = (instance: string): string =>
    `store: { postgres: "${server.url}" }\ninstance: ${instance}`;
  const { here: one, ...upstreams } = await town(cleanups, config("one"));
  const two = await worldOf(cleanups, upstreams, config("two"));
  const { bank, shop } = upstreams;
  const { gateway: victim } = await one.both();
  await two.both();
  expect((await escrow(one, "on", "--reason", "drill")).out).toMatch(/one, two/);
  for (let i = 0; i < writesEach; i++)
    for (const [name, here] of [
      ["bank", i % 2 ? one : two],
      ["shop", i % 2 ? two : one],
    ] as const)
      expect((await write(here, name, { note: `${name} ${i}` })).status).toBe(202);
  bank.answerMs = () => Math.random() * 10;
  for (const name of ["bank", "shop"])
    expect((await escrow(two, "release", "--upstream", name, "--reason", "back")).code).toBe(0);
  await until("some", async () => (bank.effects.length > 5 ? true : undefined));
  await victim.stop("SIGKILL");
  await started(one);
  const done = await until("the end", async () => {
    const looked = await escrow(two, "reconcile", "--wait-seconds", "20", "--json");
    const { unknown } = JSON.parse(looked.out) as { unknown: EscrowItem[] };
    await new Person(two, shop).look(unknown);
    return looked.code === 0 ? true : undefined;
  });
  expect(done).toBe(true);
  expectOnceInOrder(bank, "bank");
  expectOnceInOrder(shop, "shop");
  for (const here of [one, two]) expect(here.audit("verify").code).toBe(0);
}, 300_000);
