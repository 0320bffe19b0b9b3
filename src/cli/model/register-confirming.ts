/** The commands by which what people found out becomes memory. */
import type { Command } from "commander";
import { type StateCommandParts, withState } from "../switches.ts";
import { type ConfirmOptions, confirmFiles, fromIncident, fromPostmortem } from "./confirm.ts";
import { remembranceOf } from "./remembrance-of.ts";

export function registerConfirming(
  model: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  const commands = [
    {
      name: "import-postmortem",
      does: "remember what postmortems say: Markdown, or JSON with a chain of causes",
      read: fromPostmortem,
    },
    {
      name: "confirm",
      does: "remember a confirmed incident: JSON with id, node, kind, chain, felt, resolution",
      read: fromIncident,
    },
  ] as const;
  for (const { name, does, read } of commands)
    withStore(model.command(name))
      .description(does)
      .argument("<file...>", "files to read")
      .option("--by <name>", "who stands for it", "operator")
      .action((files: string[], options: ConfirmOptions, command: Command) =>
        withState(parts, command, (state, config) =>
          confirmFiles(state, files, {
            ...{ read, by: options.by, io: parts.io },
            rules: remembranceOf(config.model),
          }),
        ),
      );
}
