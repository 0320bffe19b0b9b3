/**
 * `holdfast breakers`: which upstreams and tools are not called because they fail, and the hand of people on them. It
 * needs the store and nothing else. Exit codes: 0 done; 2 wrong usage, or the store cannot be reached, and nothing has
 * changed.
 */
import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import { systemClock } from "../adapters/clock/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import {
  type BreakerOf,
  breakerKey,
  breakerName,
  breakerPrefix,
  openForMs,
  readBreakerKey,
  readSharedBreaker,
  type SharedBreaker,
  sharedBreakerJson,
} from "../limits/index.ts";
import type { StoreWrites } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import type { Config } from "./config-types.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import { operator, type StateCommandParts, withState } from "./switches.ts";
import { tableLines } from "./table.ts";

interface Stored {
  readonly of: BreakerOf;
  readonly shared: SharedBreaker;
}

interface Options {
  readonly reason: string;
  readonly seconds?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

const breakersMax = 100_000;
const pageMax = 1_000;
const secondsMax = 7 * 86_400;

/** Adds `breakers`, `breakers list`, `breakers open` and `breakers reset`; `withStore` adds the options of the store. */
export function registerBreakerCommands(
  program: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  const { io } = parts;
  const listed = (_: unknown, command: Command): Promise<void> =>
    withState(
      parts,
      command,
      told(io, (state) => list(state, command.optsWithGlobals(), io)),
    );
  const breakers = withStore(program.command("breakers"))
    .description("upstreams and tools that are not called because they fail; breakers reset, open")
    .option("--json", "print JSON")
    .action(listed);
  withStore(breakers.command("list"))
    .description("those that are open or half-open, since when, and why")
    .option("--json", "print JSON")
    .action(listed);
  withStore(breakers.command("open"))
    .description("call an upstream, or one tool of it, no more")
    .argument("<upstream[:tool]>", 'payments, or "payments:POST /payments"')
    .option("--seconds <count>", "how long; without it, until it is reset")
    .option("--reason <text>", "why; agents, records and people are shown it", "no reason given")
    .option("--json", "print JSON")
    .action((name: string, _: unknown, command: Command) =>
      withState(
        parts,
        command,
        told(io, (state, config) => open(state, config, name, command.optsWithGlobals(), io)),
      ),
    );
  withStore(breakers.command("reset"))
    .description("call it again at once; what keeps failing opens again by itself")
    .argument("[upstream[:tool]]", "as breakers list names it")
    .option("--all", "every one")
    .option("--reason <text>", "why; records and people are shown it", "no reason given")
    .option("--json", "print JSON")
    .action((name: string | undefined, _: unknown, command: Command) =>
      withState(
        parts,
        command,
        told(io, (state) => reset(state, name, command.optsWithGlobals(), io)),
      ),
    );
}

/** Says what went wrong, if anything did. */
function told(
  io: CommandOutput,
  work: (state: SharedState, config: Config) => Promise<Result<void, string>>,
): (state: SharedState, config: Config) => Promise<number> {
  return async (state, config) => {
    const done = await work(state, config);
    if (done.ok) return 0;
    io.err(`error: ${done.error}`);
    return 2;
  };
}

async function list(
  state: SharedState,
  { json }: Pick<Options, "json">,
  io: CommandOutput,
): Promise<Result<void, string>> {
  const read = await stored(state);
  if (!read.ok) return read;
  const held = read.value.filter(({ shared }) => shared.state === "open").map(shown);
  if (json === true) io.out(JSON.stringify({ breakers: held }));
  else if (held.length === 0) io.out("no breaker is open");
  else {
    const rows = held.map((each) => [
      ...[each.breaker, each.state, each.since, each.until ?? "reset", String(each.times)],
      ...[each.by, each.cause],
    ]);
    const header = ["BREAKER", "STATE", "SINCE", "UNTIL", "TIMES", "BY", "CAUSE"];
    for (const line of tableLines([header, ...rows])) io.out(line);
  }
  return ok(undefined);
}

function shown({ of, shared }: Stored) {
  const { sinceMs, openMs, times, cause, by } = shared;
  const leftMs = openForMs(shared, systemClock.wallMs());
  return {
    breaker: breakerName(of),
    upstream: of.upstream,
    tool: of.tool ?? null,
    // Its time is over, and the next call is the one that finds out.
    state: leftMs === 0 ? "half_open" : "open",
    since: new Date(sinceMs).toISOString(),
    until: openMs === null ? null : new Date(sinceMs + openMs).toISOString(),
    ...{ times, cause, by },
  };
}

async function open(
  state: SharedState,
  config: Config,
  name: string,
  { reason, seconds, json }: Options,
  io: CommandOutput,
): Promise<Result<void, string>> {
  const of = breakerOf(name);
  const key = of === undefined ? undefined : breakerKey(of);
  if (of === undefined || key === undefined)
    return err(`${JSON.stringify(name)} is no upstream and no upstream:tool`);
  const names = Object.keys(config.upstreams);
  if (!names.includes(of.upstream))
    return err(`no upstream ${JSON.stringify(of.upstream)} is configured: ${names.join(", ")}`);
  const openMs = seconds === undefined ? null : Number(seconds) * 1_000;
  if (openMs !== null && !(Number.isInteger(openMs) && openMs > 0 && openMs <= secondsMax * 1_000))
    return err(`--seconds is a whole number from 1 to ${secondsMax}`);
  const opening = { ...change(reason), state: "open", openMs, times: 1 } as const;
  const done = await put(state, new Map([[key, sharedBreakerJson(opening)]]));
  if (!done.ok) return done;
  const until = openMs === null ? "until it is reset" : `for ${seconds} s`;
  if (json === true) io.out(JSON.stringify(shown({ of, shared: opening })));
  else io.out(`${name} is open ${until}; every gateway obeys within a second`);
  return ok(undefined);
}

async function reset(
  state: SharedState,
  name: string | undefined,
  { all, reason, json }: Options,
  io: CommandOutput,
): Promise<Result<void, string>> {
  if ((name === undefined) === (all !== true))
    return err("name one breaker, or --all; holdfast breakers list shows them");
  const read = await stored(state);
  if (!read.ok) return read;
  const held = read.value.filter(({ shared }) => shared.state === "open");
  const wanted = held.filter(({ of }) => name === undefined || breakerName(of) === name);
  if (name !== undefined && wanted.length === 0)
    return err(
      `${name} is not open; open now: ${held.map(({ of }) => breakerName(of)).join(", ") || "none"}`,
    );
  const closing = { ...change(reason), state: "closed", openMs: 0, times: 0 } as const;
  const writes = new Map(
    wanted.flatMap(({ of }) => {
      const key = breakerKey(of);
      return key === undefined
        ? []
        : [[key, sharedBreakerJson({ ...closing, id: freshId() })] as const];
    }),
  );
  const done = await put(state, writes);
  if (!done.ok) return done;
  const names = wanted.map(({ of }) => breakerName(of));
  if (json === true) io.out(JSON.stringify({ reset: names }));
  else if (names.length === 0) io.out("no breaker is open");
  else io.out(`reset: ${names.join(", ")}; every gateway obeys within a second`);
  return ok(undefined);
}

function change(reason: string): Pick<SharedBreaker, "id" | "sinceMs" | "cause" | "by"> {
  return {
    id: freshId(),
    sinceMs: systemClock.wallMs(),
    cause: reason,
    by: operator(),
  };
}

function freshId(): string {
  return `brk-${randomBytes(6).toString("hex")}`;
}

function breakerOf(name: string): BreakerOf | undefined {
  const at = name.indexOf(":");
  if (at < 0) return { upstream: name };
  const tool = name.slice(at + 1);
  return tool === "" ? undefined : { upstream: name.slice(0, at), tool };
}

async function stored(state: SharedState): Promise<Result<readonly Stored[], string>> {
  const all: Stored[] = [];
  let after = "";
  while (all.length < breakersMax) {
    const page = await state.list(breakerPrefix, pageMax, after);
    if (!page.ok) return err(`the store is ${page.error.kind}: ${page.error.detail}`);
    for (const { key, value } of page.value) {
      const [of, shared] = [readBreakerKey(key), readSharedBreaker(value)];
      if (of !== undefined && shared !== undefined) all.push({ of, shared });
      after = key;
    }
    if (page.value.length < pageMax) break;
  }
  return ok(all);
}

/** Whatever is stored is replaced: people have the last word. */
async function put(state: SharedState, writes: StoreWrites): Promise<Result<void, string>> {
  if (writes.size === 0) return ok(undefined);
  const done = await state.transact([...writes.keys()], () => ({ writes, result: undefined }));
  if (done.ok) return ok(undefined);
  const { kind, detail } = done.error;
  return err(
    kind === "unknown"
      ? `the store did not answer, so the change may or may not be there: ${detail}; look with holdfast breakers list`
      : `the store is ${kind}, nothing has changed: ${detail}`,
  );
}
