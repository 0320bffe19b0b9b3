/** Who is told when: routes, turns, quiet hours, reminders, escalation, digests and floods, minute by minute. */
import { describe, expect, test } from "vitest";
import type { Approval } from "../../../../src/approvals/index.ts";
import type { TellingRules } from "../../../../src/control/index.ts";
import { look, NoticesWorld, RecordingChannel, route, rulesOf } from "./notices-world.ts";

const second = 1_000;
const minute = 60 * second;

function started(rules: Partial<TellingRules>, startMs?: number) {
  const world = new NoticesWorld(1, undefined, startMs);
  const chat = new RecordingChannel();
  const pager = new RecordingChannel();
  const notices = world.notices({ chat, pager }, rulesOf(rules));
  /** Lives through so many minutes, looking every ten seconds. */
  const live = async (minutes: number): Promise<void> => {
    for (let i = 0; i < minutes * 6; i += 1) {
      await look(notices);
      await world.clock.advance(10 * second);
    }
    await look(notices);
  };
  return { world, chat, pager, notices, live };
}

describe("routes", () => {
  test("the first that fits is the route; all that it names must agree", async () => {
    const routes = [
      route({ groups: ["board"], channels: ["pager"] }),
      route({ tenants: ["acme"], risks: ["critical"], channels: ["pager"] }),
      route({ tools: ["pay:*"], agents: ["pay-*"], channels: ["chat"] }),
    ];
    const { world, chat, pager, live } = started({ routes });
    const plain = await world.ask();
    const critical = await world.ask({ risk: "critical" });
    const board = await world.ask({ requirements: [{ groups: ["board"], count: 1 }] });
    await world.ask({ tool: "mail:send" });
    await world.ask({ tenant: "other", agent: "robot" });
    await live(1);
    expect(chat.words).toEqual([`deliver ${plain.id} open`]);
    expect([...pager.words].sort()).toEqual([
      `deliver ${critical.id} open`,
      `deliver ${board.id} open`,
    ]);
  });
});

describe("whose turn it is", () => {
  const rotations = new Map([
    [
      "leads",
      {
        approvers: ["alice", "bob"],
        startMs: Date.UTC(2026, 0, 1, 0),
        shiftMs: 60 * minute,
        overrides: [
          { fromMs: Date.UTC(2026, 0, 1, 14), toMs: Date.UTC(2026, 0, 1, 15), approver: "bob" },
          { fromMs: Date.UTC(2026, 0, 1, 16), toMs: Date.UTC(2026, 0, 1, 17), approver: "carol" },
        ],
      },
    ],
  ]);
  const routes = [route({ onCall: "leads" })];

  test.each([
    ["12:00: alice again after twelve shifts", 12, ["alice"]],
    ["13:00: bob", 13, ["bob"]],
    ["14:00: alice's turn, and bob stands in", 14, ["bob"]],
    ["15:00: bob", 15, ["bob"]],
    ["16:00: carol stands in, and is whom the agent acts for: whoever may answer", 16, []],
  ])("%s", async (_, hour, turn) => {
    const { world, chat, live } = started({ routes, rotations }, Date.UTC(2026, 0, 1, hour));
    await world.ask();
    await live(1);
    expect(chat.said[0]?.notice).toMatchObject({ turn, eligible: ["alice", "bob"] });
  });

  test("nobody before the first turn", async () => {
    const { world, chat, live } = started({ routes, rotations }, Date.UTC(2025, 11, 31));
    await world.ask();
    await live(1);
    expect(chat.said[0]?.notice.turn).toEqual([]);
  });
});

describe("quiet hours", () => {
  const quiet = { fromMinute: 22 * 60, toMinute: 7 * 60, timeZone: "Europe/Berlin" };
  const rulesWith = { quiet, loudRisks: ["critical" as const], digestMs: null };
  const channels = new Map([["chat", rulesWith]]);

  test("keep a question until they are over, by the clock on the wall there; critical ones are told", async () => {
    // 06:00 in Berlin.
    const { world, chat, live } = started({ channels }, Date.UTC(2026, 6, 1, 4));
    const low = await world.ask();
    const critical = await world.ask({ risk: "critical" });
    await live(59);
    expect(chat.words).toEqual([`deliver ${critical.id} open`]);
    await live(2);
    expect(chat.words.slice(1)).toEqual([`deliver ${low.id} open`]);
  });

  test("do not hold up the second route, nor a message that only changes", async () => {
    const escalate = { afterMs: 10 * minute, channels: ["pager"] };
    const rules = { channels, routes: [route({ escalate, remindEveryMs: 5 * minute })] };
    // 21:55 in Berlin.
    const { world, chat, pager, live } = started(rules, Date.UTC(2026, 0, 1, 20, 55));
    const before = await world.ask();
    await live(6);
    const during = await world.ask();
    await live(30);
    expect(chat.words).toEqual([`deliver ${before.id} open`]);
    expect([...pager.words].filter((word) => word.startsWith("deliver")).sort()).toEqual([
      `deliver ${before.id} open`,
      `deliver ${during.id} open`,
    ]);
    await world.store({ ...before, state: "declined", closed_ms: 1 });
    await live(1);
    expect(chat.words).toEqual([`deliver ${before.id} open`, `update ${before.id} declined`]);
  });
});

