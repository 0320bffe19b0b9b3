/**
 * Two sites, one arbiter, small numbers: every order of events is walked through. Answers, lost messages, crashes and the
 * passing of time come in any order; what the gates then allow is held against what really happened.
 */
import { createHash } from "node:crypto";
import {
  type GateEffect,
  type GateEvent,
  type GateRules,
  type GateState,
  gateStart,
  type Lease,
  type LeaseSeen,
  look,
  next,
  permitted,
  taken,
  waitMs,
} from "../../../src/failover/index.ts";

/** What is judged; a test plants faults by giving others. */
export interface Judged {
  readonly next: typeof next;
  readonly waitMs: typeof waitMs;
  /** Whether a lease is given back before the last permit under it is over. */
  readonly releasesEarly?: boolean;
}

export const asBuilt: Judged = { next, waitMs };

interface SiteWorld {
  readonly gate: GateState;
  readonly seen: LeaseSeen | undefined;
  readonly wants: readonly GateEffect[];
  /** What its components really answered, in the round and epoch that is under way. */
  readonly heard: readonly string[];
  /** The same, of the round whose verdict stands. */
  readonly shown: readonly string[];
  /** When the last permit that was given ends. */
  readonly permitEndsMs: number;
}

interface World {
  readonly nowMs: number;
  readonly lease: Lease | undefined;
  readonly sites: readonly [SiteWorld, SiteWorld];
}

export interface Bounds {
  readonly rules: GateRules;
  readonly epochsMax: number;
  readonly roundsMax: number;
  readonly statesMax: number;
  /** Sites where anything happens. */
  readonly sites: 1 | 2;
  readonly breaksGlass: boolean;
  readonly answers: readonly ("pass" | "fail")[];
}

interface Move {
  readonly name: string;
  readonly world: World;
}

const idle: SiteWorld = {
  gate: gateStart,
  seen: undefined,
  ...{ wants: [], heard: [], shown: [], permitEndsMs: 0 },
};

export interface Walk {
  readonly states: number;
  /** How many of them let a site act, by phase. */
  readonly phases: ReadonlySet<string>;
  /** What was broken, and the way there; undefined: nothing. */
  readonly broken: { readonly what: string; readonly way: readonly string[] } | undefined;
}

/** Breadth first, so that the way to a fault is a shortest one. */
export function walk(judged: Judged, bounds: Bounds): Walk {
  const start: World = { nowMs: 0, lease: undefined, sites: [idle, idle] };
  const known = new Set([keyOf(start)]);
  const phases = new Set<string>();
  let layer: readonly Reached[] = [{ world: start, move: "", before: undefined }];
  while (layer.length > 0) {
    const following = newlyReached(judged, bounds, layer, known);
    for (const reached of following) {
      for (const { gate } of reached.world.sites) phases.add(gate.phase);
      const what = brokenIn(bounds.rules, reached.world);
      if (what !== undefined)
        return { states: known.size, phases, broken: { what, way: wayTo(reached) } };
    }
    if (known.size > bounds.statesMax) throw new Error(`over ${bounds.statesMax} states`);
    layer = following;
  }
  return { states: known.size, phases, broken: undefined };
}

interface Reached {
  readonly world: World;
  readonly move: string;
  readonly before: Reached | undefined;
}

function newlyReached(
  judged: Judged,
  bounds: Bounds,
  layer: readonly Reached[],
  known: Set<string>,
): readonly Reached[] {
  const following: Reached[] = [];
  for (const before of layer)
    for (const { name, world } of movesOf(judged, bounds, before.world)) {
      const key = keyOf(world);
      if (known.has(key)) continue;
      known.add(key);
      following.push({ world, move: name, before });
    }
  return following;
}

function wayTo(reached: Reached): readonly string[] {
  const moves: string[] = [];
  for (let at: Reached | undefined = reached; at?.before !== undefined; at = at.before)
    moves.push(at.move);
  return moves.reverse();
}

