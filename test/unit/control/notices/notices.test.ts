/** Telling people of approvals: once each, over restarts, several processes, failing channels and a failing store. */
import { describe, expect, test } from "vitest";
import { vote } from "../../../../src/approvals/index.ts";
import { noStoreFaults } from "../../../../src/sim/index.ts";
import { look, NoticesWorld, people, RecordingChannel, route, rulesOf } from "./notices-world.ts";

const minute = 60_000;
const alice = people[0] as (typeof people)[number];
const yes = { verdict: "approve", reason: "paid before", channel: "api", jti: "j1" } as const;

describe("one question", () => {
  test("is told once, changed when answered, and forgotten when it is over", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel();
    const notices = world.notices({ chat });
    const asked = await world.ask();
    for (let i = 0; i < 5; i += 1) await look(notices);
    expect(chat.words).toEqual([`deliver ${asked.id} open`]);
    expect(chat.said[0]?.notice).toMatchObject({
      title: "pay-bot wants pay:create",
      ...{ urgency: "high", body: '{\n  "amount": 75000\n}' },
      answers: [{ approval: asked.id, version: 1, argsDigest: "sha256:1" }],
      link: `https://approve.test/approvals/${asked.id}`,
      // Carol is whom the agent acts for.
      eligible: ["alice", "bob"],
    });
    const granted = vote(asked, alice, yes, world.clock.wallMs());
    if (!granted.ok) throw new Error(granted.error.detail);
    await world.store(granted.value);
    for (let i = 0; i < 3; i += 1) await look(notices);
    expect(chat.words.slice(1)).toEqual([`update ${asked.id} granted`]);
    expect(chat.said[1]?.notice.answers).toEqual([]);
    await world.store({ ...granted.value, state: "used", closed_because: "used by call c1" });
    for (let i = 0; i < 3; i += 1) await look(notices);
    expect(chat.words.slice(2)).toEqual([`update ${asked.id} used`]);
    expect(await world.noticeKeys()).toEqual(["notice/leader"]);
  });

  test("that ran out unanswered is said aloud", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel();
    const notices = world.notices({ chat });
    const { id } = await world.ask({}, minute);
    await look(notices);
    await world.clock.advance(minute);
    for (let i = 0; i < 4; i += 1) await look(notices);
    expect(chat.words).toEqual([
      `deliver ${id} open`,
      `update ${id} expired`,
      `remind ${id} expired`,
    ]);
    expect(await world.noticeKeys()).toEqual(["notice/leader"]);
  });

  test("answered before anybody was told is told to nobody", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel(() => ({ kind: "not_delivered", detail: "down" }));
    const notices = world.notices({ chat });
    const asked = await world.ask();
    await look(notices);
    await world.store({ ...asked, state: "declined", closed_ms: 1 });
    await world.clock.advance(minute);
    for (let i = 0; i < 2; i += 1) await look(notices);
    expect(chat.tries).toBe(1);
    expect(await world.noticeKeys()).toEqual(["notice/leader"]);
  });
});

describe("several processes", () => {
  test("one of them tells; another takes over when it is gone, and tells nothing twice", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel();
    const first = world.notices({ chat }, rulesOf(), "run-1");
    const second = world.notices({ chat }, rulesOf(), "run-2");
    const a = await world.ask();
    await Promise.all([look(first), look(second)]);
    expect(chat.words).toEqual([`deliver ${a.id} open`]);
    expect([first.status.leading, second.status.leading]).toEqual([true, false]);
    const b = await world.ask();
    await look(second);
    expect(chat.words).toHaveLength(1);
    await world.clock.advance(8_000);
    await look(second);
    expect(second.status.leading).toBe(true);
    await look(first);
    expect(chat.words).toEqual([`deliver ${a.id} open`, `deliver ${b.id} open`]);
  });

  test("what one had begun to send when it died is sent by the next, by the same id", async () => {
    const world = new NoticesWorld();
    const { id } = await world.ask();
    const stuck = new RecordingChannel();
    stuck.deliver = () => new Promise(() => undefined);
    void (await world.notices({ chat: stuck }, rulesOf(), "run-1").look());
    await world.clock.advance(9_000);
    const chat = new RecordingChannel();
    await look(world.notices({ chat }, rulesOf(), "run-2"));
    expect(chat.words).toEqual([`deliver ${id} open`]);
  });
});

