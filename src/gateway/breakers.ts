/**
 * The breakers of this gateway: one for each upstream, and one for each of its tools. Calls ask in memory and never wait
 * for the store; `breaker-board.ts` tells other gateways, and a later run of this one, what was learnt.
 *
 * A tool's breaker counts every failure of that tool; the upstream's counts those where no answer came, or where the
 * answer says that no tool would fare better. So one tool that fails holds back itself alone.
 */
import { splitToolId, type ToolId } from "../kernel/index.ts";
import {
  askBreaker,
  type Breaker,
  type BreakerAnswer,
  type BreakerEvent,
  type BreakerOf,
  type BreakerSettings,
  breakerAt,
  breakerName,
  closedBreaker,
  countedOutcomes,
  failureWindowAt,
  nextBreaker,
} from "../limits/index.ts";
import type { Clock, Entropy } from "../ports.ts";
import { type Entered, type Gate, lets, turnedAway } from "./admit.ts";
import type { Health } from "./call.ts";
import type { Hold } from "./hold.ts";
import type { Asked, Judgement } from "./judge.ts";

export interface BreakersParts {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** By upstream; one that is not named here has no breaker. */
  readonly settings: ReadonlyMap<string, BreakerSettings>;
}

/** Told at once, in the order in which it happens; must not wait for anything. */
export type BreakerListener = (of: BreakerOf, before: Breaker, after: Breaker) => void;

/** A failing tool must be seen as that before its upstream is: only failures in more than one place, or more of them, hold back all. */
const upstreamScale = 2;

/** Tools of one upstream that are watched at one time; where every path is a tool, callers make up names. */
const toolsMax = 1_000;

interface Watched {
  readonly of: BreakerOf;
  breaker: Breaker;
}

/** What a call was let through as, in both of its breakers. */
interface Pass {
  readonly upstream: number;
  readonly tool: number;
}

const throughClosed: Pass = { upstream: 0, tool: 0 };

interface Place {
  readonly upstream: string;
  readonly tool: string;
  readonly settings: BreakerSettings;
}

export class Breakers implements Gate {
  readonly #parts: BreakersParts;
  readonly #watched = new Map<string, Watched>();
  readonly #tools = new Map<string, number>();
  /** Of calls that probe; the others need no memory. */
  readonly #probing = new Map<string, Pass>();
  #listener: BreakerListener = () => undefined;

  constructor(parts: BreakersParts) {
    this.#parts = parts;
  }

  onChange(listener: BreakerListener): void {
    this.#listener = listener;
  }

  enter(asked: Asked, judgement: Judgement, decisionOnly: boolean): Entered {
    const place = decisionOnly || !lets(judgement) ? undefined : this.#place(asked.tool.id);
    if (place === undefined) return { judgement };
    const hold = this.#ask(asked, place);
    if (hold !== undefined) return turnedAway(asked, hold);
    return { judgement, settle: async () => this.report(asked, { kind: "unsaid" }) };
  }

  /** While a call waited, its breaker may have opened; a probe goes on. */
  recheck(asked: Asked): Hold | undefined {
    return this.#probing.has(asked.callId) ? undefined : this.holdFor(asked.tool.id);
  }

  /** Why the tool is not called now; undefined when it is, or when a call might be let through as a probe. */
  holdFor(tool: ToolId): Hold | undefined {
    const place = this.#place(tool);
    if (place === undefined) return undefined;
    const nowMs = this.#parts.clock.monotonicMs();
    for (const of of [
      { upstream: place.upstream },
      { upstream: place.upstream, tool: place.tool },
    ]) {
      const breaker = this.of(of);
      if (breaker.kind !== "open") continue;
      const { cause, untilMs } = breaker;
      const retryAfterMs = untilMs === undefined ? undefined : untilMs - nowMs;
      return { kind: "breaker_open", of, cause, retryAfterMs };
    }
    return undefined;
  }

  /** Whether the gateway refrains from asking an upstream anything for itself. */
  isHeld(upstream: string): boolean {
    return this.of({ upstream }).kind === "open";
  }

  /** Whether a call may be sent again: only where nothing stands against it. */
  mayRepeat(tool: ToolId): boolean {
    const place = this.#place(tool);
    if (place === undefined) return true;
    const { upstream } = place;
    return [{ upstream }, { upstream, tool: place.tool }].every(
      (of) => this.of(of).kind === "closed",
    );
  }

  /** What one forward of a call has said. The first report of a probe ends its being one. */
  report({ callId, tool: { id } }: Pick<Asked, "callId" | "tool">, health: Health): void {
    const place = this.#place(id);
    if (place === undefined) return;
    const pass = this.#probing.get(callId) ?? throughClosed;
    this.#probing.delete(callId);
    const { upstream, tool, settings } = place;
    const ofTool = { upstream, tool };
    // What the tool's own breaker holds back already says nothing new of the upstream.
    const isHeldBack = pass.tool === 0 && this.of(ofTool).kind === "open";
    this.#take(ofTool, eventOf(health, pass.tool, true), settings);
    if (isHeldBack && health.kind !== "answered") return;
    this.#take({ upstream }, eventOf(health, pass.upstream, false), scaled(settings));
  }

