/** The breaker against a slow twin that keeps the whole history, and against faults planted in it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  askBreaker,
  type Breaker,
  type BreakerEvent,
  type BreakerSettings,
  breakerAt,
  closedBreaker,
  exponentialMs,
  fullJitterMs,
  halfJitterMs,
  nextBreaker,
} from "../../../src/limits/index.ts";

const settings: BreakerSettings = {
  failuresInRowMax: 4,
  failureRatioMax: 0.5,
  callsMin: 8,
  windowMs: 1_000,
  open: { baseMs: 100, maxMs: 1_600 },
  probesMax: 2,
};

interface UnderTest {
  readonly ask: typeof askBreaker;
  readonly next: typeof nextBreaker;
}

const real: UnderTest = { ask: askBreaker, next: nextBreaker };

type Step =
  | { readonly kind: "pass_time"; readonly ms: number }
  | { readonly kind: "ask"; readonly waits: number }
  | {
      readonly kind: "end";
      readonly which: number;
      readonly as: BreakerEvent["kind"];
      readonly ms: number;
      readonly chance: number;
    };

type End = Step & { readonly kind: "end" };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("pass_time" as const), ms: fc.nat(400) }),
    fc.record({ kind: fc.constant("ask" as const), waits: fc.constantFrom(0, 0, 150) }),
    fc.record({
      kind: fc.constant("end" as const),
      which: fc.nat(30),
      as: fc.constantFrom("answered", "failed", "failed", "failed", "told_to_wait", "unsaid"),
      ms: fc.nat(3_000),
      chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
  ),
  { minLength: 60, maxLength: 160 },
);

/** What the comments of breaker.ts promise, said again from a complete history, slowly. */
class Twin {
  kind: Breaker["kind"] = "closed";
  untilMs = 0;
  times = 0;
  /** Of the present closed time: every outcome of a call that it let through. */
  outcomes: { readonly ms: number; readonly failed: boolean }[] = [];
  /** Probes of the present half-open time that have not ended. */
  probes: number[] = [];
  closedMs = Number.NEGATIVE_INFINITY;

  at(nowMs: number): void {
    if (this.kind === "open" && nowMs >= this.untilMs) {
      this.kind = "half_open";
      this.probes = [];
    }
  }

  mayAsk(nowMs: number, waits: number): boolean {
    this.at(nowMs);
    if (this.kind !== "half_open") return this.kind === "closed";
    const recent = this.probes.filter((ms) => ms > nowMs - settings.open.maxMs);
    return recent.length < settings.probesMax && nowMs - this.untilMs >= waits;
  }

  passed(nowMs: number): void {
    if (this.kind !== "half_open") return;
    this.probes = this.probes.filter((ms) => ms > nowMs - settings.open.maxMs);
    this.probes.push(nowMs);
  }

  ended(step: End, probe: number, nowMs: number): void {
    this.at(nowMs);
    if (this.kind === "closed" && probe === 0) this.#callEnded(step, nowMs);
    if (this.kind === "half_open" && probe === this.times) this.#probeEnded(step, nowMs);
  }

  #callEnded(step: End, nowMs: number): void {
    if (step.as === "unsaid") return;
    const failed = step.as === "failed";
    if (step.as !== "told_to_wait") this.outcomes.push({ ms: nowMs, failed });
    if (step.as === "told_to_wait" || (failed && this.#isFailing(nowMs))) this.#open(step, nowMs);
  }

  #probeEnded(step: End, nowMs: number): void {
    if (step.as === "unsaid") this.probes.shift();
    else if (step.as !== "answered") this.#open(step, nowMs);
    else {
      this.kind = "closed";
      this.closedMs = nowMs;
      this.outcomes = [];
    }
  }

  #isFailing(nowMs: number): boolean {
    const inRow = this.outcomes.length - 1 - this.outcomes.findLastIndex(({ failed }) => !failed);
    const slot = (ms: number): number => Math.floor(ms / (settings.windowMs / 10));
    const recent = this.outcomes.filter(({ ms }) => slot(ms) > slot(nowMs) - 10);
    const failures = recent.filter(({ failed }) => failed).length;
    return (
      inRow >= settings.failuresInRowMax ||
      (recent.length >= settings.callsMin && failures >= recent.length * settings.failureRatioMax)
    );
  }

  #open(step: End, nowMs: number): void {
    const again = this.kind === "half_open" || nowMs < this.closedMs + settings.windowMs;
    this.times = again ? this.times + 1 : 1;
    this.kind = "open";
    const whole = Math.min(settings.open.maxMs, settings.open.baseMs * 2 ** (this.times - 1));
    const rests = Math.ceil(whole / 2 + (whole / 2) * step.chance);
    this.untilMs = nowMs + (step.as === "failed" ? rests : Math.min(step.ms, settings.open.maxMs));
  }
}

/** One breaker and its twin on the same way. */
class Pair {
  readonly #of: UnderTest;
  readonly #twin = new Twin();
  readonly #underWay: number[] = [];
  #breaker: Breaker = closedBreaker;
  #nowMs = 0;

  constructor(of: UnderTest) {
    this.#of = of;
  }

