/**
 * The gate of one deployment at one site (AG-403 4.2, 4.3): no agent acts there until every component was shown to be
 * intact under the epoch that the site holds. `next` is pure; whoever runs it makes the new state durable before it does
 * what the effects say. All times are of the runner's monotonic clock.
 */
import { assert, unreachable } from "../../kernel/index.ts";
import {
  type Conclusion,
  conclusion,
  dependents,
  type Failing,
  failingOf,
  firstAsked,
  type GateRules,
} from "./check.ts";
import {
  type GateEffect,
  type GateEvent,
  type GatePhase,
  type GateState,
  type GateStep,
  gateStart,
} from "./gate-state.ts";

export function next(
  rules: GateRules,
  state: GateState,
  event: GateEvent,
  nowMs: number,
): GateStep {
  const aged = age(rules, state, nowMs);
  const then = react(rules, aged.state, event, nowMs);
  return { state: then.state, effects: [...aged.effects, ...then.effects] };
}

function react(rules: GateRules, state: GateState, event: GateEvent, nowMs: number): GateStep {
  switch (event.kind) {
    case "begin":
      return begin(state, event.failover);
    case "leased":
      return leased(rules, state, event, nowMs);
    case "beat":
      return ofEpoch(state, event) && state.leaseUntilMs !== null
        ? same({ ...state, leaseUntilMs: event.sinceMs + rules.ttlMs })
        : same(state);
    case "lease_lost":
      return state.leaseUntilMs === null
        ? same(state)
        : same(closed(state, "revoked", [failure("lease", event.because)]));
    case "answered":
      return answered(rules, state, event, nowMs);
    case "remediated":
      return remediated(rules, state, event, nowMs);
    case "renewed":
      return renewed(rules, state, event, nowMs);
    case "revalidate":
      return isOpen(state) && state.check === null && state.passed === null
        ? validate(rules, state, nowMs)
        : same(state);
    case "break_glass":
      return same({ ...state, breakGlass: event.grant });
    case "stand_down":
      return {
        state: { ...closed(state, "standby", [failure("gate", event.because)]) },
        effects: state.leaseUntilMs === null ? [] : [{ kind: "release" }],
      };
    case "restarted":
      return restarted(state);
    case "tick":
      return same(state);
    default:
      return unreachable(event);
  }
}

/** A site that is being validated goes on, and so does one that acts under this failover. Any other begins fenced. */
function begin(state: GateState, failover: string): GateStep {
  const busy = state.phase === "fenced" || state.phase === "validating";
  if (busy || state.phase === "remediating") return same(state);
  if (isOpen(state) && state.failover === failover) return same(state);
  return {
    // Why it was blocked is of use until it is known anew.
    state: { ...closed(state, "fenced", state.failing), failover },
    effects: [{ kind: "acquire" }],
  };
}

function leased(
  rules: GateRules,
  state: GateState,
  { epoch, sinceMs }: { readonly epoch: number; readonly sinceMs: number },
  nowMs: number,
): GateStep {
  // An epoch that this site has held before proves nothing about who acted in between.
  if (epoch <= state.epoch) return same(state);
  if (state.phase !== "fenced")
    return { state: { ...state, epoch }, effects: [{ kind: "release" }] };
  const held = { ...state, epoch, leaseUntilMs: sinceMs + rules.ttlMs };
  if (held.leaseUntilMs <= nowMs)
    return same(closed(held, "revoked", [failure("lease", "it was over when it was given")]));
  return validate(rules, held, nowMs);
}

/** Asks every component anew. While a verdict stands, it stands on. */
function validate(rules: GateRules, state: GateState, nowMs: number): GateStep {
  const round = state.round + 1;
  const asked = firstAsked(rules);
  const check = { round, endsMs: nowMs + rules.validationMs, asked, answers: {} };
  const phase = isOpen(state) ? state.phase : "validating";
  const begun = { ...state, phase, round, check, passed: null };
  return { state: begun, effects: [{ kind: "ask", round, components: asked }] };
}

function answered(
  rules: GateRules,
  state: GateState,
  event: GateEvent & { readonly kind: "answered" },
  nowMs: number,
): GateStep {
  const { check } = state;
  if (check === null || event.round !== check.round || !ofEpoch(state, event)) return same(state);
  const { component, verdict, because } = event;
  if (!check.asked.includes(component) || component in check.answers) return same(state);
  const answers = { ...check.answers, [component]: { verdict, because } };
  const grown = dependents(rules, { ...check, answers });
  const asking: GateEffect[] =
    grown.asked.length > check.asked.length
      ? [
          {
            kind: "ask",
            round: check.round,
            components: grown.asked.slice(check.asked.length),
          },
        ]
      : [];
  const noted = { ...state, check: grown };
  if (rules.components.some(({ name }) => !(name in grown.answers)))
    return { state: noted, effects: asking };
  const done = conclude(rules, noted, nowMs);
  return { state: done.state, effects: [...asking, ...done.effects] };
}