describe("a process that stops", () => {
  test("gives the lease back at once", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel();
    const stop = new AbortController();
    const following = world.notices({ chat }, rulesOf(), "run-1").follow(stop.signal);
    await world.clock.advance(2_000);
    stop.abort();
    await following;
    await world.ask();
    const second = world.notices({ chat }, rulesOf(), "run-2");
    await look(second);
    expect(chat.said).toHaveLength(1);
  });

  test("in the middle of sending writes down where it went, and begins nothing new", async () => {
    const world = new NoticesWorld();
    const { id } = await world.ask();
    const later = await world.ask({ args_digest: "sha256:2" });
    const slow = new RecordingChannel();
    const deliver = slow.deliver.bind(slow);
    slow.deliver = async (notice) => {
      await world.clock.sleep(5_000);
      return await deliver(notice);
    };
    const stop = new AbortController();
    const following = world.notices({ chat: slow }, rulesOf(), "run-1").follow(stop.signal);
    await world.clock.advance(3_500);
    stop.abort();
    await world.clock.advance(3_000);
    await following;
    expect(slow.words).toEqual([`deliver ${id} open`]);
    const chat = new RecordingChannel();
    await look(world.notices({ chat }, rulesOf(), "run-2"));
    expect(chat.words).toEqual([`deliver ${later.id} open`]);
  });
});

describe("a process that stood still", () => {
  test("and lost the lease while a channel was slow, writes nothing any more", async () => {
    const world = new NoticesWorld();
    const { id } = await world.ask();
    const slow = new RecordingChannel();
    let finish = (): void => undefined;
    const waits = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const deliver = slow.deliver.bind(slow);
    slow.deliver = async (notice) => {
      await waits;
      return await deliver(notice);
    };
    const first = world.notices({ chat: slow }, rulesOf(), "run-1");
    const under = await first.look();
    await world.clock.advance(9_000);
    const chat = new RecordingChannel(undefined, "b");
    const second = world.notices({ chat }, rulesOf(), "run-2");
    await look(second);
    finish();
    await Promise.all(under);
    await look(first);
    await look(second);
    expect([slow.words, chat.words]).toEqual([[`deliver ${id} open`], [`deliver ${id} open`]]);
    expect(first.status.leading).toBe(false);
    // What is stored is where the second one put it, and there it is changed.
    const asked = await world.stored(id);
    if (asked === undefined) throw new Error("it is gone");
    await world.store({ ...asked, state: "declined", closed_ms: 1 });
    await look(second);
    expect(chat.said.at(-1)).toMatchObject({ how: "update", at: "b1" });
    expect(slow.said).toHaveLength(1);
  });
});

