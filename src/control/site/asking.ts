/** Asks one component of the site, and holds its answer to the question. */
import {
  type Component,
  fillVerification,
  type ProbeAnswer,
  type Site,
} from "../../failover/index.ts";
import type { JsonObject } from "../../kernel/index.ts";
import type { Clock, Entropy, Probe, ProbeFinding } from "../../ports.ts";

export interface AskingParts {
  readonly probe: Probe;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly deployment: string;
  readonly site: Site;
}

/** Never rejects. An answer of another site or to another question is a FAIL: something stands where it should not. */
export async function askComponent(
  { probe, clock, entropy, deployment, site }: AskingParts,
  component: Component,
  epoch: number,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const nonce = Buffer.from(entropy.bytes(16)).toString("hex");
  const startMs = clock.monotonicMs();
  const binding = { deployment, site: site.id, epoch, nonce, component: component.name };
  const asked = new Date(clock.wallMs()).toISOString();
  const answer = (finding: Omit<ProbeFinding, "site" | "nonce">): ProbeAnswer => ({
    ...binding,
    ...{ verdict: finding.verdict, because: finding.because, observed: finding.observed },
    bound_by: finding.boundBy,
    asked,
    took_ms: Math.round(clock.monotonicMs() - startMs),
  });
  const filled = fillVerification(component.verify, {
    ...{ site: site.id, nonce, variables: site.variables },
  });
  if (!filled.ok) return answer(unheard(filled.error));
  const found = await inTime(probe, clock, component, signal, {
    ...{ component: component.name, site: site.id, nonce, timeoutMs: component.latency_ms_max },
    verification: filled.value as unknown as JsonObject,
    ...(component.config_digest === undefined ? {} : { configDigest: component.config_digest }),
  });
  if (found.site !== site.id || found.nonce !== nonce) {
    const said = `it answered for site ${found.site}${found.nonce === nonce ? "" : " and another question"}`;
    return answer({ ...found, verdict: "fail", because: said });
  }
  return answer(found);
}

/** A probe that breaks its promise to answer in time is not waited for. */
async function inTime(
  probe: Probe,
  clock: Clock,
  { latency_ms_max: timeoutMs }: Component,
  signal: AbortSignal,
  question: Parameters<Probe["ask"]>[0],
): Promise<ProbeFinding> {
  const done = new AbortController();
  const { site, nonce } = question;
  const late = clock
    .sleep(timeoutMs + lateMs, AbortSignal.any([done.signal, signal]))
    .then(() => ({ ...unheard(`it did not answer within ${timeoutMs} ms`), site, nonce }));
  const asked = probe.ask(question, signal).catch((thrown: unknown) => ({
    ...unheard(`the probe broke: ${String(thrown)}`),
    site,
    nonce,
  }));
  const found = await Promise.race([asked, late]);
  done.abort();
  return found;
}

const lateMs = 500;

function unheard(because: string): Omit<ProbeFinding, "site" | "nonce"> {
  return { verdict: "inconclusive", because, observed: {}, boundBy: "address" };
}
