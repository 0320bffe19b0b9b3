/** The commands by which people and agents read the model before they act, and say afterwards what was right. */
import type { Command } from "commander";
import type { SharedState } from "../../state/index.ts";
import type { Config } from "../config-types.ts";
import { type StateCommandParts, withState } from "../switches.ts";
import { type CalibrationOptions, showCalibration } from "./calibration.ts";
import { type ImpactOptions, showImpact } from "./impact.ts";
import { serveModel } from "./mcp.ts";
import { atWords, knownAtWords } from "./moment.ts";
import type { OpenedModel } from "./open.ts";

/** Opens the model for a command, or says why not. */
export type OnModel = (
  command: Command,
  work: (opened: OpenedModel, of: { state: SharedState; config: Config }) => Promise<number>,
) => Promise<void>;

export function registerReading(
  program: Command,
  model: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
  onModel: OnModel,
): void {
  withStore(program.command("impact"))
    .description(
      "what an action would touch: services, operations, a share of the traffic, policies",
    )
    .argument("<what>", "a node (service:cart) or a tool of the catalog (ops:restart)")
    .option("--change <kind>", "what would be done to it: deploy, config, flag, restart, scale …")
    .option("--args <json>", "arguments of the tool, which name its target")
    .option("--at <moment>", atWords)
    .option("--known-at <moment>", knownAtWords)
    .option("--json", "print the whole answer as JSON")
    .option("--no-keep", "do not keep the prediction to be compared with what happens")
    .action((what: string, options: ImpactOptions, command: Command) =>
      onModel(command, (opened, of) =>
        showImpact(what, options, { ...opened, ...of, io: parts.io }),
      ),
    );
  withStore(model.command("mcp"))
    .description("the model for agents: an MCP server on standard input and output that only reads")
    .option("--agent <name>", "who asks; what this agent may not read is not there", "local")
    .action((options: { readonly agent: string }, command: Command) =>
      withState(parts, command, (state, config) =>
        serveModel({
          ...{ state, config, io: parts.io, agent: options.agent },
          version: program.version() ?? "0",
        }),
      ),
    );
  withStore(model.command("calibration"))
    .description("how good predictions of impact were, compared with what the traffic then showed")
    .option("--window <seconds>", "before and after an action, what is compared", "300")
    .option("--json", "print JSON, with every prediction")
    .action((options: CalibrationOptions, command: Command) =>
      onModel(command, (opened, { state }) => showCalibration(opened, state, options, parts.io)),
    );
}
