/**
 * `holdfast escrow`: holds writes back, and says what becomes of those that were. It needs the store and nothing else; a
 * running gateway carries out what is released. Exit codes: 0 done; 1 done in part, or something waits for people; 2 wrong
 * usage, or the store cannot be reached, and nothing has changed.
 */
import type { Command } from "commander";
import { type EscrowItem, endedByPerson, isItemId, released } from "../escrow/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { scopeText } from "../limits/index.ts";
import type { SharedState } from "../state/index.ts";
import { itemOf, itemsOf, printable, take } from "./escrow-items.ts";
import { type ListOptions, list, type ReconcileOptions, reconcile, show } from "./escrow-list.ts";
import { waitUntilObeyed } from "./kill-status.ts";
import type { CommandOutput } from "./policy-knowledge.ts";
import {
  complain,
  liftIn,
  newSwitch,
  operator,
  type ScopeOptions,
  type StateCommandParts,
  throwIn,
  warnOfUnknown,
  withScope,
  withState,
} from "./switches.ts";

interface OnOptions extends ScopeOptions {
  readonly reason: string;
  readonly json?: boolean;
}

interface WordOptions {
  readonly reason?: string;
  readonly upstream?: string;
  readonly json?: boolean;
  readonly done?: boolean;
}

/** Adds `escrow on|off|list|show|release|discard|reconcile`. */
export function registerEscrowCommands(
  program: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  const escrow = program
    .command("escrow")
    .description("hold writes back for people, and say what becomes of them");
  const { io } = parts;
  const named = (name: string): Command =>
    withStore(escrow.command(name)).option("--json", "print JSON");
  withScope(named("on"))
    .description("reads pass, writes are queued: all of them, or those named")
    .option("--reason <text>", "why; agents, records and people are shown it", "no reason given")
    .action((options: OnOptions, command: Command) =>
      withState(parts, command, async (state, config) => {
        const thrown = newSwitch("escrow", options);
        warnOfUnknown(thrown.scope, config, io);
        const done = await throwIn(state, thrown);
        if (!done.ok) return complain(io, done.error);
        if (options.json !== true)
          io.out(`${thrown.id}: writes of ${scopeText(thrown.scope)} are held back`);
        return await waitUntilObeyed(state, done.value, { ...options, switch: thrown.id }, io);
      }),
    );
  named("off")
    .description("let writes through again; what is queued stays queued")
    .argument("[ids...]", "escrows, as escrow list names them")
    .option("--all", "every escrow that a command has begun")
    .action((ids: string[], options: { all?: boolean; json?: boolean }, command: Command) =>
      withState(parts, command, (state) => off(state, ids, options, io)),
    );
  named("list")
    .description("which escrows are on, and every write that waits")
    .option("--upstream <name>", "only writes to this upstream")
    .option("--agent <id>", "only writes of this agent")
    .option("--closed", "those that are over, of the last thirty days")
    .action((options: ListOptions, command: Command) =>
      withState(parts, command, (state) => list(state, options, io)),
    );
  named("show")
    .description("one write, complete")
    .argument("<id>", "as escrow list names it")
    .option("--arguments", "also what will be sent, with everything that is redacted elsewhere")
    .action((id: string, options: { arguments?: boolean; json?: boolean }, command: Command) =>
      withState(parts, command, (state) => show(state, id, options, io)),
    );
  for (const word of words)
    named(word.name)
      .description(word.description)
      .argument("[ids...]", "writes, as escrow list names them")
      .option("--upstream <name>", word.upstream)
      .option("--reason <text>", "why; recorded")
      .action((ids: string[], options: WordOptions, command: Command) =>
        withState(parts, command, (state) => say(state, ids, options, word, io)),
      );
  registerReconcile(named("reconcile"), parts);
}

/** Without ids it looks; with ids it takes a person's word for what became of them. */
function registerReconcile(command: Command, parts: StateCommandParts): void {
  const { io } = parts;
  command
    .description("what is under way, and what nobody can know; --done settles what was looked up")
    .argument("[ids...]", "writes that the upstream has acted on")
    .option("--done", "they took effect: they are closed, and not sent again")
    .option("--reason <text>", "how you know; recorded")
    .option("--wait-seconds <n>", "wait until nothing is under way", "0")
    .action((ids: string[], options: WordOptions & ReconcileOptions, self: Command) =>
      withState(parts, self, async (state) => {
        if (ids.length === 0 && options.done !== true) return await reconcile(state, options, io);
        if (ids.length > 0 && options.done === true)
          return await say(state, ids, options, settled, io);
        return complain(
          io,
          "to settle writes, name them with --done and --reason; release <ids> sends them again, discard <ids> gives them up",
        );
      }),
    );
}