/** Every component was heard, or the time for it is over. */
function conclude(rules: GateRules, state: GateState, nowMs: number): GateStep {
  const { check } = state;
  assert(check !== null, "only a validation is concluded");
  const failing = failingOf(rules, check);
  const ended = { ...state, check: null, failing };
  const { remediation } = state;
  const endsMs = remediation?.endsMs ?? nowMs + rules.remediationMs;
  const attempts = remediation?.attempts ?? {};
  const repairable =
    nowMs < endsMs
      ? failing
          .map(({ component }) => component)
          .filter((name) => (attempts[name] ?? 0) < attemptsMax(rules, name))
      : [];
  if (repairable.length > 0) {
    const tried = { ...attempts };
    for (const name of repairable) tried[name] = (tried[name] ?? 0) + 1;
    return {
      state: {
        ...{ ...ended, phase: "remediating", validUntilMs: null },
        remediation: { endsMs, pending: repairable, attempts: tried },
      },
      effects: repairable.map((component) => ({
        kind: "remediate",
        component,
        attempt: tried[component] ?? 1,
      })),
    };
  }
  return settle(rules, ended, check.round);
}

/** What the failing components allow, by what the manifest says of each. */
function settle(rules: GateRules, state: GateState, round: number): GateStep {
  const granted = overridden(state);
  const outcome = granted ?? conclusion(rules, state.failing);
  if (outcome === "blocked")
    return {
      state: closed(state, "blocked", state.failing),
      effects: state.leaseUntilMs === null ? [] : [{ kind: "release" }],
    };
  return {
    state: {
      ...state,
      passed: {
        ...{ round, failing: state.failing, ...outcome },
        untilMs: granted === undefined ? null : (state.breakGlass?.untilMs ?? 0),
      },
    },
    effects: [{ kind: "renew", round }],
  };
}

/** What people have decided instead, where all that fails is theirs to decide. */
function overridden({
  breakGlass,
  failing,
}: GateState): Exclude<Conclusion, "blocked"> | undefined {
  if (breakGlass === null || failing.length === 0) return undefined;
  const decided = failing.every(({ component }) => !breakGlass.except.includes(component));
  return decided ? { tier: breakGlass.tier, enhanced: true } : undefined;
}

function remediated(
  rules: GateRules,
  state: GateState,
  event: GateEvent & { readonly kind: "remediated" },
  nowMs: number,
): GateStep {
  const { remediation, phase } = state;
  if (phase !== "remediating" || remediation === null || !ofEpoch(state, event)) return same(state);
  const pending = remediation.pending.filter((name) => name !== event.component);
  const left = { ...state, remediation: { ...remediation, pending } };
  // What was repaired proves nothing; everything is asked again.
  return pending.length > 0 ? same(left) : validate(rules, left, nowMs);
}

/** The verdict counts from before the arbiter was asked to take it. */
function renewed(
  rules: GateRules,
  state: GateState,
  event: GateEvent & { readonly kind: "renewed" },
  nowMs: number,
): GateStep {
  const { passed } = state;
  if (passed === null || passed.round !== event.round || !ofEpoch(state, event)) return same(state);
  const untilMs = event.sinceMs + rules.ttlMs;
  if (untilMs <= nowMs || state.leaseUntilMs === null) return same(state);
  // What people had granted ended while the arbiter was asked.
  if (passed.untilMs !== null && passed.untilMs <= nowMs)
    return settle(rules, { ...state, passed: null }, passed.round);
  return same({
    ...state,
    phase: passed.tier === "full" && passed.failing.length === 0 ? "ready" : "degraded",
    ...{ tier: passed.tier, enhanced: passed.enhanced, failing: passed.failing },
    leaseUntilMs: untilMs,
    validUntilMs: Math.min(untilMs, passed.untilMs ?? untilMs),
    ...{ passed: null, remediation: null },
  });
}

/** Fenced, unless it was another site's turn anyway. */
function restarted(state: GateState): GateStep {
  const begun = { ...state, breakGlass: null };
  if (state.phase === "standby") return same(closed(begun, "standby", state.failing));
  const fenced = closed(begun, "fenced", [failure("gate", "the guard began anew")]);
  return { state: fenced, effects: [{ kind: "acquire" }] };
}

/** What time alone has done by now. */
function age(rules: GateRules, known: GateState, nowMs: number): GateStep {
  const over = known.breakGlass !== null && nowMs >= known.breakGlass.untilMs;
  const state = over ? { ...known, breakGlass: null } : known;
  const { leaseUntilMs, check, remediation, validUntilMs } = state;
  if (leaseUntilMs !== null && nowMs >= leaseUntilMs)
    return same(closed(state, "revoked", [failure("lease", "it was not renewed in time")]));
  if (isOpen(state) && nowMs >= (validUntilMs ?? 0))
    return same(closed(state, "revoked", [failure("verdict", "its time is over")]));
  if (check !== null && nowMs >= check.endsMs) return conclude(rules, state, nowMs);
  if (state.phase === "remediating" && check === null && nowMs >= (remediation?.endsMs ?? 0))
    return settle(rules, state, state.round);
  return same(state);
}

/** No verdict stands any more, and no lease is ours as far as this state knows. */
function closed(state: GateState, phase: GatePhase, failing: readonly Failing[]): GateState {
  const { failover, epoch, round, breakGlass } = state;
  return { ...gateStart, phase, failover, epoch, round, breakGlass, failing };
}

function failure(component: string, because: string): Failing {
  return { component, verdict: "fail", because };
}

function attemptsMax({ components }: GateRules, component: string): number {
  return components.find(({ name }) => name === component)?.attemptsMax ?? 0;
}

function isOpen({ phase }: GateState): boolean {
  return phase === "ready" || phase === "degraded";
}

function ofEpoch({ epoch }: GateState, event: { readonly epoch: number }): boolean {
  return event.epoch === epoch;
}

function same(state: GateState): GateStep {
  return { state, effects: [] };
}
