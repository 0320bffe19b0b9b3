/**
 * The kill switch: which calls people have stopped, as one small value that every gateway reads. Pure: what to do while
 * the value is unknown is the gateway's part.
 */
import {
  err,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  ok,
  type Result,
} from "../kernel/index.ts";

/**
 * `pause`: nothing is done. `dry_run`: calls are decided and recorded, and nothing is forwarded. `escrow`: reads pass,
 * writes are held back for people.
 */
export type SwitchMode = (typeof modes)[number];

const modes = ["pause", "dry_run", "escrow"] as const;

/** The modes that stop a call, beside `escrow`, which keeps it. */
export const stoppingModes: readonly SwitchMode[] = ["pause", "dry_run"];

/** All that is named must agree; nothing named is every call. */
export type SwitchScope = Readonly<Partial<Record<(typeof scopeKeys)[number], string>>>;

/** `agent`: the agent itself, or any agent it acts for. */
const scopeKeys = ["agent", "tool", "upstream", "tenant", "model"] as const;

export interface Switch {
  readonly id: string;
  readonly mode: SwitchMode;
  readonly scope: SwitchScope;
  readonly reason: string;
  /** Who threw it, as far as is known. */
  readonly by: string;
  /** RFC 3339 UTC. */
  readonly since: string;
}

/** `serial` grows with every change, so that gateways can say which state they are in. */
export interface KillState {
  readonly serial: number;
  readonly switches: readonly Switch[];
}

/** The call as the kill switch sees it. */
export interface SwitchedCall {
  readonly agents: readonly string[];
  readonly tool: string;
  readonly upstream: string;
  readonly tenant: string;
  readonly model: string | undefined;
}

export const nothingStopped: KillState = { serial: 0, switches: [] };

/** Where the state lies in the store. */
export const killKey = "limits/kill";

const switchesMax = 1_000;

/** The error is a sentence. More than 1,000 switches are refused: stop a wider scope. */
export function throwSwitch(state: KillState, thrown: Switch): Result<KillState, string> {
  if (state.switches.length >= switchesMax)
    return err(`there are already ${switchesMax} switches; lift some, or stop a wider scope`);
  return ok({ serial: state.serial + 1, switches: [...state.switches, thrown] });
}

/**
 * Takes away the switches of these ids; `undefined` takes away all. Only switches of `among` are seen: who lets calls
 * through again does not end an escrow along with it. The error names what is not there.
 */
export function liftSwitches(
  state: KillState,
  ids: readonly string[] | undefined,
  among: readonly SwitchMode[] = modes,
): Result<KillState, string> {
  const own = state.switches.filter(({ mode }) => among.includes(mode));
  const known = new Set(own.map(({ id }) => id));
  const unknown = (ids ?? []).filter((id) => !known.has(id));
  if (unknown.length > 0) return err(`no switch ${unknown.join(", ")} is thrown`);
  const lifted = new Set(ids ?? known);
  const kept = state.switches.filter(({ id }) => !lifted.has(id));
  return kept.length === state.switches.length
    ? ok(state)
    : ok({ serial: state.serial + 1, switches: kept });
}

/** The switch that stops the call: a pause before a dry run, the older first. */
export function switchFor(state: KillState, call: SwitchedCall): Switch | undefined {
  const stopping = state.switches.filter(
    ({ mode, scope }) => stoppingModes.includes(mode) && covers(scope, call),
  );
  return stopping.find(({ mode }) => mode === "pause") ?? stopping[0];
}

/** The switch that holds the call back, should it be a write: the oldest. */
export function escrowFor(state: KillState, call: SwitchedCall): Switch | undefined {
  return state.switches.find(({ mode, scope }) => mode === "escrow" && covers(scope, call));
}

function covers(scope: SwitchScope, call: SwitchedCall): boolean {
  return (
    (scope.agent === undefined || call.agents.includes(scope.agent)) &&
    (scope.tool === undefined || scope.tool === call.tool) &&
    (scope.upstream === undefined || scope.upstream === call.upstream) &&
    (scope.tenant === undefined || scope.tenant === call.tenant) &&
    (scope.model === undefined || scope.model === call.model)
  );
}

/** `every call`, or what is stopped in words. */
export function scopeText(scope: SwitchScope): string {
  const named = scopeKeys.flatMap((key) =>
    scope[key] === undefined ? [] : [`${key} ${scope[key]}`],
  );
  return named.length === 0 ? "every call" : named.join(", ");
}

/**
 * The state as it is stored. The error is a sentence: what a newer Holdfast wrote, or a hand, stops nothing that we know
 * of, so a reader must treat it as unknown and not as empty.
 */
export function readKillState(stored: JsonObject | undefined): Result<KillState, string> {
  if (stored === undefined) return ok(nothingStopped);
  const { serial, switches, ...rest } = stored;
  if (!Number.isSafeInteger(serial) || !isJsonArray(switches) || Object.keys(rest).length > 0)
    return err(`the kill switch is not stored as this Holdfast stores it`);
  const read: Switch[] = [];
  for (const each of switches) {
    const one = readSwitch(each);
    if (one === undefined)
      return err(`a switch is not known to this Holdfast: ${JSON.stringify(each)}`);
    read.push(one);
  }
  return ok({ serial: Number(serial), switches: read });
}

function readSwitch(value: JsonValue): Switch | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, mode, scope, reason, by, since, ...rest } = value;
  const knownMode = modes.find((each) => each === mode);
  if (knownMode === undefined) return undefined;
  const scoped = readScope(scope);
  if (scoped === undefined || Object.keys(rest).length > 0) return undefined;
  const texts = [id, reason, by, since];
  if (!texts.every((text): text is string => typeof text === "string")) return undefined;
  const [idText = "", reasonText = "", byText = "", sinceText = ""] = texts;
  return {
    id: idText,
    mode: knownMode,
    scope: scoped,
    reason: reasonText,
    by: byText,
    since: sinceText,
  };
}

/** A scope with an unknown word would stop more than was meant, or less. */
function readScope(value: JsonValue | undefined): SwitchScope | undefined {
  if (!isJsonObject(value)) return undefined;
  const known: ReadonlySet<string> = new Set(scopeKeys);
  const entries = Object.entries(value);
  return entries.every(([key, text]) => known.has(key) && typeof text === "string")
    ? (Object.fromEntries(entries) as SwitchScope)
    : undefined;
}

/** The state as JSON, for the store and the record. */
export function killStateJson({ serial, switches }: KillState): JsonObject {
  return {
    serial,
    switches: switches.map(({ id, mode, scope, reason, by, since }) => ({
      ...{ id, mode, reason, by, since },
      scope: { ...scope },
    })),
  };
}
