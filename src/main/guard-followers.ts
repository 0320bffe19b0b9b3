/** What the guard tells others all the time: Patroni, whether this standby may be promoted; Kubernetes, whether agents are ready. */
import { readFileSync } from "node:fs";
import { systemClock } from "../adapters/clock/index.ts";
import { undiciTransport } from "../adapters/http/index.ts";
import { KubernetesApi, runReadinessGate } from "../adapters/kubernetes/index.ts";
import { tagStandby } from "../adapters/patroni/index.ts";
import type { FailoverConfig } from "../cli/index.ts";
import type { Guard, GuardParts } from "../control/index.ts";

const parityEveryMs = 2_000;
const readinessEveryMs = 1_000;

/** Until `signal` aborts; agents are then not ready. Never rejects. */
export async function followGuard(
  { patroni, kubernetes }: FailoverConfig,
  guard: Guard,
  parts: GuardParts,
  signal: AbortSignal,
): Promise<void> {
  const http = undiciTransport({ addresses: "not_metadata" });
  const following: Promise<void>[] = [];
  if (patroni !== undefined)
    following.push(
      followParity(guard, parts, signal, (outOfRace) =>
        tagStandby(
          { http, clock: systemClock, folder: patroni.folder, apiUrl: patroni.api_url },
          outOfRace,
        ),
      ),
    );
  if (kubernetes !== undefined) {
    const { api_url: url, namespace, token_file: file } = kubernetes;
    const token = file === undefined ? {} : { token: () => readFileSync(file, "utf8").trim() };
    const readiness = {
      ...{ api: new KubernetesApi(http, { url, ...token }), clock: systemClock, log: parts.log },
      ...{ namespace, everyMs: readinessEveryMs, state: () => readinessOf(guard) },
    };
    following.push(runReadinessGate(readiness, signal));
  }
  await Promise.all(following);
  await http.close();
}

/**
 * A standby that is known to differ stands back (AG-403 4.8), and comes back when it is known to be the same. What is not known changes
 * nothing: when the acting site has died nobody can be compared with it, and that is when the standby is needed.
 */
async function followParity(
  guard: Guard,
  { parity, clock, log }: GuardParts,
  signal: AbortSignal,
  tag: (outOfRace: boolean) => ReturnType<typeof tagStandby>,
): Promise<void> {
  let told: boolean | undefined;
  for (; !signal.aborted; await clock.sleep(parityEveryMs, signal)) {
    if (guard.state.phase !== "standby") continue;
    const { verdict, because } = await parity();
    const outOfRace = verdict === "fail";
    if (verdict === "inconclusive" || outOfRace === told) continue;
    const tagged = await tag(outOfRace);
    told = tagged.ok ? outOfRace : undefined;
    if (tagged.ok) log.write("info", "patroni_tagged", { nofailover: outOfRace, because });
    else log.write("warn", "patroni_not_tagged", { detail: tagged.error });
  }
}

function readinessOf(guard: Guard): { readonly validated: boolean; readonly because: string } {
  const now = guard.permit();
  const { phase, failing } = guard.state;
  const names = failing.map(({ component }) => component).join(", ");
  const validated = now !== undefined && now.tier !== "stop";
  return { validated, because: names === "" ? phase : `${phase}: ${names}` };
}