function brokenIn({ components }: GateRules, { nowMs, sites }: World): string | undefined {
  const acting = sites.filter(({ permitEndsMs }) => permitEndsMs > nowMs);
  if (acting.length > 1) return "two sites may act at once";
  for (const { gate, shown } of sites) {
    const missing = components.filter(({ name }) => !shown.includes(name));
    if (gate.phase === "ready" && missing.length > 0) return "ready without every component";
    const must = missing.filter(({ onFailure }) => onFailure === "block");
    const may = gate.breakGlass?.except ?? must.map(({ name }) => name);
    if (permitted(gate, nowMs) !== undefined && must.some(({ name }) => may.includes(name)))
      return "a permit although a component that blocks is not shown to be intact";
    if (gate.leaseUntilMs === null && permitted(gate, nowMs) !== undefined)
      return "a permit without a lease";
  }
  return undefined;
}

function movesOf(judged: Judged, bounds: Bounds, world: World): readonly Move[] {
  const inBounds = ({ world: { sites } }: Move): boolean =>
    sites.every(({ gate }) => gate.epoch <= bounds.epochsMax && gate.round <= bounds.roundsMax);
  return [
    { name: "a moment passes", world: { ...world, nowMs: world.nowMs + 1 } },
    ...(bounds.sites === 1 ? [0 as const] : [0 as const, 1 as const]).flatMap((at) =>
      siteMoves(judged, bounds, world, at),
    ),
  ].filter(inBounds);
}

function siteMoves(judged: Judged, bounds: Bounds, world: World, at: 0 | 1): readonly Move[] {
  const { rules, breaksGlass } = bounds;
  const site = world.sites[at];
  const name = `site ${at}`;
  const hear = (event: GateEvent, changed: SiteWorld = site, lease = world.lease): World => {
    const step = judged.next(rules, changed.gate, event, world.nowMs);
    return withSite({ ...world, lease }, at, afterStep(changed, step.state, step.effects, world));
  };
  const { gate } = site;
  const moves: Move[] = [
    { name: `${name} begins`, world: hear({ kind: "begin", failover: "fo" }) },
    { name: `${name} crashes`, world: hear({ kind: "restarted" }, { ...site, wants: [] }) },
    { name: `${name} ticks`, world: hear({ kind: "tick" }) },
  ];
  if (bounds.sites > 1)
    moves.push({
      name: `${name} stands down`,
      world: hear({ kind: "stand_down", because: "asked" }),
    });
  if (gate.phase === "ready" || gate.phase === "degraded")
    moves.push({ name: `${name} looks again`, world: hear({ kind: "revalidate" }) });
  if (breaksGlass && gate.breakGlass === null && gate.phase === "blocked") {
    const grant = { untilMs: world.nowMs + 2, tier: "reads_only", except: ["a"] } as const;
    moves.push({ name: `${name} breaks glass`, world: hear({ kind: "break_glass", grant }) });
  }
  for (const effect of site.wants)
    moves.push(...effectMoves(judged, bounds, world, at, effect, hear));
  return moves;
}

type Hear = (event: GateEvent, changed?: SiteWorld, lease?: Lease) => World;

/** What may become of one thing the gate wants done; whatever is not walked here is lost. */
function effectMoves(
  judged: Judged,
  { rules, answers }: Bounds,
  world: World,
  at: 0 | 1,
  effect: GateEffect,
  hear: Hear,
): readonly Move[] {
  const site = world.sites[at];
  const { gate } = site;
  const { epoch } = gate;
  const rest = site.wants.filter((each) => each !== effect);
  const done: SiteWorld = { ...site, wants: rest };
  const own = world.lease?.site === `s${at}` && world.lease.epoch === epoch;
  switch (effect.kind) {
    case "acquire": {
      const me = { site: `s${at}`, heldEpoch: epoch };
      const seen =
        world.lease === undefined ? undefined : look(site.seen, world.lease, world.nowMs);
      const looked = { ...site, seen };
      if (judged.waitMs(seen, me, world.nowMs) > 0)
        return [{ name: `s${at} looks at the lease`, world: withSite(world, at, looked) }];
      const lease = taken(world.lease, { ...me, lifetimeMs: rules.ttlMs });
      const event = { kind: "leased", epoch: lease.epoch, sinceMs: world.nowMs } as const;
      return [{ name: `s${at} takes the lease`, world: hear(event, { ...done, seen }, lease) }];
    }
    case "ask":
      return effect.components.flatMap((component) =>
        answers.map((verdict) => {
          const left = effect.components.filter((each) => each !== component);
          const wants = left.length === 0 ? rest : [...rest, { ...effect, components: left }];
          const current = effect.round === gate.round && gate.check !== null;
          const heard =
            verdict === "pass" && current ? [...site.heard, component].sort() : site.heard;
          const event = { kind: "answered", epoch, round: effect.round, component } as const;
          return {
            name: `s${at} hears ${verdict} of ${component}`,
            world: hear({ ...event, verdict, because: verdict }, { ...done, wants, heard }),
          };
        }),
      );
    case "remediate":
      return [
        {
          name: `s${at} has repaired ${effect.component}`,
          world: hear({ kind: "remediated", epoch, component: effect.component }, done),
        },
      ];
    case "renew": {
      if (!own || world.lease === undefined || world.lease.released)
        return [
          { name: `s${at} lost its lease`, world: hear({ kind: "lease_lost", because: "" }, done) },
        ];
      const lease = { ...world.lease, beat: world.lease.beat + 1 };
      const event = { kind: "renewed", epoch, round: effect.round } as const;
      return [
        { name: `s${at} renews`, world: hear({ ...event, sinceMs: world.nowMs }, done, lease) },
      ];
    }
    case "release": {
      const early = judged.releasesEarly !== true && site.permitEndsMs > world.nowMs;
      if (early || world.lease === undefined) return [];
      const lease = own ? { ...world.lease, released: true } : world.lease;
      return [{ name: `s${at} gives back`, world: withSite({ ...world, lease }, at, done) }];
    }
  }
}

