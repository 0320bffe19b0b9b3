/** Facts of the runtime model on their way to policy: the control process makes them, the gateway reads them. */
import { join } from "node:path";
import { openDisk } from "../adapters/disk/index.ts";
import { parseVkey, vkeyPath } from "../audit/index.ts";
import { type Config, remembranceOf } from "../cli/index.ts";
import { type KeptLogSource, ModelKeeper } from "../control/index.ts";
import { ModelWatch } from "../gateway/index.ts";
import type { Clock, Disk, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";

/** In the data folder. */
const modelFactsPath = "model/facts.jsonl";

/** `disk` is the data folder. */
export function modelWatchOf(
  { model }: Pick<Config, "model">,
  ports: {
    readonly disk: Disk;
    readonly clock: Clock;
    readonly log: Log;
    readonly telemetry: Telemetry;
  },
): ModelWatch {
  const { disk, clock, log, telemetry } = ports;
  return new ModelWatch({
    ...{ disk, clock, log, telemetry },
    path: modelFactsPath,
    pollMs: model.facts_every_seconds * 1_000,
    freshForMs: model.facts_fresh_seconds * 1_000,
  });
}

/** The control plane's part: it brings the model up to date, and makes the facts. */
export function modelKeeperOf(
  { data, model }: Pick<Config, "data" | "model">,
  ports: {
    readonly state: SharedState;
    readonly clock: Clock;
    readonly log: Log;
    readonly telemetry: Telemetry;
    readonly watchedUntilMs?: () => number | null;
  },
): ModelKeeper {
  return new ModelKeeper({
    ...ports,
    disk: openDisk(data),
    rules: remembranceOf(model),
    factsPath: modelFactsPath,
    everyMs: model.facts_every_seconds * 1_000,
    outcomeWindowMs: model.outcome_window_seconds * 1_000,
    openLog: () => gatewayLog(join(data, "log")),
  });
}

/** Undefined while no gateway has written one. */
async function gatewayLog(folder: string): Promise<KeptLogSource | undefined> {
  const files = openDisk(folder);
  const key = await files.read(vkeyPath);
  const verifier = key.ok ? parseVkey(Buffer.from(key.value).toString()) : undefined;
  return verifier?.ok ? { name: verifier.value.name, files, verifier: verifier.value } : undefined;
}
