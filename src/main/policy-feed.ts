/** How newer policy reaches a gateway: from the data folder, or from a bundle server. */
import { readFile } from "node:fs/promises";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { BundleConfig, Config } from "../cli/index.ts";
import { BundleSubscription, type PolicySource } from "../gateway/index.ts";
import type { HttpTransport, Log, Telemetry } from "../ports.ts";

/** What a bundle may hold, packed. */
const archiveBytesMax = 64 * 1024 * 1024;

export interface FeedParts {
  readonly http: HttpTransport;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly policySource: PolicySource;
}

/** Undefined where the control plane stores bundles into the data folder itself. */
export function subscriptionOf(
  { bundle }: Config,
  { policySource, ...ports }: FeedParts,
): BundleSubscription | undefined {
  if (bundle === undefined) return undefined;
  return new BundleSubscription({
    ...{ ...ports, clock: systemClock, entropy: systemEntropy, source: policySource },
    url: bundle.url,
    token: () => tokenOf(bundle),
    delayMsMin: bundle.poll_seconds_min * 1_000,
    delayMsMax: bundle.poll_seconds_max * 1_000,
    waitSecondsMax: bundle.long_poll_seconds,
    staleAfterMs: bundle.stale_after_seconds * 1_000,
    bytesMax: archiveBytesMax,
  });
}

/** Tokens in files are replaced while we run, by Kubernetes for instance. */
async function tokenOf({ token, token_file: file }: BundleConfig): Promise<string | undefined> {
  return file === undefined ? token?.reveal() : (await readFile(file, "utf8")).trim();
}
