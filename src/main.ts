/** The one place that builds things: the command line, and behind it the processes. */
import { createProgram } from "./cli/index.ts";
import { runControl } from "./main/control-process.ts";
import { openDrills } from "./main/drills.ts";
import { runGateway } from "./main/gateway-process.ts";
import { guardKey } from "./main/guard-key.ts";
import { runGuard } from "./main/guard-process.ts";
import { openSharedState } from "./main/shared-state.ts";
import { up } from "./main/up.ts";
import { version } from "./main/version.ts";
import { wrap } from "./main/wrap-process.ts";

/** Runs one command. Resolves with the exit code: 0 done, 1 found something wrong, 2 used wrongly. */
export function main(args: readonly string[]): Promise<number> {
  const processes = { runGateway, runControl, runGuard, up, wrap };
  return createProgram({ ...processes, version, guardKey, openSharedState, openDrills }).run(args);
}
