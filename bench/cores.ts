/** Processes held to one core each, so that "on one core" is what it says. */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** The gateway's core, and that of everything else: load, stub, engines. */
export const gatewayCore = 0;
const ownCore = 1;

function works(args: readonly string[]): boolean {
  return spawnSync("taskset", args).status === 0;
}

/** In front of a command; empty where there is no taskset. */
export function pinned(core: number): readonly string[] {
  return works(["-c", `${core}`, "true"]) ? ["taskset", "-c", `${core}`] : [];
}

/** Holds this process, its threads and its later children to their core. False where that is not possible. */
export function pinSelf(): boolean {
  return availableParallelism() > 1 && works(["-a", "-cp", `${ownCore}`, `${process.pid}`]);
}
