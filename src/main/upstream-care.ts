/** How upstreams are treated when they are slow or fail: breakers, room, attempts. From the configuration. */
import { systemEntropy } from "../adapters/clock/index.ts";
import type { Config } from "../cli/index.ts";
import {
  BreakerBoard,
  type BreakerBoardParts,
  Breakers,
  type EscrowGateParts,
  type Gate,
  type SpineParts,
  UpstreamRooms,
  type UpstreamRules,
} from "../gateway/index.ts";
import { splitToolId } from "../kernel/index.ts";
import type { BreakerSettings } from "../limits/index.ts";

/** How soon a gateway knows what another, or a person, has made of a breaker. */
const boardPollMs = 500;

export interface UpstreamsCare {
  readonly board: BreakerBoard;
  readonly breakers: Breakers;
  readonly rooms: UpstreamRooms;
  /** Why a tool is not called now, at upstreams whose writes are held back then. */
  readonly toEscrow: EscrowGateParts["breaker"];
  /** In their order among the other gates. */
  readonly gates: readonly Gate[];
  readonly upstreams: SpineParts["upstreams"];
}

/** The shared breakers are looked at before the first call, so that a restart forgets none. */
export async function careOf(
  config: Config,
  parts: Pick<BreakerBoardParts, "clock" | "ledger" | "log" | "telemetry" | "origin" | "state">,
): Promise<UpstreamsCare> {
  const { clock } = parts;
  const entropy = systemEntropy;
  const breakers = new Breakers({ clock, entropy, settings: byUpstream(config, settingsOf) });
  const board = new BreakerBoard({
    ...{ ...parts, breakers, entropy, tenant: config.tenant, pollMs: boardPollMs },
    upstreams: Object.keys(config.upstreams),
  });
  await board.refresh();
  const rooms = new UpstreamRooms(clock, byUpstream(config, roomOf));
  return {
    ...{ board, breakers, rooms },
    toEscrow: (tool) =>
      config.upstreams[splitToolId(tool).server]?.breaker.writes === "escrow"
        ? breakers.holdFor(tool)
        : undefined,
    gates: [breakers, rooms],
    upstreams: { breakers, rules: byUpstream(config, rulesOf) },
  };
}

type UpstreamConfig = Config["upstreams"][string];

function byUpstream<T>(
  { upstreams }: Config,
  of: (upstream: UpstreamConfig) => T,
): ReadonlyMap<string, T> {
  return new Map(Object.entries(upstreams).map(([name, upstream]) => [name, of(upstream)]));
}

function settingsOf({ breaker }: UpstreamConfig): BreakerSettings {
  return {
    failuresInRowMax: breaker.failures_in_row,
    failureRatioMax: breaker.failure_ratio,
    callsMin: breaker.calls_min,
    windowMs: breaker.window_seconds * 1_000,
    open: { baseMs: breaker.open_ms, maxMs: breaker.open_ms_max },
    probesMax: breaker.probes_max,
  };
}

function roomOf({ calls_in_flight_max: callsMax, queue }: UpstreamConfig) {
  return { callsMax, waitingMax: queue.calls_max, waitMsMax: queue.wait_ms };
}

function rulesOf({ call_timeout_ms, retries, ...upstream }: UpstreamConfig): UpstreamRules {
  return {
    ...(call_timeout_ms === undefined ? {} : { callTimeoutMs: call_timeout_ms }),
    attemptsMax: retries.attempts_max,
    backoff: { baseMs: retries.backoff_ms, maxMs: retries.backoff_ms_max },
    honoursIdempotency: upstream.idempotency === "honoured",
    dryRuns: new Map(
      Object.entries(upstream.dry_run).map(([tool, { set, to }]) => {
        const [, first = "", ...rest] = set.split(".");
        return [tool, { path: [first, ...rest], value: to }];
      }),
    ),
  };
}