describe("nobody answers", () => {
  test("reminders come as often as they may, and end with the answer", async () => {
    const { world, chat, live } = started({
      routes: [route({ remindEveryMs: 10 * minute, remindersMax: 2 })],
    });
    const asked = await world.ask();
    await live(9);
    expect(chat.words).toEqual([`deliver ${asked.id} open`]);
    await live(60);
    expect(chat.words).toEqual([
      `deliver ${asked.id} open`,
      `remind ${asked.id} open`,
      `remind ${asked.id} open`,
    ]);
  });

  test("the second route is told after its time, once, and beside the first", async () => {
    const escalate = { afterMs: 10 * minute, channels: ["pager", "chat"] };
    const { world, chat, pager, live } = started({ routes: [route({ escalate })] });
    const asked = await world.ask();
    const early = await world.ask({ args_digest: "sha256:2" });
    await live(9);
    await world.store({ ...early, state: "declined", closed_ms: 1 });
    expect(pager.words).toEqual([]);
    await live(5);
    expect(pager.words).toEqual([`deliver ${asked.id} open`]);
    expect(chat.words.filter((word) => word.includes(asked.id))).toHaveLength(1);
  });

  test("a question that runs out soon is told to the second route half-way", async () => {
    const escalate = { afterMs: 60 * minute, channels: ["pager"] };
    const { world, pager, live } = started({ routes: [route({ escalate })] });
    const { id } = await world.ask({}, 20 * minute);
    await live(9);
    expect(pager.words).toEqual([]);
    await live(2);
    expect(pager.words).toEqual([`deliver ${id} open`]);
  });

  test("a first route that is dead is not waited for", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel(() => ({ kind: "refused", detail: "no such channel" }));
    const pager = new RecordingChannel();
    const escalate = { afterMs: 60 * minute, channels: ["pager"] };
    const notices = world.notices({ chat, pager }, rulesOf({ routes: [route({ escalate })] }));
    const { id } = await world.ask();
    for (let i = 0; i < 30; i += 1) {
      await look(notices);
      await world.clock.advance(10 * second);
    }
    expect(chat.tries).toBeGreaterThanOrEqual(3);
    expect(pager.words).toEqual([`deliver ${id} open`]);
  });

  test("a question that never runs out is asked as long as it takes", async () => {
    const { world, chat, live } = started({
      routes: [route({ remindEveryMs: 60 * minute, remindersMax: 100 })],
    });
    const { id } = await world.ask({}, null);
    await live(6 * 60);
    expect(chat.words.slice(1)).toEqual(Array.from({ length: 6 }, () => `remind ${id} open`));
    expect((await world.stored(id))?.state).toBe("pending");
  });
});

describe("questions answered together", () => {
  const channels = new Map([["chat", { quiet: null, loudRisks: [], digestMs: 5 * minute }]]);
  const low = { risk: "low", batch: true } as const;
  const ids = (approvals: readonly Approval[]): readonly string[] => approvals.map(({ id }) => id);

  test("are gathered into one message; what is not low, or not allowed together, is told alone and at once", async () => {
    const { world, chat, live } = started({ channels });
    const gathered = [await world.ask(low), await world.ask({ ...low, args_digest: "sha256:2" })];
    const critical = await world.ask({ risk: "critical", batch: true });
    const single = await world.ask({ risk: "low", batch: false });
    const others = await world.ask({ ...low, requirements: [{ groups: ["readers"], count: 1 }] });
    await live(1);
    expect([...chat.words].sort()).toEqual([
      `deliver ${critical.id} open`,
      `deliver ${single.id} open`,
    ]);
    await live(5);
    const digest = chat.said.find(({ notice }) => notice.kind === "digest")?.notice;
    expect(digest?.answers).toEqual([
      { approval: gathered[0]?.id, version: 1, argsDigest: "sha256:1" },
      { approval: gathered[1]?.id, version: 1, argsDigest: "sha256:2" },
    ]);
    // One alone is no digest, and other approvers are another message.
    expect(chat.words).toContain(`deliver ${others.id} open`);
    await world.store({ ...(gathered[0] as Approval), state: "declined", closed_ms: 1 });
    await live(1);
    expect(chat.said.at(-1)).toMatchObject({
      how: "update",
      notice: { status: "open", answers: [{ approval: gathered[1]?.id }] },
    });
    await world.store({ ...(gathered[1] as Approval), state: "declined", closed_ms: 1 });
    await live(1);
    expect(chat.said.at(-1)).toMatchObject({
      how: "update",
      notice: { status: "over", answers: [] },
    });
    expect((await world.noticeKeys()).filter((key) => key.includes("digest"))).toEqual([]);
  });

  test("ten fill a message before its time", async () => {
    const { world, chat, live } = started({ channels });
    const asked: Approval[] = [];
    for (let i = 0; i < 12; i += 1)
      asked.push(await world.ask({ ...low, args_digest: `sha256:${i}` }));
    await live(1);
    expect(chat.said.map(({ notice }) => notice.answers.map(({ approval }) => approval))).toEqual([
      ids(asked).slice(0, 10),
    ]);
    await live(5);
    expect(chat.said.at(-1)?.notice.answers.map(({ approval }) => approval)).toEqual(
      ids(asked).slice(10),
    );
  });
});

