/** What agents did through the gateway becomes events of the model, and a change where it took effect. */
import { expect, test } from "vitest";
import type { DecisionEntry, IndexedEntry, OutcomeEntry } from "../../../../src/audit/index.ts";
import { ownActions } from "../../../../src/control/model/own-actions.ts";
import { faultOf } from "../../../../src/model/index.ts";

const time = "2026-05-04T12:00:00.000Z";
const at = Date.parse(time);

const decision = (call: string, more: Partial<DecisionEntry> = {}): DecisionEntry =>
  ({
    ...{ kind: "decision", call, time, agent_id: "bot", tool: "ops:restart", effect: "write" },
    ...{ risk: "high", decision: "allow", policy_version: "sha256:1", determining_rules: ["p/a"] },
    prediction: {
      ...{ known: true, target: "service:cart", change: "restart", services: 2, age_seconds: 1 },
      ...{ share: 0.2, share_low: 0.1, share_high: 0.3 },
    },
    ...more,
  }) as DecisionEntry;
const outcome = (call: string, what: OutcomeEntry["outcome"] = "ok"): OutcomeEntry =>
  ({ kind: "outcome", call, time, outcome: what, duration_ms: 7 }) as OutcomeEntry;
const told = (...entries: (DecisionEntry | OutcomeEntry)[]): readonly IndexedEntry[] =>
  entries.map((entry, index) => ({ index, entry }));

test("a write that took effect: four phases and a change of its kind to its target", () => {
  const { events, done, open } = ownActions("log", told(decision("c"), outcome("c")), new Map());
  expect(events.map((event) => (event.type === "action" ? event.phase : event.type))).toEqual([
    ...["proposed", "evaluated", "executed", "outcome", "change"],
  ]);
  expect(events.at(-1)).toMatchObject({
    ...{ kind: "restart", targets: ["service:cart"], actor: "bot", at },
    origin: { source: "holdfast", reference: "log entry 1" },
  });
  expect(events.map(faultOf)).toEqual(events.map(() => undefined));
  const share = { value: 0.2, low: 0.1, high: 0.3 };
  expect(done).toEqual([{ call: "c", at, target: "service:cart", change: "restart", share }]);
  expect(open.size).toBe(0);
});

test("an outcome may come in a later reading; the same entries again give the same events", () => {
  const first = ownActions("log", told(decision("c")), new Map());
  expect([first.done, [...first.open.keys()]]).toEqual([[], ["c"]]);
  const second = ownActions("log", [{ index: 1, entry: outcome("c") }], first.open);
  const whole = ownActions("log", told(decision("c"), outcome("c")), new Map());
  expect([...first.events, ...second.events]).toEqual(whole.events);
  expect(second.done).toEqual(whole.done);
});

test.each<[string, Partial<DecisionEntry>, OutcomeEntry["outcome"], number, boolean]>([
  ["denied", { decision: "deny" }, "ok", 2, false],
  ["not sent", {}, "not_sent", 3, false],
  ["failed", {}, "tool_error", 4, false],
  ["perhaps done", {}, "unknown", 5, true],
  ["a read", { effect: "read" }, "ok", 4, false],
  ["of no node", { prediction: { known: false, target: null, why: "no_target" } }, "ok", 4, false],
  [
    "of a node that the model did not know",
    { prediction: { known: false, target: "service:new", why: "unknown_target" } },
    ...(["ok", 5, true] as const),
  ],
])("%s", (_, more, what, count, isDone) => {
  const { events, done } = ownActions(
    "log",
    told(decision("c", more), outcome("c", what)),
    new Map(),
  );
  expect([events.length, done.length === 1]).toEqual([count, isDone]);
});
