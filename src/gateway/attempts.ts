/**
 * Stage 8, where the first try fails: whether, when and in which form the call is sent again. One decision stands for all
 * of it; every attempt is in the outcome.
 *
 * A write that may have happened is not repeated, unless its upstream honours idempotency keys. Where the tool has a form
 * that is declared to change nothing, that form is sent instead, to tell whether the upstream would take the call now.
 */
import { isJsonObject, type JsonObject, type JsonValue, splitToolId } from "../kernel/index.ts";
import {
  type Attempted,
  type Backoff,
  fullJitterMs,
  mayRepeat,
  outcomeOfAttempts,
} from "../limits/index.ts";
import type { Clock, Entropy, Telemetry } from "../ports.ts";
import { lets } from "./admit.ts";
import type { Breakers } from "./breakers.ts";
import type { Attempt, Forwarded, Judged } from "./call.ts";
import { healthOf } from "./health.ts";
import { type Asked, judge, regoAnswers, type Surroundings } from "./judge.ts";

/** What is declared of an upstream. */
export interface UpstreamRules {
  /** For all attempts together; absent: the limits of the face. */
  readonly callTimeoutMs?: number;
  /** 1: nothing is sent again. */
  readonly attemptsMax: number;
  readonly backoff: Backoff;
  readonly honoursIdempotency: boolean;
  /** By the tool's name at its server. */
  readonly dryRuns: ReadonlyMap<string, DryRunForm>;
}

/** Setting this argument makes the upstream say what it would do, and do nothing. */
export interface DryRunForm {
  /** Names of members, from the arguments inwards. */
  readonly path: readonly [string, ...string[]];
  readonly value: JsonValue;
}

export interface AttemptParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly telemetry: Telemetry;
  readonly breakers: Pick<Breakers, "report" | "mayRepeat">;
  /** By upstream; a call to one that is not named is sent once. */
  readonly rules: ReadonlyMap<string, UpstreamRules>;
}

/** The call as it goes through its attempts. */
export interface Sending<A> {
  readonly asked: Asked;
  readonly around: Surroundings;
  /** Sends once. */
  readonly send: (
    form: Pick<Judged, "args" | "idempotencyKey" | "isDryRun" | "isRepeat" | "timeUp">,
  ) => Promise<Forwarded<A>>;
  readonly args: JsonObject;
  /** Whether people or the end of this process stand against sending once more. */
  readonly isStopped: () => boolean;
}

/** Without a time limit of its own, a call is not begun again later than this after it was first sent. */
const repeatWithinMs = 30_000;
/** A caller waits for it after the call itself has failed. */
const dryRunMsMax = 5_000;

const sentOnce: UpstreamRules = {
  attemptsMax: 1,
  backoff: { baseMs: 1, maxMs: 1 },
  honoursIdempotency: false,
  dryRuns: new Map(),
};

export async function sendWithAttempts<A>(
  parts: AttemptParts,
  sending: Sending<A>,
): Promise<Forwarded<A>> {
  const { server } = splitToolId(sending.asked.tool.id);
  return await new Attempts(parts, sending, parts.rules.get(server) ?? sentOnce).run();
}

class Attempts<A> {
  readonly #parts: AttemptParts;
  readonly #sending: Sending<A>;
  readonly #rules: UpstreamRules;
  readonly #startMs: number;
  readonly #made: Attempt[] = [];
  #mayHaveActed = false;

  constructor(parts: AttemptParts, sending: Sending<A>, rules: UpstreamRules) {
    this.#parts = parts;
    this.#sending = sending;
    this.#rules = rules;
    this.#startMs = parts.clock.monotonicMs();
  }