  take(step: Step): void {
    if (step.kind === "pass_time") this.#nowMs += step.ms;
    else if (step.kind === "ask") this.#ask(step.waits);
    else if (this.#underWay.length > 0) this.#end(step);
    this.#twin.at(this.#nowMs);
    const now = breakerAt(this.#breaker, this.#nowMs);
    same("state", now.kind, this.#twin.kind);
    if (now.kind !== "open") return;
    same("until", now.untilMs, this.#twin.untilMs);
    same("times", now.times, this.#twin.times);
  }

  #ask(waits: number): void {
    const twin = this.#twin;
    const expected = twin.mayAsk(this.#nowMs, waits);
    const [after, answer] = this.#of.ask(this.#breaker, this.#nowMs, settings, waits);
    this.#breaker = after;
    same("passes", answer.pass, expected);
    if (!answer.pass) {
      if (twin.kind === "open")
        same("retry after", answer.retryAfterMs, twin.untilMs - this.#nowMs);
      return;
    }
    twin.passed(this.#nowMs);
    same("probe", answer.probe, twin.kind === "closed" ? 0 : twin.times);
    this.#underWay.push(answer.probe);
  }

  #end(step: End): void {
    const [probe = 0] = this.#underWay.splice(step.which % this.#underWay.length, 1);
    this.#twin.ended(step, probe, this.#nowMs);
    const event = eventOf(step, probe);
    this.#breaker = this.#of.next(this.#breaker, event, this.#nowMs, settings, step.chance);
  }
}

function same(what: string, real: unknown, twin: unknown): void {
  if (real !== twin) throw new Error(`${what}: ${String(real)}, and the twin says ${String(twin)}`);
}

/** Throws at the first difference. */
function compare(of: UnderTest, script: readonly Step[]): void {
  const pair = new Pair(of);
  for (const step of script) pair.take(step);
}

function eventOf(step: End, probe: number): BreakerEvent {
  const cause = "it does not answer";
  if (step.as === "failed") return { kind: "failed", probe, cause };
  if (step.as === "told_to_wait") return { kind: "told_to_wait", probe, cause, ms: step.ms };
  return { kind: step.as, probe };
}

test("the breaker and its slow twin say the same of every call", () => {
  fc.assert(
    fc.property(steps, (script) => compare(real, script)),
    { numRuns: 2_000 },
  );
});

/** Each is a mistake that a breaker could be made with. */
const plants: Readonly<Record<string, Partial<UnderTest>>> = {
  "an answer in between does not end a row": {
    next: (breaker, event, ...rest) => {
      const after = nextBreaker(breaker, event, ...rest);
      return after.kind === "closed" && breaker.kind === "closed"
        ? { ...after, failuresInRow: Math.max(after.failuresInRow, breaker.failuresInRow) }
        : after;
    },
  },
  "late answers from before it opened close it": {
    next: (breaker, event, nowMs, ...rest) => {
      const now = breakerAt(breaker, nowMs);
      const probe = now.kind === "half_open" ? now.times : event.probe;
      return nextBreaker(now, { ...event, probe }, nowMs, ...rest);
    },
  },
  "any number of probes": {
    ask: (breaker, nowMs, of, waits) =>
      askBreaker(breaker, nowMs, { ...of, probesMax: 1_000 }, waits),
  },
  "a write probes at once": {
    ask: (breaker, nowMs, of) => askBreaker(breaker, nowMs, of, 0),
  },
  "the rest does not grow": {
    next: (breaker, event, nowMs, of, chance) =>
      nextBreaker(
        breaker,
        event,
        nowMs,
        { ...of, open: { ...of.open, maxMs: of.open.baseMs } },
        chance,
      ),
  },
  "an unsaid probe keeps its place": {
    next: (breaker, event, ...rest) =>
      event.kind === "unsaid" ? breaker : nextBreaker(breaker, event, ...rest),
  },
  "the window never ends": {
    next: (breaker, event, nowMs, of, chance) =>
      nextBreaker(breaker, event, nowMs, { ...of, windowMs: 1e12 }, chance),
  },
  "the window is not looked at": {
    next: (breaker, event, nowMs, of, chance) =>
      nextBreaker(breaker, event, nowMs, { ...of, callsMin: 1e9 }, chance),
  },
  "one probe that is lost is waited for without end": {
    ask: (breaker, nowMs, of, waits) => {
      const now = breakerAt(breaker, nowMs);
      const full = now.kind === "half_open" && now.probes.length >= of.probesMax;
      return full
        ? [now, { pass: false, retryAfterMs: 1, cause: now.cause }]
        : askBreaker(now, nowMs, of, waits);
    },
  },
};

for (const [name, plant] of Object.entries(plants))
  test(`planted: ${name}`, () => {
    const run = (): void =>
      fc.assert(
        fc.property(steps, (script) => compare({ ...real, ...plant }, script)),
        { numRuns: 2_000, seed: 7, endOnFailure: true },
      );
    expect(run).toThrow("Property failed");
  });

test("what people opened stays open for any time, and no outcome closes it", () => {
  const held: Breaker = { kind: "open", times: 1, cause: "maintenance", untilMs: undefined };
  const [still, answer] = askBreaker(held, 1e12, settings);
  expect([still, answer]).toEqual([
    held,
    { pass: false, retryAfterMs: undefined, cause: "maintenance" },
  ]);
  expect(nextBreaker(held, { kind: "answered", probe: 0 }, 1e12, settings, 0)).toEqual(held);
});

test("waits grow twofold up to a bound; jitter spreads them over all, or over the upper half", () => {
  const backoff = { baseMs: 100, maxMs: 1_000 };
  const nths = [1, 2, 3, 4, 5, 60, 5_000];
  expect(nths.map((nth) => exponentialMs(backoff, nth))).toEqual([
    100, 200, 400, 800, 1_000, 1_000, 1_000,
  ]);
  expect([0, 0.5, 0.999].map((chance) => fullJitterMs(backoff, 3, chance))).toEqual([0, 200, 399]);
  expect([0, 0.5, 0.999].map((chance) => halfJitterMs(backoff, 3, chance))).toEqual([
    200, 300, 400,
  ]);
});
