/** Runs `holdfast failover …` in this process, and keeps what it says. */
import { Command } from "commander";
import { registerFailoverCommands } from "../../../src/cli/failover/index.ts";
import { openDrills } from "../../../src/main/drills.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function failoverCommand(...args: readonly string[]): Promise<Said> {
  const said = { code: -1, out: "", err: "" };
  const program = new Command("holdfast").exitOverride();
  const io = {
    out: (line: string) => {
      said.out += `${line}\n`;
    },
    err: (line: string) => {
      said.err += `${line}\n`;
    },
  };
  const exit = (code: number): void => {
    said.code = code;
  };
  registerFailoverCommands(program, io, exit, {
    loadConfig: async () => undefined,
    runGuard: async () => 1,
    guardKey: async () => "",
    openDrills,
    openSharedState: async () => ({ ok: false, error: "there is no store here" }),
  });
  await program.parseAsync(["failover", ...args], { from: "user" });
  return said;
}