describe("channels that fail", () => {
  test("delay no other, are tried again ever more rarely, and say why in the status", async () => {
    const world = new NoticesWorld();
    const down = new RecordingChannel(() => ({
      kind: "not_delivered",
      detail: "connection refused",
    }));
    const chat = new RecordingChannel();
    const stuck = new RecordingChannel();
    stuck.deliver = () => new Promise(() => undefined);
    const rules = rulesOf({ routes: [route({ channels: ["stuck", "down", "chat"] })] });
    const notices = world.notices({ stuck, down, chat }, rules);
    const { id } = await world.ask();
    for (let second = 0; second < 600; second += 1) {
      void (await notices.look());
      await world.clock.advance(1_000);
    }
    expect(chat.words).toEqual([`deliver ${id} open`]);
    // After 1, 2, 4, … 256 s, then every five minutes.
    expect(down.tries).toBeGreaterThan(7);
    expect(down.tries).toBeLessThan(12);
    const status = notices.status.channels.find(({ name }) => name === "down");
    expect(status).toMatchObject({
      ...{ waiting: 1, delivered: 0, failures_in_a_row: down.tries },
      last_error: "not_delivered: connection refused",
    });
    expect(world.telemetry.counts).toContainEqual({
      ...{ name: "notices", value: 1 },
      labels: { channel: "down", step: "deliver", outcome: "not_delivered" },
    });
  });

  test("and throw are tried again like those that say so; a value nobody can read is in the log, and ends no process", async () => {
    const world = new NoticesWorld();
    const broken = new RecordingChannel();
    broken.deliver = () => {
      throw new Error("a bug");
    };
    const chat = new RecordingChannel();
    const rules = rulesOf({ routes: [route({ channels: ["broken", "chat"] })] });
    const notices = world.notices({ broken, chat }, rules);
    const { id } = await world.ask();
    const stop = new AbortController();
    const following = notices.follow(stop.signal);
    await world.clock.advance(3_000);
    expect(chat.words).toEqual([`deliver ${id} open`]);
    expect(notices.status.channels[0]?.last_error).toContain("a bug");
    const unreadable = { v: 1, id: "apr-9", state: "pending", votes: [], requirements: [{}] };
    const bad = { ...unreadable, grant: null, claim: null };
    await world.state.transact(["approval/open/apr-9"], () => ({
      ...{ writes: new Map([["approval/open/apr-9", bad]]), result: undefined },
    }));
    await world.clock.advance(3_000);
    expect(world.log.lines.map(({ event }) => event)).toContain("notices_failed");
    stop.abort();
    await following;
  });

  test("are left alone as long as they ask", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel((_, nth) =>
      nth === 1 ? { kind: "not_delivered", detail: "rate", retryAfterMs: 30_000 } : undefined,
    );
    const notices = world.notices({ chat });
    await world.ask();
    await world.ask({ args_digest: "sha256:2" });
    for (let second = 0; second < 30; second += 1) {
      await look(notices);
      await world.clock.advance(1_000);
    }
    expect(chat.tries).toBe(1);
    await look(notices);
    await world.clock.advance(1_000);
    await look(notices);
    expect(chat.said).toHaveLength(2);
  });
});

test("a store that fails at every step leaves no question untold and, while a process lives, none told twice", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const world = new NoticesWorld(seed);
    const chat = new RecordingChannel();
    const notices = world.notices({ chat });
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push((await world.ask({ args_digest: `sha256:${i}` })).id);
    world.database.faults = { refused: 0.2, commitLost: 0.2, answerLost: 0.2, delayMsMax: 0 };
    for (let second = 0; second < 40; second += 1) {
      await look(notices);
      await world.clock.advance(1_000);
    }
    world.database.faults = { refused: 0, commitLost: 0, answerLost: 0, delayMsMax: 0 };
    for (let second = 0; second < 20; second += 1) {
      await look(notices);
      await world.clock.advance(1_000);
    }
    expect([seed, ...[...chat.words].sort()]).toEqual([
      seed,
      ...ids.map((id) => `deliver ${id} open`),
    ]);
  }
});

test("a store that cannot be read when a question has ended: the message is changed later, not forgotten", async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const world = new NoticesWorld(seed);
    const chat = new RecordingChannel();
    const notices = world.notices({ chat });
    const asked = await world.ask();
    await look(notices);
    await world.store({ ...asked, state: "declined", closed_ms: 1 });
    world.database.faults = { ...noStoreFaults, refused: 0.4 };
    for (let second = 0; second < 20; second += 1) {
      await look(notices);
      await world.clock.advance(1_000);
    }
    world.database.faults = noStoreFaults;
    for (let second = 0; second < 10; second += 1) {
      await look(notices);
      await world.clock.advance(1_000);
    }
    expect([seed, ...chat.words]).toEqual([
      ...[seed, `deliver ${asked.id} open`, `update ${asked.id} declined`],
    ]);
  }
});