function afterStep(
  before: SiteWorld,
  gate: GateState,
  effects: readonly GateEffect[],
  { nowMs }: World,
): SiteWorld {
  const began = gate.round !== before.gate.round;
  const stands = before.gate.passed !== null && gate.passed === null && gate.validUntilMs !== null;
  const heard = began || gate.epoch !== before.gate.epoch ? [] : before.heard;
  // Whoever asks for a permit at this very moment gets one.
  const left = permitted(gate, nowMs)?.leftMs ?? 0;
  return {
    ...before,
    gate,
    wants: each([...before.wants, ...effects].filter((effect) => isWanted(effect, gate))),
    heard,
    shown: stands ? heard : before.shown,
    permitEndsMs: Math.max(before.permitEndsMs, nowMs + left),
  };
}

/** Twice the same is once, in any order. */
function each(effects: readonly GateEffect[]): readonly GateEffect[] {
  const known = new Map(effects.map((effect) => [JSON.stringify(effect), effect]));
  return [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, effect]) => effect);
}

/** What nobody waits for any more changes nothing, and is not walked. */
function isWanted(effect: GateEffect, gate: GateState): boolean {
  if (effect.kind === "ask" || effect.kind === "renew") return effect.round === gate.round;
  if (effect.kind === "acquire") return gate.phase === "fenced";
  if (effect.kind === "remediate") return gate.phase === "remediating";
  return true;
}

function isOpen({ phase }: GateState): boolean {
  return phase === "ready" || phase === "degraded";
}

function withSite(world: World, at: 0 | 1, site: SiteWorld): World {
  const [a, b] = world.sites;
  return { ...world, sites: at === 0 ? [site, b] : [a, site] };
}

/** Two worlds that differ only in what the clock reads are one. */
function keyOf({ nowMs, lease, sites }: World): string {
  const ago = (ms: number | null): number | null => (ms === null ? null : Math.max(ms - nowMs, -4));
  return digestOf([
    lease ?? null,
    sites.map(({ gate, seen, permitEndsMs, ...rest }) => [
      rest,
      seen === undefined ? null : [seen.lease, ago(seen.sinceMs)],
      Math.max(permitEndsMs - nowMs, 0),
      gate.check === null ? null : { ...gate.check, endsMs: ago(gate.check.endsMs) },
      gate.remediation === null
        ? null
        : { ...gate.remediation, endsMs: ago(gate.remediation.endsMs) },
      gate.breakGlass === null
        ? null
        : { ...gate.breakGlass, untilMs: ago(gate.breakGlass.untilMs) },
      [ago(gate.leaseUntilMs), ago(gate.validUntilMs)],
      gate.passed === null ? null : { ...gate.passed, untilMs: ago(gate.passed.untilMs) },
      [gate.phase, gate.epoch, gate.round, isOpen(gate) ? gate.tier : null],
      gate.failing.map(({ component }) => component),
    ]),
  ]);
}

/** Short, so that many fit. */
function digestOf(value: unknown): string {
  return createHash("md5").update(JSON.stringify(value)).digest("base64");
}
