/** AG-403 4.7: people are told of drills that are overdue, once each time, and again when they were held. */
import { describe, expect, test } from "vitest";
import {
  type HeldDrills,
  heldDrillsKey,
  publishHeldDrills,
  type TellingRules,
  withdrawHeldDrills,
} from "../../../../src/control/index.ts";
import { err } from "../../../../src/kernel/index.ts";
import type { Notice } from "../../../../src/ports.ts";
import { look, NoticesWorld, RecordingChannel, rulesOf } from "./notices-world.ts";

const day = 86_400_000;
const started = Date.UTC(2026, 0, 1, 12);

type Held = HeldDrills["held"][number];

const heldAt = (scenario: string, endedMs: number, more: Partial<Held> = {}): Held => {
  return { drill: `dr-${scenario}-${endedMs}`, scenario, verdict: "pass", endedMs, ...more };
};

class DrillWorld extends NoticesWorld {
  readonly chat = new RecordingChannel();
  readonly pager = new RecordingChannel();
  readonly #facts: HeldDrills;

  constructor(scenarios: readonly string[], more: Partial<HeldDrills> = {}) {
    super();
    this.#facts = {
      ...{ v: 1, deployment: "trading-agents", by: "ops", drill_days: 90, channels: ["chat"] },
      ...{ scenarios, held: [], ...more },
    };
  }

  telling(rules: Partial<TellingRules> = {}, run = "run-1") {
    return this.notices({ chat: this.chat, pager: this.pager }, rulesOf(rules), run);
  }

  async held(held: readonly Held[], more: Partial<HeldDrills> = {}): Promise<void> {
    expect(await publishHeldDrills(this.state, { ...this.#facts, held, ...more })).toBe(true);
  }
}

const says = (channel: RecordingChannel): readonly string[] =>
  channel.said.map(({ how, notice }) => `${how} ${notice.status}: ${notice.title}`);

describe("AG-403 4.7: a drill that is overdue", () => {
  test("is told once, over looks, days and another process, and again when it was held", async () => {
    const world = new DrillWorld(["freeze"]);
    const notices = world.telling();
    await world.held([heldAt("freeze", started - 89 * day)]);
    await look(notices);
    expect(says(world.chat)).toEqual([]);
    await world.clock.advance(day);
    for (let i = 0; i < 3; i += 1) await look(notices);
    await world.clock.advance(5 * day);
    await look(notices);
    const other = world.telling({}, "run-2");
    await world.clock.advance(10_000);
    await look(other);
    expect(says(world.chat)).toEqual(["deliver open: Overdue: drill freeze of trading-agents"]);
    expect(world.chat.said[0]?.notice.fields).toEqual([
      {
        name: "freeze",
        value: `overdue since 2026-01-02T12:00:00Z; last: pass at 2025-10-04T12:00:00Z (dr-freeze-${started - 89 * day})`,
      },
      { name: "At least every", value: "90 days" },
      { name: "What to do", value: "holdfast failover drill run --schedule … --due holds them" },
    ]);
    expect(other.status.drills).toEqual([
      {
        ...{ deployment: "trading-agents", scenario: "freeze", overdue: true },
        ...{ due_since: "2026-01-02T12:00:00.000Z", last: `dr-freeze-${started - 89 * day}` },
      },
    ]);
    await world.held([heldAt("freeze", world.clock.wallMs(), { verdict: "fail" })]);
    for (let i = 0; i < 3; i += 1) await look(other);
    expect(says(world.chat).slice(1)).toEqual([
      "update over: No longer overdue: drill freeze of trading-agents",
    ]);
    expect(JSON.stringify(world.chat.said[1]?.notice.fields)).toContain("held: fail at 2026-01-07");
    expect(await world.noticeKeys()).toEqual(["notice/leader"]);
    // The next period is another one.
    await world.clock.advance(90 * day);
    for (let i = 0; i < 3; i += 1) await look(other);
    expect(says(world.chat).slice(2)).toEqual([
      "deliver open: Overdue: drill freeze of trading-agents",
    ]);
  });

  test("is told together with those that are found with it, and alone when it comes later", async () => {
    const world = new DrillWorld(["freeze", "partition", "flapping"]);
    const notices = world.telling();
    const flapping = heldAt("flapping", started - 80 * day);
    await world.held([flapping]);
    await look(notices);
    expect(says(world.chat)).toEqual(["deliver open: Overdue: 2 drills of trading-agents"]);
    expect(world.chat.said[0]?.notice.fields.slice(0, 2).map(({ value }) => value)).toEqual([
      "was never held",
      "was never held",
    ]);
    await world.clock.advance(11 * day);
    await look(notices);
    expect(says(world.chat).slice(1)).toEqual([
      "deliver open: Overdue: drill flapping of trading-agents",
    ]);
    const now = world.clock.wallMs();
    await world.held([flapping, heldAt("freeze", now)]);
    await look(notices);
    await world.held([flapping, heldAt("freeze", now), heldAt("partition", now)]);
    for (let i = 0; i < 3; i += 1) await look(notices);
    expect(says(world.chat).slice(2)).toEqual([
      "update open: Overdue: drill partition of trading-agents",
      "update over: No longer overdue: 2 drills of trading-agents",
    ]);
  });
});

describe("AG-403 4.7: whether a drill is overdue, and who is told", () => {
  test("an inconclusive drill was not held", async () => {
    const world = new DrillWorld(["freeze"]);
    await world.held([heldAt("freeze", started, { verdict: "inconclusive" })]);
    await look(world.telling());
    expect(says(world.chat)).toHaveLength(1);
  });

  test("a channel keeps quiet in its quiet hours, and is told after them", async () => {
    const world = new DrillWorld(["freeze"], { channels: ["chat", "pager"] });
    await world.held([]);
    const quiet = { fromMinute: 11 * 60, toMinute: 13 * 60, timeZone: "UTC" };
    const channels = new Map([["chat", { quiet, loudRisks: [], digestMs: null }]]);
    const notices = world.telling({ channels });
    await look(notices);
    expect([says(world.chat).length, says(world.pager).length]).toEqual([0, 1]);
    await world.clock.advance(3_600_000);
    await look(notices);
    expect([says(world.chat).length, says(world.pager).length]).toEqual([1, 1]);
  });

  test("a drill is overdue although nobody looks at its folder any more; what one instance held counts for all", async () => {
    const world = new DrillWorld(["freeze"]);
    const notices = world.telling();
    await world.held([heldAt("freeze", started - 95 * day)]);
    await world.held([heldAt("freeze", started - 10 * day)], { by: "other" });
    await look(notices);
    expect(says(world.chat)).toEqual([]);
    await world.clock.advance(81 * day);
    await look(notices);
    expect(says(world.chat)).toHaveLength(1);
  });

  test("drills that are withdrawn are no alarm any more", async () => {
    const world = new DrillWorld(["freeze"]);
    const notices = world.telling();
    await world.held([]);
    await look(notices);
    const own = { deployment: "trading-agents", by: "ops" };
    expect(await withdrawHeldDrills(world.state, "ops", heldDrillsKey(own))).toBe(true);
    await look(notices);
    expect(says(world.chat)).toHaveLength(1);
    expect(await withdrawHeldDrills(world.state, "ops")).toBe(true);
    for (let i = 0; i < 3; i += 1) await look(notices);
    expect(says(world.chat).slice(1)).toEqual([
      "update over: No longer overdue: drill freeze of trading-agents",
    ]);
    expect(JSON.stringify(world.chat.said[1]?.notice.fields)).toContain("on no schedule any more");
    expect(await world.noticeKeys()).toEqual(["notice/leader"]);
  });

  test("a channel that failed is told again by the same id, and not once it was held", async () => {
    const world = new DrillWorld(["freeze"], { channels: ["chat", "nowhere"] });
    const ids: string[] = [];
    const down = { kind: "not_delivered", detail: "down" } as const;
    class Down extends RecordingChannel {
      override async deliver(notice: Notice) {
        ids.push(notice.id);
        return err(down);
      }
    }
    const notices = world.notices({ chat: new Down() });
    await world.held([]);
    await look(notices);
    await world.clock.advance(60_000);
    await look(notices);
    await world.held([heldAt("freeze", started)]);
    for (let i = 0; i < 3; i += 1) await look(notices);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(await world.noticeKeys()).toEqual(["notice/leader"]);
  });
});