describe("floods", () => {
  const flooding = { perAgentMax: 3, totalMax: 5, decline: true };

  test("of one agent: one message, the rest declined by nobody and with the reason; others are not touched", async () => {
    const { world, chat, live } = started({ floods: flooding });
    const asked: Approval[] = [];
    for (let i = 0; i < 50; i += 1)
      asked.push(await world.ask({ agent: "mad-bot", args_digest: `sha256:${i}` }));
    const other = await world.ask({ agent: "pay-bot" });
    await live(1);
    const delivered = chat.said.filter(({ how }) => how === "deliver").map(({ notice }) => notice);
    expect(delivered.map(({ kind }) => kind).sort()).toEqual([
      "flood",
      "question",
      "question",
      "question",
      "question",
    ]);
    const flood = delivered.find(({ kind }) => kind === "flood");
    expect(flood).toMatchObject({ urgency: "critical", answers: [] });
    expect(flood?.title).toContain("mad-bot");
    for (const { id } of asked.slice(3))
      expect(await world.stored(id)).toMatchObject({
        ...{ state: "declined", votes: [] },
        closed_because: "more than 3 questions of mad-bot were waiting (approvals.floods)",
      });
    for (const { id } of [...asked.slice(0, 3), other])
      expect((await world.stored(id))?.state).toBe("pending");
    expect(
      world.telemetry.counts.filter(({ name }) => name === "approvals_declined_in_floods"),
    ).toHaveLength(47);
    await live(3);
    expect(chat.said.at(-1)?.notice).toMatchObject({ kind: "flood", status: "over" });
    await live(1);
    expect((await world.noticeKeys()).some((key) => key.includes("flood"))).toBe(false);
  });

  test("of all agents: critical questions are told all the same", async () => {
    const { world, chat, live } = started({ floods: flooding });
    for (let i = 0; i < 8; i += 1) await world.ask({ agent: `bot-${i}` });
    const critical = await world.ask({ agent: "bot-9", risk: "critical" });
    await live(1);
    expect(chat.words).toContain(`deliver ${critical.id} open`);
    const kinds = chat.said.filter(({ how }) => how === "deliver").map(({ notice }) => notice.kind);
    expect(kinds.filter((kind) => kind === "question")).toHaveLength(6);
    expect(kinds.filter((kind) => kind === "flood")).toHaveLength(1);
  });

  test("that are not declined wait, and are told as others are answered", async () => {
    const { world, chat, live } = started({ floods: { ...flooding, decline: false } });
    const asked: Approval[] = [];
    for (let i = 0; i < 6; i += 1) asked.push(await world.ask({ args_digest: `sha256:${i}` }));
    await live(1);
    expect(chat.words.filter((word) => word.startsWith("deliver apr"))).toHaveLength(3);
    for (const each of asked.slice(0, 3))
      await world.store({ ...each, state: "declined", closed_ms: 1 });
    await live(1);
    expect(chat.words.filter((word) => word.startsWith("deliver apr"))).toHaveLength(6);
    for (const { id } of asked.slice(3)) expect((await world.stored(id))?.state).toBe("pending");
  });

  test("are told even when the channel was down while it was declined", async () => {
    const world = new NoticesWorld();
    const chat = new RecordingChannel((_, nth) =>
      nth <= 6 ? { kind: "not_delivered", detail: "down" } : undefined,
    );
    const notices = world.notices({ chat }, rulesOf({ floods: { ...flooding, perAgentMax: 1 } }));
    for (let i = 0; i < 5; i += 1) await world.ask({ args_digest: `sha256:${i}` });
    for (let i = 0; i < 60; i += 1) {
      await look(notices);
      await world.clock.advance(second);
    }
    expect(chat.said.some(({ how, notice }) => how === "deliver" && notice.kind === "flood")).toBe(
      true,
    );
  });
});
