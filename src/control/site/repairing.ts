/** Runs the repair that the manifest declares for a component (AG-403 4.10). What it says proves nothing; all is asked again after it. */
import type { Component, RemediationAttempt } from "../../failover/index.ts";
import type { GuardParts } from "./guard-parts.ts";

type Ran = Pick<RemediationAttempt, "result" | "detail" | "took_ms">;

const detailCharactersMax = 500;
const path = "/usr/sbin:/usr/bin:/sbin:/bin";

export async function repaired(
  { commands, clock, site }: GuardParts,
  name: string,
  repair: NonNullable<Component["remediation"]>,
  signal: AbortSignal,
): Promise<Ran> {
  const sinceMs = clock.monotonicMs();
  const env = { HOLDFAST_SITE: site.id, HOLDFAST_COMPONENT: name, PATH: path };
  const ran = await commands.run(repair.command, env, repair.timeout_seconds * 1_000, signal);
  return {
    result: ran.exitCode === 0 ? "done" : ran.exitCode === null ? "timed_out" : "failed",
    detail: (ran.errors ?? ran.output).slice(-detailCharactersMax),
    took_ms: Math.round(clock.monotonicMs() - sinceMs),
  };
}