async function off(
  state: SharedState,
  ids: readonly string[],
  options: { readonly all?: boolean; readonly json?: boolean },
  io: CommandOutput,
): Promise<number> {
  if ((ids.length === 0) === (options.all !== true))
    return complain(io, "name the escrows to end, or --all; holdfast escrow list shows them");
  const done = await liftIn(state, options.all === true ? undefined : ids, ["escrow"]);
  if (!done.ok) return complain(io, done.error);
  const left = done.value.switches.filter(({ mode }) => mode === "escrow");
  if (options.json !== true)
    io.out(
      left.length === 0
        ? "no escrow is on any more; what is queued waits for release or discard"
        : `still on: ${left.map(({ id }) => id).join(", ")}`,
    );
  return await waitUntilObeyed(state, done.value, options, io);
}

interface Word {
  readonly name: "release" | "discard" | "settle";
  readonly description: string;
  readonly upstream: string;
  readonly step: "released" | "discarded" | "settled";
  /** What `--upstream` means by "all": never those of which nobody knows whether they took effect. */
  readonly covers: readonly EscrowItem["state"][];
  readonly change: (
    item: EscrowItem,
    by: string,
    reason: string,
    nowMs: number,
  ) => Result<EscrowItem, string>;
}

const words: readonly Word[] = [
  {
    name: "release",
    description: "have them carried out, in their order; one that is unknown may act twice then",
    upstream: "every write to it that is queued",
    step: "released",
    covers: ["queued"],
    change: released,
  },
  {
    name: "discard",
    description: "they will never be carried out",
    upstream: "every write to it that is queued or released",
    step: "discarded",
    covers: ["queued", "released"],
    change: (item, by, reason, nowMs) => endedByPerson(item, "discarded", by, reason, nowMs),
  },
];

const settled: Word = {
  name: "settle",
  description: "",
  upstream: "",
  step: "settled",
  covers: [],
  change: (item, by, reason, nowMs) => endedByPerson(item, "executed", by, reason, nowMs),
};

/** 0 all; 1 some could not be; 2 none was asked for in a way that can be done. */
async function say(
  state: SharedState,
  ids: readonly string[],
  options: WordOptions,
  word: Word,
  io: CommandOutput,
): Promise<number> {
  const reason = options.reason?.trim() ?? "";
  if (reason === "") return complain(io, "say why with --reason: it is recorded");
  const chosen = await choose(state, ids, options.upstream, word);
  if (!chosen.ok) return complain(io, chosen.error);
  let failed = 0;
  for (const item of chosen.value) {
    const said = { step: word.step, by: operator(), reason };
    const done = await take(state, item, said, (now, nowMs) =>
      word.change(now, said.by, reason, nowMs),
    );
    if (!done.ok) {
      failed += 1;
      io.err(`error: ${done.error}`);
    } else if (options.json === true)
      io.out(JSON.stringify({ id: item.id, state: done.value.state, before: item.state }));
    else io.out(printable(`${item.id}: ${done.value.state} (${item.tool} of ${item.agent})`));
  }
  if (chosen.value.length === 0 && options.json !== true)
    io.out(`nothing to ${word.name} at ${options.upstream}`);
  return failed === 0 ? 0 : 1;
}

async function choose(
  state: SharedState,
  ids: readonly string[],
  upstream: string | undefined,
  { name, covers }: Word,
): Promise<Result<readonly EscrowItem[], string>> {
  if ((ids.length === 0) === (upstream === undefined))
    return err(`name the writes to ${name}, or --upstream; holdfast escrow list shows them`);
  if (upstream !== undefined) {
    const items = await itemsOf(state, "open");
    if (!items.ok) return items;
    return ok(
      items.value.filter((item) => item.upstream === upstream && covers.includes(item.state)),
    );
  }
  const wrong = ids.find((id) => !isItemId(id));
  if (wrong !== undefined) return err(`${JSON.stringify(wrong)} is no id of a held write`);
  const chosen: EscrowItem[] = [];
  for (const id of new Set(ids)) {
    const item = await itemOf(state, id);
    if (!item.ok) return item;
    chosen.push(item.value);
  }
  return ok(chosen.sort((a, b) => a.upstream.localeCompare(b.upstream) || a.seq - b.seq));
}
