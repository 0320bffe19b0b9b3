/** The model kept at work by the control process, with the cluster that it watches where one is configured. */
import type { Config } from "../cli/index.ts";
import { ModelLog } from "../control/index.ts";
import { ok, type Result } from "../kernel/index.ts";
import type { Clock, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { ClusterFeed } from "./cluster-feed.ts";
import { modelKeeperOf } from "./model-facts.ts";

export interface WatchedModel {
  /** Until `signal` aborts. Never rejects. */
  follow(signal: AbortSignal): Promise<void>;
}

/** The error is a sentence: a kubeconfig that cannot be used. A cluster that cannot be reached is none. */
export async function watchedModelOf(
  config: Pick<Config, "data" | "model" | "instance">,
  ports: {
    readonly state: SharedState;
    readonly clock: Clock;
    readonly log: Log;
    readonly telemetry: Telemetry;
  },
): Promise<Result<WatchedModel, string>> {
  const { kubernetes } = config.model;
  if (kubernetes === undefined) return ok(modelKeeperOf(config, ports));
  // Half a second and 90 MB that nobody else needs.
  const { ClusterWatch } = await import("../adapters/kubernetes-watch/index.ts");
  const watch = ClusterWatch.open(kubernetes, ports.clock);
  if (!watch.ok) return watch;
  const feed: ClusterFeed = new ClusterFeed(watch.value, {
    ...{ ...ports, model: new ModelLog(ports.state), instance: config.instance },
    graph: () => keeper.graph(),
  });
  const keeper = modelKeeperOf(config, { ...ports, watchedUntilMs: () => feed.watchedUntilMs() });
  return ok({
    follow: async (signal) => {
      await Promise.all([keeper.follow(signal), feed.follow(signal)]);
    },
  });
}