  async run(): Promise<Forwarded<A>> {
    const { callTimeoutMs } = this.#rules;
    const timer =
      callTimeoutMs === undefined ? undefined : timeUpAfter(this.#parts.clock, callTimeoutMs);
    try {
      for (let nth = 1; ; nth++) {
        const came = await this.#once(timer?.timeUp);
        const goesOn = nth < this.#rules.attemptsMax && came.forwarded.hasBegun !== true;
        if (!(goesOn && (await this.#comesAgain(nth, came.attempted, timer?.timeUp))))
          return await this.#ended(came);
        this.#mayHaveActed ||= came.attempted.outcome === "unknown";
      }
    } finally {
      timer?.cancel();
    }
  }

  async #once(timeUp: AbortSignal | undefined): Promise<Came<A>> {
    const { args, asked } = this.#sending;
    const form = {
      args,
      idempotencyKey: asked.request.released?.idempotencyKey ?? asked.callId,
      ...(this.#made.length > 0 ? { isRepeat: true } : {}),
      ...(timeUp === undefined ? {} : { timeUp }),
    };
    const forwarded = await this.#noted(false, () => this.#sending.send(form));
    const attempted: Attempted = {
      effect: asked.tool.effect,
      isIdempotent: this.#rules.honoursIdempotency,
      came: cameOf(forwarded),
      outcome: forwarded.outcome,
      mayHaveActed: this.#mayHaveActed,
    };
    return { forwarded, attempted };
  }

  /** One sending, noted and told to the breakers. */
  async #noted(isDryRun: boolean, send: () => Promise<Forwarded<A>>): Promise<Forwarded<A>> {
    const { clock, telemetry, breakers } = this.#parts;
    const { asked } = this.#sending;
    const startedMs = clock.monotonicMs() - this.#startMs;
    if (this.#made.length > 0) {
      const upstream = splitToolId(asked.tool.id).server;
      telemetry.count("retries", { upstream, form: isDryRun ? "dry_run" : "as_judged" });
    }
    const forwarded = await send();
    breakers.report(asked, healthOf(forwarded));
    const { outcome, detail } = forwarded;
    this.#made.push({ isDryRun, outcome, startedMs, ...(detail === undefined ? {} : { detail }) });
    return forwarded;
  }

  /** Waits for the next try; false when there is to be none. */
  async #comesAgain(
    nth: number,
    attempted: Attempted,
    timeUp: AbortSignal | undefined,
  ): Promise<boolean> {
    if (!mayRepeat(attempted)) return false;
    const { clock } = this.#parts;
    const waitMs = fullJitterMs(this.#rules.backoff, nth, this.#chance());
    const endMs = this.#startMs + (this.#rules.callTimeoutMs ?? repeatWithinMs);
    if (clock.monotonicMs() + waitMs >= endMs || !this.#isFree()) return false;
    await clock.sleep(waitMs, timeUp);
    return timeUp?.aborted !== true && this.#isFree();
  }

  #isFree(): boolean {
    const { asked, isStopped } = this.#sending;
    return this.#parts.breakers.mayRepeat(asked.tool.id) && !isStopped();
  }

  async #ended({ forwarded, attempted }: Came<A>): Promise<Forwarded<A>> {
    const outcome = outcomeOfAttempts(attempted);
    if (outcome === "unknown" && attempted.came === "failed") await this.#dryRun();
    if (this.#made.length === 1) return forwarded;
    const { detail } = forwarded;
    const earlier =
      outcome === forwarded.outcome ? [] : ["an earlier attempt may have taken effect"];
    const told = [...earlier, ...(detail === undefined ? [] : [detail])].join("; ");
    return {
      ...forwarded,
      outcome,
      ...(told === "" ? {} : { detail: told }),
      attempts: this.#made,
    };
  }

  /** Sends the form that changes nothing, where one is declared and policy lets it through like a call of its own. */
  async #dryRun(): Promise<void> {
    const { asked, send } = this.#sending;
    const form = this.#rules.dryRuns.get(splitToolId(asked.tool.id).tool);
    if (form === undefined || asked.tool.effect !== "write" || !this.#isFree()) return;
    const args = await this.#judgedDryRun(form);
    if (args === undefined) return;
    const { clock } = this.#parts;
    const timer = timeUpAfter(
      clock,
      Math.min(this.#rules.callTimeoutMs ?? dryRunMsMax, dryRunMsMax),
    );
    const idempotencyKey = `${asked.callId}-dry-run`;
    const { timeUp } = timer;
    try {
      await this.#noted(true, () => send({ args, idempotencyKey, isDryRun: true, timeUp }));
    } finally {
      timer.cancel();
    }
  }

  async #judgedDryRun({ path, value }: DryRunForm): Promise<JsonObject | undefined> {
    const { asked, around } = this.#sending;
    const { request } = asked;
    const args = withValue(request.args, path, value);
    if (args === undefined) return undefined;
    const question = { ...asked, request: { ...request, args } };
    const answers = await regoAnswers(question, around);
    const judgement = judge(question, around, false, answers);
    return lets(judgement) ? judgement.obliged.args : undefined;
  }

  /** From 0 to 1. */
  #chance(): number {
    const [a = 0, b = 0] = this.#parts.entropy.bytes(2);
    return (a * 256 + b) / 65_536;
  }
}

interface Came<A> {
  readonly forwarded: Forwarded<A>;
  readonly attempted: Attempted;
}

function cameOf(forwarded: Forwarded<unknown>): Attempted["came"] {
  const { outcome, statusCode } = forwarded;
  if (outcome === "not_sent" || outcome === "unknown")
    return healthOf(forwarded).kind === "unsaid" ? "unsaid" : "failed";
  return statusCode === 409 ? "conflict" : "answer";
}

/** The arguments with a value set; undefined where something else than an object stands in the way. */
function withValue(
  args: JsonObject,
  [name, ...rest]: readonly [string, ...string[]],
  value: JsonValue,
): JsonObject | undefined {
  const [next, ...inner] = rest;
  if (next === undefined) return { ...args, [name]: value };
  const within = Object.hasOwn(args, name) ? args[name] : {};
  if (!isJsonObject(within)) return undefined;
  const set = withValue(within, [next, ...inner], value);
  return set === undefined ? undefined : { ...args, [name]: set };
}

interface Timer {
  readonly timeUp: AbortSignal;
  readonly cancel: () => void;
}

function timeUpAfter(clock: Clock, ms: number): Timer {
  const up = new AbortController();
  const over = new AbortController();
  const ring = async (): Promise<void> => {
    await clock.sleep(ms, over.signal);
    if (!over.signal.aborted)
      up.abort(
        new DOMException(`no answer came within ${ms} ms (call_timeout_ms)`, "TimeoutError"),
      );
  };
  ring().catch(() => undefined);
  return { timeUp: up.signal, cancel: () => over.abort() };
}

/** What the caller should know of more than one attempt, in sentences; undefined when it was sent once. */
export function attemptsText({ attempts }: Forwarded<unknown>): string | undefined {
  if (attempts === undefined) return undefined;
  const sent = attempts.filter(({ isDryRun }) => !isDryRun);
  const dryRun = attempts.find(({ isDryRun }) => isDryRun);
  return [
    ...(sent.length > 1 ? [`It was sent ${sent.length} times.`] : ["It was not sent again."]),
    ...(dryRun === undefined ? [] : [dryRunText(dryRun)]),
  ].join(" ");
}

function dryRunText({ outcome, detail }: Attempt): string {
  if (outcome === "ok") return "A dry run of it now succeeds.";
  return `A dry run of it ${outcome === "tool_error" ? "is now refused" : "now fails too"}: ${detail ?? outcome}.`;
}