  of(of: BreakerOf): Breaker {
    const watched = this.#watched.get(breakerName(of));
    return watched === undefined
      ? closedBreaker
      : breakerAt(watched.breaker, this.#parts.clock.monotonicMs());
  }

  /** What another gateway, or a person, has made of a breaker; the listener is not told. */
  put(of: BreakerOf, breaker: Breaker): void {
    this.#keep(of, breaker);
  }

  /** Those that are not closed. */
  get held(): readonly { readonly of: BreakerOf; readonly breaker: Breaker }[] {
    return [...this.#watched.values()]
      .map(({ of }) => ({ of, breaker: this.of(of) }))
      .filter(({ breaker }) => breaker.kind !== "closed");
  }

  /** Forgets those that have nothing to remember. */
  tidy(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    for (const [name, { of, breaker }] of this.#watched) {
      const settings = this.#parts.settings.get(of.upstream);
      if (breaker.kind !== "closed" || settings === undefined) continue;
      const { windowMs } = settings;
      const isLately = breaker.lately !== undefined && nowMs < breaker.lately.untilMs;
      const { failures } = countedOutcomes(failureWindowAt(breaker.window, nowMs, windowMs));
      if (!isLately && failures === 0) this.#forget(name, of);
    }
  }

  /** Both breakers let the call through, or neither has. */
  #ask(asked: Asked, { upstream, tool, settings }: Place): Hold | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    const ofTool = { upstream, tool };
    // A read is the better probe of an upstream: it changes nothing. Of a tool that writes there is no other.
    const waits = asked.tool.effect === "write" ? settings.open.baseMs : 0;
    const [own, byTool] = askBreaker(this.of(ofTool), nowMs, settings);
    if (!byTool.pass) return heldBy(ofTool, byTool);
    const [all, byUpstream] = askBreaker(this.of({ upstream }), nowMs, scaled(settings), waits);
    if (!byUpstream.pass) return heldBy({ upstream }, byUpstream);
    if (byTool.probe === 0 && byUpstream.probe === 0) return undefined;
    if (byTool.probe !== 0) this.#move(ofTool, own);
    if (byUpstream.probe !== 0) this.#move({ upstream }, all);
    this.#probing.set(asked.callId, { upstream: byUpstream.probe, tool: byTool.probe });
    return undefined;
  }

  #take(of: BreakerOf, event: BreakerEvent, settings: BreakerSettings): void {
    // Where nothing has failed there is nothing to count: the way of almost every call.
    if (
      !this.#watched.has(breakerName(of)) &&
      (event.kind === "answered" || event.kind === "unsaid")
    )
      return;
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#move(of, nextBreaker(this.of(of), event, nowMs, settings, this.#chance()));
  }

  #move(of: BreakerOf, after: Breaker): void {
    const before = this.#watched.get(breakerName(of))?.breaker ?? closedBreaker;
    if (!this.#keep(of, after)) return;
    if (before.kind !== after.kind) this.#listener(of, before, after);
  }

  /** False when there is no room. */
  #keep(of: BreakerOf, breaker: Breaker): boolean {
    const name = breakerName(of);
    const watched = this.#watched.get(name);
    if (watched !== undefined) watched.breaker = breaker;
    else {
      const tools = this.#tools.get(of.upstream) ?? 0;
      if (of.tool !== undefined && tools >= toolsMax) return false;
      if (of.tool !== undefined) this.#tools.set(of.upstream, tools + 1);
      this.#watched.set(name, { of, breaker });
    }
    return true;
  }

  #forget(name: string, { upstream, tool }: BreakerOf): void {
    this.#watched.delete(name);
    if (tool !== undefined) this.#tools.set(upstream, (this.#tools.get(upstream) ?? 1) - 1);
  }

  #place(id: ToolId): Place | undefined {
    const { server: upstream, tool } = splitToolId(id);
    const settings = this.#parts.settings.get(upstream);
    return settings === undefined ? undefined : { upstream, tool, settings };
  }

  /** From 0 to 1. */
  #chance(): number {
    const [a = 0, b = 0, c = 0] = this.#parts.entropy.bytes(3);
    return (a * 65_536 + b * 256 + c) / 16_777_216;
  }
}

function eventOf(health: Health, probe: number, isTool: boolean): BreakerEvent {
  if (health.kind === "answered" || health.kind === "unsaid") return { kind: health.kind, probe };
  const { kind, cause, waitMs } = health;
  if (isTool)
    return waitMs === undefined
      ? { kind: "failed", probe, cause }
      : { kind: "told_to_wait", probe, cause, ms: waitMs };
  // Of an upstream, what one tool answered says that it is there.
  return kind === "tool_failed" ? { kind: "answered", probe } : { kind: "failed", probe, cause };
}

function scaled(settings: BreakerSettings): BreakerSettings {
  const { failuresInRowMax, callsMin } = settings;
  return {
    ...settings,
    failuresInRowMax: failuresInRowMax * upstreamScale,
    callsMin: callsMin * upstreamScale,
  };
}

function heldBy(of: BreakerOf, answer: BreakerAnswer & { readonly pass: false }): Hold {
  const { cause, retryAfterMs } = answer;
  return { kind: "breaker_open", of, cause, retryAfterMs };
}
