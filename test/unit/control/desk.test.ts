/** Answers to approvals as transactions on a store that fails, is slow, and is asked by several at once. */
import { expect, inject, test } from "vitest";
import {
  type Approval,
  type Approver,
  approvalIn,
  approvalKeys,
  approvalWrites,
  asked,
  type Question,
} from "../../../src/approvals/index.ts";
import { ApprovalDesk } from "../../../src/control/index.ts";
import {
  noStoreFaults,
  Random,
  SimClock,
  SimDatabase,
  type StoreFaults,
} from "../../../src/sim/index.ts";
import { SharedState } from "../../../src/state/index.ts";

const question: Question = {
  ...{ tenant: "t", agent: "bot", delegation: [], principal: null, tool: "pay:pay", model: null },
  ...{ effect: "write", risk: "low", args_digest: "d", args_redacted: {}, batch: true },
  ...{ cost_estimate_micro_usd: 0, definition_digest: null, policy_version: "r" },
  ...{ determining_rules: ["p/r"], reason: "look" },
  requirements: [{ groups: ["leads"], count: 2 }],
};
const people: readonly Approver[] = ["a", "b", "c", "d"].map((id) => ({
  ...{ id, groups: ["leads"], alsoKnownAs: [] },
}));
const yes = { verdict: "approve", reason: "fine", channel: "api" } as const;

class World {
  readonly clock: SimClock = new SimClock();
  readonly database: SimDatabase;
  readonly #random: Random;

  constructor(seed: number, faults: StoreFaults = noStoreFaults) {
    this.#random = new Random(seed);
    this.database = new SimDatabase(this.#random, this.clock, faults);
  }

  desk(): ApprovalDesk {
    const entropy = { bytes: (count: number) => this.#random.bytes(count) };
    return new ApprovalDesk({
      state: new SharedState(this.database.open()),
      clock: this.clock,
      entropy,
    });
  }

  ask(id: string, more: Partial<Question> = {}): void {
    const asking = { instance: "g", validMs: 60_000, useWithinMs: 60_000, afterUnknown: null };
    const approval = asked({ ...question, ...more }, { ...asking, id }, this.clock.wallMs());
    this.database.commit(approvalWrites(approval));
  }

  stored(id: string): Approval | undefined {
    const keys = approvalKeys(id);
    const values = [keys.open, keys.closed].flatMap((key) => {
      const text = this.database.present.get(key);
      return text === undefined ? [] : [[key, JSON.parse(text)] as const];
    });
    return approvalIn(new Map(values), keys);
  }
}

test("theorem: whoever answers at once, through whatever process, an answer that was taken is there once, and a granted question has its quorum", async () => {
  for (let seed = 1; seed <= 30 * inject("effort"); seed++) {
    const faults = { refused: 0.1, commitLost: 0.1, answerLost: 0.2, delayMsMax: 4 };
    const world = new World(seed, faults);
    world.ask("apr-1");
    const desks = [world.desk(), world.desk()];
    const answers = people.flatMap((approver) =>
      desks.map(async (desk) => ({ approver, done: await desk.vote(approver, "apr-1", yes) })),
    );
    const all = await world.clock.run(Promise.all(answers));
    const stored = world.stored("apr-1");
    const heard = stored?.votes.map(({ approver }) => approver) ?? [];
    expect(new Set(heard).size).toBe(heard.length);
    for (const { approver, done } of all) if (done.ok) expect(heard).toContain(approver.id);
    expect(stored?.state).toBe(heard.length >= 2 ? "granted" : "pending");
    expect(heard.length).toBeLessThanOrEqual(2);
  }
});

test("an answer that was stored though the store broke off is said to be stored; one that was not is not", async () => {
  for (const [faults, kind] of [
    [{ ...noStoreFaults, answerLost: 1 }, "stored"],
    [{ ...noStoreFaults, commitLost: 1 }, "store"],
    [{ ...noStoreFaults, refused: 1 }, "store"],
  ] as const) {
    const world = new World(1, faults);
    world.ask("apr-1");
    const [first] = people as [Approver];
    const done = await world.clock.run(world.desk().vote(first, "apr-1", yes));
    expect(done.ok ? "stored" : done.error.kind).toBe(kind);
    expect(world.stored("apr-1")?.votes).toHaveLength(kind === "stored" ? 1 : 0);
  }
});

test("a page is found among many that do not count, and the next begins where it ended", async () => {
  const world = new World(1);
  for (let i = 0; i < 450; i++) world.ask(`apr-${String(i).padStart(3, "0")}`);
  const [first, second] = people as [Approver, Approver];
  const desk = world.desk();
  for (const id of ["apr-210", "apr-300", "apr-449"])
    for (const approver of [first, second]) await world.clock.run(desk.vote(approver, id, yes));
  const found: string[] = [];
  const sizes: number[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const from: string = after;
    const page = await world.clock.run(desk.list(["granted"], 2, from));
    if (!page.ok) throw new Error(page.error.detail);
    found.push(...page.value.approvals.map(({ id }) => id));
    sizes.push(page.value.approvals.length);
    after = page.value.next;
  }
  expect(found).toEqual(["apr-210", "apr-300", "apr-449"]);
  expect(Math.max(...sizes)).toBe(2);
});

test("what ran out is shown as expired before anybody has swept it, and takes no answer", async () => {
  const world = new World(1);
  world.ask("apr-1");
  await world.clock.run(world.clock.sleep(60_000));
  const desk = world.desk();
  expect(await world.clock.run(desk.find("apr-1"))).toMatchObject({
    ...{ ok: true, value: { state: "expired" } },
  });
  expect((await world.clock.run(desk.list(["pending"], 10))).ok).toBe(true);
  const [first] = people as [Approver];
  expect(await world.clock.run(desk.vote(first, "apr-1", yes))).toMatchObject({
    ...{ ok: false, error: { kind: "closed" } },
  });
});

test("together means all or none, none twice, and no more than fifty", async () => {
  const world = new World(1);
  const [first] = people as [Approver];
  for (let i = 0; i < 51; i++) world.ask(`apr-${i}`);
  world.ask("apr-high", { risk: "high" });
  world.ask("apr-alone", { batch: false });
  const desk = world.desk();
  const named = (...ids: string[]): { id: string; argsDigest: string }[] =>
    ids.map((id) => ({ id, argsDigest: "d" }));
  const many = Array.from({ length: 51 }, (_, i) => `apr-${i}`);
  for (const ids of [["apr-0", "apr-high"], ["apr-0", "apr-alone"], ["apr-0", "apr-0"], many])
    expect(await world.clock.run(desk.voteTogether(first, named(...ids), yes))).toMatchObject({
      ...{ ok: false, error: { kind: "not_together" } },
    });
  expect(world.stored("apr-0")?.votes).toEqual([]);
  const done = await world.clock.run(desk.voteTogether(first, named(...many.slice(1)), yes));
  expect(done.ok && done.value.length).toBe(50);
});
