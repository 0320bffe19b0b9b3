/**
 * Preloaded into the soaked gateway (`node --expose-gc --import …`): on SIGUSR2 it collects garbage and adds a line to the file that
 * `SOAK_SAMPLES` names. The gateway itself knows nothing of it.
 */
import { appendFileSync, readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { GatewaySample } from "./soak-verdict.ts";

const path = process.env["SOAK_SAMPLES"] ?? "";
const resolutionMs = 10;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();

process.on("SIGUSR2", () => {
  const lagP99Ms = Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
  // Twice: what the first run finalises, the second one frees.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const sample: GatewaySample = {
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    fds: readdirSync("/proc/self/fd").length,
    handles: process.getActiveResourcesInfo().length,
    lagP99Ms,
  };
  appendFileSync(path, `${JSON.stringify(sample)}\n`);
  delay.reset();
});
