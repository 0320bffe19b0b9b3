/** `holdfast why` and `holdfast model`: what production is made of, what happened to it, and why. */
import type { Command } from "commander";
import { watchStatuses } from "../../control/index.ts";
import { type StateCommandParts, withState } from "../switches.ts";
import { type DrawOptions, draw } from "./draw.ts";
import { forgetOld } from "./forget-old.ts";
import { type IngestOptions, ingest } from "./ingest.ts";
import { atWords, knownAtWords } from "./moment.ts";
import { openModel } from "./open.ts";
import { registerConfirming } from "./register-confirming.ts";
import { type OnModel, registerReading } from "./register-reading.ts";
import { remembranceOf } from "./remembrance-of.ts";
import { type ShowOptions, showModel } from "./show.ts";
import { showWhy, type WhyOptions } from "./why.ts";

/** Adds `why`, and `model` with its sub-commands. `withStore` adds the options that say where the store is. */
export function registerModelCommands(
  program: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  const onModel: OnModel = (command, work) =>
    withState(parts, command, async (state, config) => {
      const rules = remembranceOf(config.model);
      const opened = await openModel(state, rules, (line) => parts.io.err(line));
      if (opened.ok) return await work(opened.value, { state, config });
      parts.io.err(`error: ${opened.error}`);
      return 2;
    });
  withStore(program.command("why"))
    .description(
      "what caused a symptom: ranked causes with the path, the evidence, what was ruled out",
    )
    .argument("<symptom...>", "a node and what is wrong with it, such as: service:front latency")
    .option("--at <moment>", atWords)
    .option("--known-at <moment>", knownAtWords)
    .option("--lookback <time>", "trouble began at most so long before: 90s, 2h; 15m, unless given")
    .option("--json", "print the whole answer as JSON")
    .option("--picture <file>", "write the chain to a file: .svg, .mmd (Mermaid) or .json")
    .option("--draft <file>", "write the first cause to a file, for `holdfast model confirm`")
    .action((words: string[], options: WhyOptions, command: Command) =>
      onModel(command, ({ graph, nowMs }, { config }) => {
        const incidentKeepMs = remembranceOf(config.model).incident.keepMs;
        return showWhy(graph, words, options, { io: parts.io, nowMs, incidentKeepMs });
      }),
    );
  const model = program
    .command("model")
    .description("the runtime model: production as a graph in time, and what it remembers");
  registerConfirming(model, withStore, parts);
  registerReading(program, model, withStore, parts, onModel);
  registerStoredModel(model, withStore, parts);
  registerShow(withStore(model.command("show")), onModel, parts);
  withStore(model.command("draw"))
    .description("what is around a node at a moment, as a picture")
    .argument("<node>", "a node's id or name")
    .option("--at <moment>", atWords)
    .option("--known-at <moment>", knownAtWords)
    .option("--depth <edges>", "so many edges away", "2")
    .option("--format <format>", "svg, mermaid or json; by the file's ending, unless given")
    .option("-o, --output <file>", "where to; standard output, unless given")
    .action((node: string, options: DrawOptions, command: Command) =>
      onModel(command, (opened) => draw(opened, node, options, parts.io)),
    );
}

/** What changes the stored model. */
function registerStoredModel(
  model: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  withStore(model.command("ingest"))
    .description(
      "take in files, folders or addresses: Kubernetes objects, deploys, alerts, flags, catalogues, telemetry …",
    )
    .argument(
      "<address...>",
      "files, folders or http(s) addresses; each file is taken whole or refused",
    )
    .option("--as <source>", "the source that all of them are of; known by its marks, unless given")
    .option("--dry-run", "read and check everything, store nothing")
    .option("--window <seconds>", "by which calls and log lines of telemetry are counted", "60")
    .option("--json", "print JSON")
    .action((addresses: string[], options: IngestOptions, command: Command) =>
      withState(parts, command, (state, config) =>
        ingest(state, addresses, options, { io: parts.io, rules: remembranceOf(config.model) }),
      ),
    );
  withStore(model.command("forget"))
    .description("remove from the store what is older than the configuration keeps it")
    .option("--json", "print JSON")
    .action((options: { readonly json?: boolean }, command: Command) =>
      withState(parts, command, (state, config) =>
        forgetOld(state, remembranceOf(config.model), options, parts.io),
      ),
    );
}

function registerShow(show: Command, onModel: OnModel, { io }: StateCommandParts): void {
  show
    .description("what is known: how much of each kind, from which source; or all of one node")
    .option(
      "--node <id>",
      "all of this node (id or name): its aspects, neighbours, changes, trouble",
    )
    .option("--at <moment>", atWords)
    .option("--known-at <moment>", knownAtWords)
    .option("--json", "print JSON")
    .action((options: ShowOptions, command: Command) =>
      onModel(command, async (opened, { state }) => {
        const watches = await watchStatuses(state);
        if (watches.ok) return await showModel(opened, options, { io, watches: watches.value });
        io.err(`error: ${watches.error}`);
        return 2;
      }),
    );
}
