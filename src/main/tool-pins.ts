/** The stored tool definitions of the MCP upstreams that a gateway serves. */
import { join } from "node:path";
import { systemClock } from "../adapters/clock/index.ts";
import { openDisk } from "../adapters/disk/index.ts";
import { openToolPins, type ToolPins } from "../gateway/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import type { DataPlane } from "./gateway-process.ts";

/** By server. The error is a sentence for the operator. */
export async function toolPinsOf(
  servers: readonly string[],
  dataFolder: string,
  { log, telemetry }: DataPlane,
): Promise<Result<ReadonlyMap<string, ToolPins>, string>> {
  const parts = { disk: openDisk(dataFolder), clock: systemClock, log, telemetry };
  const pins = new Map<string, ToolPins>();
  for (const server of servers) {
    const opened = await openToolPins(server, parts);
    if (!opened.ok) return err(join(dataFolder, opened.error));
    pins.set(server, opened.value);
  }
  return ok(pins);
}
