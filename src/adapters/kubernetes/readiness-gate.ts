/**
 * Tells Kubernetes whether a site may act: the condition `holdfast.dev/validated` of each agent's pod. A condition has no
 * lifetime, so it is taken back as soon as the verdict is gone, and while this controller is dead it stays what it was: that
 * is why the gateway asks for a permit by itself, and this is a layer before it.
 */
import { isJsonArray, isJsonObject, type JsonObject } from "../../kernel/index.ts";
import type { Clock, Log } from "../../ports.ts";
import type { KubernetesApi, KubernetesError } from "./api.ts";
import { agentLabel, readinessCondition } from "./manifests.ts";

/** `because` is shown by `kubectl describe`. */
export interface SiteReadiness {
  readonly validated: boolean;
  readonly because: string;
}

export interface ReadinessGateParts {
  readonly api: KubernetesApi;
  readonly clock: Clock;
  readonly log: Log;
  readonly namespace: string;
  /** Asked anew for every round; when it throws, the site is not validated. */
  readonly state: () => SiteReadiness;
  /** The longest time between two rounds; changes of pods bring one sooner. */
  readonly everyMs: number;
}

const selector = `${agentLabel}=true`;
const busyMsMax = 30_000;

/** Rounds until `signal` aborts, and a last one in which nobody is validated. Never rejects. */
export async function runReadinessGate(
  parts: ReadinessGateParts,
  signal: AbortSignal,
): Promise<void> {
  const { clock, everyMs } = parts;
  while (!signal.aborted) {
    const round = await convergeReadiness(parts, stateOf(parts));
    if (!round.ok) {
      parts.log.write("warn", "readiness_gate_round_failed", { ...round.error });
      await clock.sleep(Math.min(round.error.retryAfterMs ?? everyMs, busyMsMax), signal);
      continue;
    }
    // A change of any pod, the next round's time, or the end, whichever comes first.
    const wake = new AbortController();
    const end = (): void => wake.abort();
    signal.addEventListener("abort", end, { once: true });
    const watching = parts.api.watch(parts.namespace, selector, round.from, end, wake.signal);
    await clock.sleep(everyMs, wake.signal);
    end();
    signal.removeEventListener("abort", end);
    const ended = await watching;
    if (ended !== "ended" && ended.kind !== "gone" && ended.kind !== "unreachable")
      parts.log.write("warn", "readiness_gate_watch_failed", { ...ended });
  }
  await convergeReadiness(parts, { validated: false, because: "the guard has stopped" });
}

type Round =
  | { readonly ok: true; readonly from: string; readonly changed: number }
  | { readonly ok: false; readonly error: KubernetesError };

/** One round: every agent's pod says what `wanted` says, or the error of the first that could not be told. */
export async function convergeReadiness(
  parts: ReadinessGateParts,
  wanted: SiteReadiness,
): Promise<Round> {
  const { api, namespace } = parts;
  const listed = await api.pods(namespace, selector);
  if (!listed.ok) return listed;
  const different = listed.value.pods.filter((pod) => !says(pod, wanted));
  const told = await Promise.all(different.map((pod) => tell(parts, pod, wanted)));
  const failed = told.find((error) => error !== undefined);
  if (failed !== undefined) return { ok: false, error: failed };
  return { ok: true, from: listed.value.resourceVersion, changed: different.length };
}

async function tell(
  { api, clock, namespace }: ReadinessGateParts,
  pod: JsonObject,
  { validated, because }: SiteReadiness,
): Promise<KubernetesError | undefined> {
  const { name, uid } = metadataOf(pod);
  const condition = {
    ...{ type: readinessCondition, status: statusText(validated) },
    ...{ reason: validated ? "Validated" : "NotValidated", message: because },
    lastTransitionTime: `${new Date(clock.wallMs()).toISOString().slice(0, 19)}Z`,
  };
  const set = await api.setConditions(namespace, name, uid, [condition]);
  // Gone, or another pod of that name: the next round sees what there is.
  if (set.ok || set.error.kind === "missing" || set.error.kind === "conflict") return undefined;
  return set.error;
}

function says(pod: JsonObject, { validated }: SiteReadiness): boolean {
  const status = pod["status"];
  const conditions = isJsonObject(status) ? status["conditions"] : undefined;
  const all = isJsonArray(conditions) ? conditions.filter(isJsonObject) : [];
  const ours = all.find(({ type }) => type === readinessCondition);
  // A condition that is absent is False to Kubernetes, but says nothing to people.
  return ours?.["status"] === statusText(validated);
}

function stateOf({ state }: ReadinessGateParts): SiteReadiness {
  try {
    return state();
  } catch {
    return { validated: false, because: "the gate cannot be read" };
  }
}

function statusText(validated: boolean): string {
  return validated ? "True" : "False";
}

function metadataOf(pod: JsonObject): { readonly name: string; readonly uid: string } {
  const metadata = pod["metadata"];
  const of = isJsonObject(metadata) ? metadata : {};
  return { name: String(of["name"]), uid: String(of["uid"]) };
}
