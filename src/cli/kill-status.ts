/** What is stopped, and which gateways obey it. */
import { systemClock } from "../adapters/clock/index.ts";
import { presencePrefix } from "../gateway/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { type KillState, killKey, readKillState, scopeText } from "../limits/index.ts";
import type { SharedState } from "../state/index.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import { tableLines } from "./table.ts";

/** A gateway in the words of its own newest sign of life. */
interface Presence {
  readonly instance: string;
  readonly site: string;
  readonly seen: string;
  readonly serial: number;
}

/** A gateway says that it is there several times as often. */
const silentAfterMs = 20_000;
const obeyWaitMs = 3_000;
const lookAgainMs = 50;
const gatewaysMax = 1_000;

/** Prints both. 0; 2 when the store cannot be read. */
export async function killStatus(
  state: SharedState,
  { json }: { readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  const read = await look(state);
  if (!read.ok) {
    io.err(`error: ${read.error}`);
    return 2;
  }
  const { kill, gateways } = read.value;
  if (json === true) {
    io.out(JSON.stringify({ ...kill, gateways }));
    return 0;
  }
  if (kill.switches.length === 0) io.out("nothing is stopped");
  else {
    const rows = kill.switches.map(({ id, mode, scope, by, since, reason }) => [
      id,
      mode,
      scopeText(scope),
      since,
      by,
      reason,
    ]);
    for (const line of tableLines([["SWITCH", "MODE", "STOPS", "SINCE", "BY", "REASON"], ...rows]))
      io.out(line);
  }
  if (gateways.length === 0) io.out("no gateway has used this store yet");
  const rows = gateways.map((each) => [each.instance, each.site, each.seen, obedience(each, kill)]);
  if (rows.length > 0)
    for (const line of tableLines([["GATEWAY", "SITE", "SEEN", "STATE"], ...rows])) io.out(line);
  return 0;
}

/** Waits until every gateway that shows signs of life obeys `kill`. 0; 1 when one does not within three seconds. */
export async function waitUntilObeyed(
  state: SharedState,
  kill: KillState,
  options: { readonly json?: boolean; readonly switch?: string },
  io: CommandOutput,
): Promise<number> {
  const startMs = systemClock.monotonicMs();
  const elapsedMs = (): number => Math.round(systemClock.monotonicMs() - startMs);
  let obedient = await askGateways(state, kill);
  while (!isComplete(obedient) && elapsedMs() < obeyWaitMs) {
    await systemClock.sleep(lookAgainMs);
    obedient = await askGateways(state, kill);
  }
  tell(obedient, { ...options, serial: kill.serial, afterMs: elapsedMs() }, io);
  return isComplete(obedient) ? 0 : 1;
}

interface Obedient {
  readonly obeying: readonly string[];
  readonly waiting: readonly string[];
}

async function askGateways(state: SharedState, kill: KillState): Promise<Result<Obedient, string>> {
  const read = await look(state);
  if (!read.ok) return read;
  const alive = read.value.gateways.filter((each) => !isSilent(each));
  const named = (obeys: boolean): readonly string[] =>
    alive.filter(({ serial }) => serial >= kill.serial === obeys).map(({ instance }) => instance);
  return ok({ obeying: named(true), waiting: named(false) });
}

function isComplete(obedient: Result<Obedient, string>): boolean {
  return obedient.ok && obedient.value.waiting.length === 0;
}

interface Telling {
  readonly json?: boolean;
  readonly switch?: string;
  readonly serial: number;
  readonly afterMs: number;
}

function tell(asked: Result<Obedient, string>, telling: Telling, io: CommandOutput): void {
  const { json, afterMs, ...said } = telling;
  if (!asked.ok) io.err(`stored, but the gateways could not be asked: ${asked.error}`);
  else if (json === true) io.out(JSON.stringify({ ...said, ...asked.value, after_ms: afterMs }));
  else if (asked.value.waiting.length > 0)
    io.err(
      `not confirmed by ${asked.value.waiting.join(", ")} after ${afterMs} ms; a gateway that cannot read the store stops writing when its lease ends (holdfast kill list shows who obeys)`,
    );
  else
    io.out(
      `in force after ${afterMs} ms: ${asked.value.obeying.join(", ") || "no gateway is running"}`,
    );
}

async function look(
  state: SharedState,
): Promise<Result<{ readonly kill: KillState; readonly gateways: readonly Presence[] }, string>> {
  const [stored, listed] = await Promise.all([
    state.read([killKey]),
    state.list(presencePrefix, gatewaysMax),
  ]);
  if (!stored.ok) return err(`the store is ${stored.error.kind}: ${stored.error.detail}`);
  if (!listed.ok) return err(`the store is ${listed.error.kind}: ${listed.error.detail}`);
  const kill = readKillState(stored.value.get(killKey));
  if (!kill.ok) return kill;
  const gateways = listed.value.map(({ key, value }) => ({
    instance: decodeURIComponent(key.slice(presencePrefix.length)),
    site: String(value["site"]),
    seen: String(value["seen"]),
    serial: Number(value["kill_serial"]),
  }));
  return ok({ kill: kill.value, gateways });
}

function isSilent({ seen }: Presence): boolean {
  return systemClock.wallMs() - Date.parse(seen) > silentAfterMs;
}

function obedience(presence: Presence, { serial }: KillState): string {
  if (isSilent(presence)) return "silent: gone, or cannot reach the store";
  return presence.serial >= serial ? "obeys" : "has not seen the newest change yet";
}
