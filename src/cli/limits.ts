/**
 * `holdfast limits`: how full the limits of the policy are, for whom, and when there is room again. It needs the store and
 * nothing else. A limit appears once a call was counted, with its cap as the newest call saw it. Exit codes: 0; 2 wrong
 * usage, or the store cannot be read.
 */
import type { Command } from "commander";
import { err, ok, type Result } from "../kernel/index.ts";
import { type CounterUse, counterPrefix, useOf } from "../limits/index.ts";
import type { SharedState } from "../state/index.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import { type StateCommandParts, withState } from "./switches.ts";
import { tableLines } from "./table.ts";

interface LimitsOptions {
  readonly limit?: string;
  readonly for?: string;
  readonly json?: boolean;
}

const pageMax = 1_000;

/** `withStore` adds the options that say where the store is. */
export function registerLimitsCommand(
  program: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  withStore(program.command("limits"))
    .description("how full the limits of the policy are, the fullest first, and when there is room")
    .option("--limit <id>", "only this limit")
    .option("--for <name>", "only what is counted for this agent, tool, upstream, …")
    .option("--json", "print JSON, one counter a line")
    .action((options: LimitsOptions, command: Command) =>
      withState(parts, command, (state) => showLimits(state, options, parts.io)),
    );
}

async function showLimits(
  state: SharedState,
  options: LimitsOptions,
  io: CommandOutput,
): Promise<number> {
  const read = await countersIn(state);
  if (!read.ok) {
    io.err(`error: ${read.error}`);
    return 2;
  }
  const { uses, nowMs, unknown } = read.value;
  const { limit, for: name, json } = options;
  const shown = uses
    .filter((use) => limit === undefined || use.limit === limit)
    .filter((use) => name === undefined || Object.values(use.each).includes(name))
    .toSorted((a, b) => fullness(b) - fullness(a));
  for (const line of json === true ? shown.map((use) => jsonLine(use)) : table(shown, nowMs))
    io.out(line);
  if (unknown > 0)
    io.err(`warning: ${unknown} counters are not stored as this Holdfast stores them; not shown`);
  return 0;
}

interface Counters {
  readonly uses: readonly CounterUse[];
  readonly nowMs: number;
  /** Stored by another Holdfast, or damaged. */
  readonly unknown: number;
}

async function countersIn(state: SharedState): Promise<Result<Counters, string>> {
  const now = await state.now();
  if (!now.ok) return err(`the store is ${now.error.kind}: ${now.error.detail}`);
  const uses: CounterUse[] = [];
  let unknown = 0;
  for (let after = ""; ; ) {
    const page = await state.list(counterPrefix, pageMax, after);
    if (!page.ok) return err(`the store is ${page.error.kind}: ${page.error.detail}`);
    for (const { value } of page.value) {
      const use = useOf(value, now.value);
      if (use === undefined) unknown += 1;
      // What is empty is forgotten soon.
      else if (use.used > 0) uses.push(use);
    }
    const last = page.value.at(-1);
    if (last === undefined || page.value.length < pageMax)
      return ok({ uses, nowMs: now.value, unknown });
    after = last.key;
  }
}

function fullness({ used, max }: CounterUse): number {
  return max === 0 ? 1 : used / max;
}

function unitOf({ cap }: CounterUse): string {
  return cap.kind === "rate" ? "calls" : cap.unit;
}

function jsonLine(use: CounterUse): string {
  const { limit, each, cap, used, max, left, resetsAtMs, roomAtMs } = use;
  return JSON.stringify({
    limit,
    each,
    unit: unitOf(use),
    ...(cap.kind === "rate" ? { window_seconds: cap.windowSeconds } : { period: cap.period }),
    used,
    max,
    left,
    resets_at: isoSeconds(resetsAtMs),
    ...(roomAtMs === undefined ? {} : { room_at: isoSeconds(roomAtMs) }),
  });
}

function table(uses: readonly CounterUse[], nowMs: number): readonly string[] {
  if (uses.length === 0) return ["nothing is used of any limit"];
  const rows = uses.map((use) => [
    `${Math.floor(fullness(use) * 100)}%`,
    use.limit,
    eachText(use),
    amount(use, use.used),
    amount(use, use.max),
    amount(use, use.left),
    resetText(use, nowMs),
  ]);
  return tableLines([["FULL", "LIMIT", "FOR", "USED", "MAX", "LEFT", "RESETS"], ...rows]);
}

function eachText({ each }: CounterUse): string {
  const names = Object.entries(each).map(([by, name]) => `${by} ${name || "(none)"}`);
  return names.join(", ") || "everybody";
}

function amount({ cap }: CounterUse, value: number): string {
  return cap.kind === "budget" && cap.unit === "micro_usd"
    ? `${Number((value / 1_000_000).toFixed(6))} USD`
    : String(value);
}

/** What somebody who waits wants to know: room for one call, else when all of it is free. */
function resetText({ cap, roomAtMs, resetsAtMs }: CounterUse, nowMs: number): string {
  if (cap.kind === "budget") return isoSeconds(resetsAtMs);
  const seconds = (at: number): string => `in ${Math.max(0, Math.ceil((at - nowMs) / 1_000))} s`;
  return roomAtMs === undefined ? seconds(resetsAtMs) : `room ${seconds(roomAtMs)}`;
}

function isoSeconds(ms: number): string {
  return new Date(Math.ceil(ms / 1_000) * 1_000).toISOString().replace(".000Z", "Z");
}
