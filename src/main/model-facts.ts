/** Facts of the runtime model on their way to policy: the control process makes them, the gateway reads them. */
import type { Config } from "../cli/index.ts";
import { ModelWatch } from "../gateway/index.ts";
import type { Clock, Disk, Log, Telemetry } from "../ports.ts";

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
