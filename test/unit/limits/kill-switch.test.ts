/** The kill switch as a value: who is stopped, and what is refused as not understood. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  escrowFor,
  type KillState,
  killStateJson,
  liftSwitches,
  nothingStopped,
  readKillState,
  type Switch,
  type SwitchedCall,
  type SwitchScope,
  scopeText,
  stoppingModes,
  switchFor,
  throwSwitch,
} from "../../../src/limits/index.ts";

const call: SwitchedCall = {
  agents: ["desk", "boss"],
  tool: "pay:create",
  upstream: "pay",
  tenant: "acme",
  model: "m-1",
};

let last = 0;
function thrown(scope: SwitchScope, mode: Switch["mode"] = "pause"): Switch {
  last += 1;
  return { id: `k-${last}`, mode, scope, reason: "test", by: "me", since: "2026-01-01T00:00:00Z" };
}

function stateOf(...switches: readonly Switch[]): KillState {
  return switches.reduce((state, each) => {
    const next = throwSwitch(state, each);
    if (!next.ok) throw new Error(next.error);
    return next.value;
  }, nothingStopped);
}

const stops = (scope: SwitchScope, of: SwitchedCall = call): boolean =>
  switchFor(stateOf(thrown(scope)), of) !== undefined;

test("a switch without a scope stops every call", () => {
  expect(stops({})).toBe(true);
  expect(switchFor(nothingStopped, call)).toBeUndefined();
});

test.each([
  ["agent", "desk", "other"],
  ["tool", "pay:create", "pay:creat"],
  ["upstream", "pay", "pa"],
  ["tenant", "acme", "acm"],
  ["model", "m-1", "m-2"],
] as const)("scope %s stops its own and no other", (key, own, other) => {
  expect(stops({ [key]: own })).toBe(true);
  expect(stops({ [key]: other })).toBe(false);
});

test("an agent is stopped with everyone it acts for", () => {
  expect(stops({ agent: "boss" })).toBe(true);
});

test("an agent without a model is not stopped by a model's switch", () => {
  expect(stops({ model: "m-1" }, { ...call, model: undefined })).toBe(false);
});

test("everything that is named must agree", () => {
  expect(stops({ agent: "desk", upstream: "pay" })).toBe(true);
  expect(stops({ agent: "desk", upstream: "files" })).toBe(false);
});

test("a pause outweighs a dry run, whichever came first", () => {
  const [dry, pause] = [thrown({}, "dry_run"), thrown({})];
  expect(switchFor(stateOf(dry, pause), call)?.mode).toBe("pause");
  expect(switchFor(stateOf(pause, dry), call)?.mode).toBe("pause");
  expect(switchFor(stateOf(dry), call)?.mode).toBe("dry_run");
});

test("each change has a serial of its own; lifting what is not thrown is an error and changes nothing", () => {
  const [one, two] = [thrown({}), thrown({ agent: "x" })];
  const state = stateOf(one, two);
  expect(state.serial).toBe(2);
  const lifted = liftSwitches(state, [one.id]);
  expect(lifted).toEqual({ ok: true, value: { serial: 3, switches: [two] } });
  expect(liftSwitches(state, [one.id, "nobody"])).toEqual({
    ok: false,
    error: "no switch nobody is thrown",
  });
  expect(liftSwitches(state, undefined)).toEqual({ ok: true, value: { serial: 3, switches: [] } });
  expect(liftSwitches(nothingStopped, undefined)).toEqual({ ok: true, value: nothingStopped });
});

test("more switches than anybody can oversee are refused", () => {
  const switches = Array.from({ length: 1_000 }, () => thrown({}));
  expect(throwSwitch({ serial: 1_000, switches }, thrown({})).ok).toBe(false);
});

test("what is stored reads back as it was", () => {
  const scope = fc.record(
    { agent: fc.string(), tool: fc.string(), tenant: fc.string() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(scope, { maxLength: 5 }), fc.boolean(), (scopes, dry) => {
      const state = stateOf(...scopes.map((each) => thrown(each, dry ? "dry_run" : "pause")));
      expect(readKillState(killStateJson(state))).toEqual({ ok: true, value: state });
    }),
  );
  expect(readKillState(undefined)).toEqual({ ok: true, value: nothingStopped });
});

test.each([
  ["an unknown mode", { mode: "freeze" }],
  ["an unknown word in the scope", { scope: { team: "x" } }],
  ["a scope that is no text", { scope: { agent: 1 } }],
  ["no scope", { scope: null }],
  ["a field of a newer version", { until: "2027" }],
  ["an id that is no text", { id: 7 }],
])("%s is not understood, so it is not taken for nothing", (_, change) => {
  const stored = { serial: 1, switches: [{ ...thrown({}), ...change }] };
  expect(readKillState(stored as never).ok).toBe(false);
});

test.each([
  [{ switches: [] }],
  [{ serial: 1.5, switches: [] }],
  [{ serial: 1, switches: {} }],
  [{ serial: 1, switches: [3] }],
  [{ serial: 1, switches: [], more: 1 }],
])("%j is not understood", (stored) => {
  expect(readKillState(stored as never).ok).toBe(false);
});

test("a scope in words", () => {
  expect(scopeText({})).toBe("every call");
  expect(scopeText({ tool: "pay:create", agent: "desk" })).toBe("agent desk, tool pay:create");
});

test("an escrow stops nothing by itself, and names what it holds back", () => {
  const [held, pause] = [thrown({ upstream: "pay" }, "escrow"), thrown({ tool: "pay:create" })];
  expect(switchFor(stateOf(held), call)).toBeUndefined();
  expect(escrowFor(stateOf(held), call)).toEqual(held);
  expect(escrowFor(stateOf(held), { ...call, upstream: "files" })).toBeUndefined();
  expect(switchFor(stateOf(held, pause), call)).toEqual(pause);
  expect(escrowFor(stateOf(pause, thrown({}, "dry_run")), call)).toBeUndefined();
});

test("who lifts what is stopped does not end an escrow, nor the other way round", () => {
  const [held, pause] = [thrown({}, "escrow"), thrown({})];
  const state = stateOf(held, pause);
  const left = (ids: readonly string[] | undefined, among: readonly Switch["mode"][]) =>
    liftSwitches(state, ids, among);
  expect(left(undefined, stoppingModes)).toMatchObject({ ok: true, value: { switches: [held] } });
  expect(left(undefined, ["escrow"])).toMatchObject({ ok: true, value: { switches: [pause] } });
  expect(left([held.id], stoppingModes)).toEqual({
    ok: false,
    error: `no switch ${held.id} is thrown`,
  });
});
