/** `holdfast failover`: everything about what must be intact before a site may act. */
import type { Command } from "commander";
import type { CommandOutput } from "../policy-knowledge.ts";
import { registerAuditGapCommand } from "./audit-gap.ts";
import { registerCheckCommand } from "./check.ts";
import { registerConfigCommand } from "./config.ts";
import { registerDrillCommands } from "./drill.ts";
import type { OpenDrills } from "./drill-run.ts";
import { registerEvidenceCommands } from "./evidence.ts";
import { type GuardCommandParts, registerGuardCommands } from "./guard.ts";
import { registerLintCommand } from "./lint.ts";
import { registerManifestCommands } from "./manifest.ts";

export type { DrillsGiven, OpenDrills, OpenedDrills } from "./drill-run.ts";

/** Adds `failover` with its sub-commands, and returns it for more. `exit` gets each command's exit code. */
export function registerFailoverCommands(
  program: Command,
  io: CommandOutput,
  exit: (code: number) => void,
  built: Omit<GuardCommandParts, "io" | "exit"> & {
    readonly openDrills: OpenDrills;
  },
): Command {
  const failover = program
    .command("failover")
    .description("what must be intact before a site may act, and whether it is (AG-403)");
  registerManifestCommands(failover, io, exit);
  registerGuardCommands(failover, { io, exit, ...built });
  registerLintCommand(failover, program.version() ?? "0", io, exit);
  registerCheckCommand(failover, program.version() ?? "0", io, exit);
  registerConfigCommand(failover, io, exit);
  registerAuditGapCommand(failover, io, exit);
  registerDrillCommands(failover, built.openDrills, io, exit);
  registerEvidenceCommands(failover, io, exit);
  return failover;
}
