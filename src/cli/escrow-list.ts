/** What is in escrow, for people: the lists, one item, and what nobody can know. */
import { systemClock } from "../adapters/clock/index.ts";
import { type EscrowItem, isItemId } from "../escrow/index.ts";
import { killKey, readKillState, scopeText } from "../limits/index.ts";
import type { SharedState } from "../state/index.ts";
import { age, itemOf, itemsOf, printable, shownJson } from "./escrow-items.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import { complain } from "./switches.ts";
import { tableLines } from "./table.ts";

export interface ListOptions {
  readonly upstream?: string;
  readonly agent?: string;
  readonly closed?: boolean;
  readonly json?: boolean;
}

export interface ReconcileOptions {
  readonly waitSeconds?: string;
  readonly json?: boolean;
}

const lookAgainMs = 200;

/** 0; 2 when the store cannot be read. */
export async function list(
  state: SharedState,
  options: ListOptions,
  io: CommandOutput,
): Promise<number> {
  const [items, read] = await Promise.all([
    itemsOf(state, options.closed === true ? "closed" : "open"),
    state.read([killKey]),
  ]);
  if (!items.ok) return complain(io, items.error);
  if (!read.ok) return complain(io, `the store is ${read.error.kind}: ${read.error.detail}`);
  const kill = readKillState(read.value.get(killKey));
  if (!kill.ok) return complain(io, kill.error);
  const escrows = kill.value.switches.filter(({ mode }) => mode === "escrow");
  const shown = items.value.filter(
    ({ upstream, agent }) =>
      (options.upstream ?? upstream) === upstream && (options.agent ?? agent) === agent,
  );
  if (options.json === true) {
    io.out(JSON.stringify({ escrows, items: shown.map((item) => shownJson(item, false)) }));
    return 0;
  }
  if (escrows.length === 0) io.out("no escrow is on by command");
  const rows = escrows.map(({ id, scope, since, by, reason }) => [
    ...[id, scopeText(scope), since, by, reason],
  ]);
  if (rows.length > 0)
    for (const line of tableLines([["ESCROW", "WRITES OF", "SINCE", "BY", "REASON"], ...rows]))
      io.out(line);
  if (shown.length === 0) io.out(options.closed === true ? "nothing is over" : "nothing is queued");
  else for (const line of itemTable(shown)) io.out(line);
  return 0;
}

function itemTable(items: readonly EscrowItem[]): readonly string[] {
  const rows = items.map(({ seq, id, state, tool, agent, queued_ms, note, cause }) => [
    ...[String(seq), id, state, tool, agent, age(queued_ms), note ?? cause.text].map(printable),
  ]);
  return tableLines([["ORDER", "ID", "STATE", "TOOL", "AGENT", "AGE", "WHY"], ...rows]);
}

/** 0; 2 when it is not there. */
export async function show(
  state: SharedState,
  id: string,
  options: { readonly arguments?: boolean; readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  if (!isItemId(id)) return complain(io, `${JSON.stringify(id)} is no id of a held write`);
  const item = await itemOf(state, id);
  if (!item.ok) return complain(io, item.error);
  const shown = shownJson(item.value, options.arguments === true);
  if (options.json === true) {
    io.out(JSON.stringify(shown));
    return 0;
  }
  for (const [name, value] of Object.entries(shown))
    io.out(printable(`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`));
  return 0;
}

/** 0 nothing is under way and nothing is unknown; 1 something is; 2 the store cannot be read. */
export async function reconcile(
  state: SharedState,
  options: ReconcileOptions,
  io: CommandOutput,
): Promise<number> {
  const waitSeconds = Number(options.waitSeconds ?? 0);
  if (!(waitSeconds >= 0)) return complain(io, "--wait-seconds is a number of seconds");
  const endMs = systemClock.monotonicMs() + waitSeconds * 1_000;
  for (;;) {
    const items = await itemsOf(state, "open");
    if (!items.ok) return complain(io, items.error);
    const of = (...states: readonly EscrowItem["state"][]): readonly EscrowItem[] =>
      items.value.filter((item) => states.includes(item.state));
    const [underWay, unknown] = [of("released", "executing"), of("unknown")];
    // Behind an unknown write nothing moves: its order would be lost.
    const blocked = new Set(unknown.map(({ upstream }) => upstream));
    const moving = underWay.filter(({ upstream }) => !blocked.has(upstream));
    if (moving.length > 0 && systemClock.monotonicMs() < endMs) {
      await systemClock.sleep(lookAgainMs);
      continue;
    }
    if (options.json === true) {
      const json = (all: readonly EscrowItem[]) => all.map((item) => shownJson(item, false));
      const queued = of("queued").length;
      io.out(JSON.stringify({ queued, under_way: json(underWay), unknown: json(unknown) }));
    } else tell(of("queued").length, underWay, unknown, io);
    return underWay.length + unknown.length === 0 ? 0 : 1;
  }
}

function tell(
  queued: number,
  underWay: readonly EscrowItem[],
  unknown: readonly EscrowItem[],
  io: CommandOutput,
): void {
  io.out(`${queued} queued, ${underWay.length} under way, ${unknown.length} unknown`);
  if (underWay.length > 0) for (const line of itemTable(underWay)) io.out(line);
  if (unknown.length === 0) return;
  io.out("");
  io.out("Nobody can know whether these took effect. Look at the upstream for each:");
  for (const item of unknown) {
    const { id, upstream, tool, idempotency_key: key, args_digest: digest, claim, note } = item;
    const at = claim === null ? "" : new Date(claim.at_ms).toISOString();
    io.out(printable(`  ${id}  ${tool}`));
    io.out(printable(`    sent at about ${at} with Idempotency-Key ${key}`));
    io.out(printable(`    arguments ${digest}: holdfast escrow show ${id}`));
    io.out(printable(`    ${note ?? ""}`));
    io.out(`    writes to ${upstream} behind it wait. Then one of:`);
    io.out(`      holdfast escrow reconcile ${id} --done --reason "…"   it took effect`);
    io.out(`      holdfast escrow release ${id} --reason "…"            it did not: send it`);
    io.out(`      holdfast escrow discard ${id} --reason "…"            give it up`);
  }
}
