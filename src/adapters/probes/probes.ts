/** Every probe there is, by the kind of its verification. */
import type { Verification, VerificationKind } from "../../failover/index.ts";
import type { Probe, ProbeFinding, ProbeQuestion } from "../../ports.ts";
import {
  type Asking,
  type Found,
  fail,
  inconclusive,
  type ProbeOf,
  type ProbeParts,
} from "./asking.ts";
import { auditCanary } from "./audit-canary.ts";
import { bounded, boundedText } from "./bounded.ts";
import { cdcCanary } from "./cdc-canary.ts";
import { clock } from "./clock.ts";
import { dns } from "./dns.ts";
import { escalationEcho } from "./escalation-echo.ts";
import { exec } from "./exec.ts";
import { files } from "./files.ts";
import { grpcHealth } from "./grpc-health.ts";
import { http } from "./http.ts";
import { killSwitchCanary } from "./kill-switch-canary.ts";
import { kubernetes } from "./kubernetes.ts";
import { negativeCanary } from "./negative-canary.ts";
import { parity } from "./parity.ts";
import { postgres } from "./postgres.ts";
import { secretVersion } from "./secret-version.ts";
import { Secrets } from "./secrets.ts";
import { signature } from "./signature.ts";
import { tcp } from "./tcp.ts";
import { tls } from "./tls.ts";

type ProbesByKind = {
  readonly [K in VerificationKind]: ProbeOf<Extract<Verification, { readonly kind: K }>>;
};

const byKind: ProbesByKind = {
  audit_canary: auditCanary,
  cdc_canary: cdcCanary,
  clock,
  dns,
  grpc_health: grpcHealth,
  escalation_echo: escalationEcho,
  exec,
  files,
  http,
  kill_switch_canary: killSwitchCanary,
  kubernetes,
  negative_canary: negativeCanary,
  parity,
  postgres,
  secret_version: secretVersion,
  signature,
  tcp,
  tls,
};

const becauseCharactersMax = 600;
/** A probe is told to come to its end so long before its time is over, and says what it saw by then. */
const endMs = (timeoutMs: number): number => Math.max(timeoutMs * 0.8, timeoutMs - 150);

export function probes(parts: ProbeParts): Probe {
  return { ask: (question, signal) => ask(parts, question, signal) };
}

async function ask(
  parts: ProbeParts,
  question: ProbeQuestion,
  signal: AbortSignal,
): Promise<ProbeFinding> {
  const { kind } = question.verification;
  const probe =
    typeof kind === "string" && Object.hasOwn(byKind, kind)
      ? (byKind[kind as VerificationKind] as ProbeOf<Verification> | undefined)
      : undefined;
  const secrets = new Secrets(parts.env);
  const found =
    probe === undefined
      ? inconclusive(`no probe answers ${JSON.stringify(kind ?? null)}`)
      : await inTime(parts, question, signal, (told) => probe({ ...told, secrets }));
  return findingOf(question, configured(question, bound(question, found)), secrets);
}

/** Runs the probe; whatever it does, there is an answer in time. */
async function inTime(
  parts: ProbeParts,
  question: ProbeQuestion,
  signal: AbortSignal,
  probe: (told: Omit<Asking, "secrets">) => Promise<Found>,
): Promise<Found> {
  const { clock } = parts;
  const { timeoutMs, verification, ...rest } = question;
  if (signal.aborted) return inconclusive("it was told to stop before it was asked");
  const [timeUp, over] = [new AbortController(), new AbortController()];
  const stopped = AbortSignal.any([signal, timeUp.signal]);
  const isTimeUp = (): boolean => timeUp.signal.aborted && !signal.aborted;
  const told = {
    ...parts,
    ...{ question: { ...rest, timeoutMs }, verification: verification as unknown as Verification },
    ...{ signal: stopped, isTimeUp },
  };
  void clock.sleep(endMs(timeoutMs), over.signal).then(() => timeUp.abort());
  const late = clock.sleep(timeoutMs, over.signal).then(() => undefined);
  const leave = new Promise<void>((resolve) => {
    const soon = (): void => void clock.sleep(graceMs, over.signal).then(resolve);
    signal.addEventListener("abort", soon, { once: true, signal: over.signal });
  });
  const asked = Promise.resolve()
    .then(() => probe(told))
    .catch((thrown: unknown) =>
      inconclusive(thrown instanceof Error ? thrown.message : String(thrown)),
    );
  try {
    const found = await Promise.race([asked, late, leave]);
    if (found !== undefined) return found;
    return inconclusive(
      signal.aborted ? "it was told to stop" : `nothing was learned within ${timeoutMs} ms`,
    );
  } finally {
    over.abort();
  }
}

/** For what must be put back when a probe is told to stop. */
const graceMs = 250;

/** An answer of another site is a clear no; one to another question says nothing. */
function bound({ site, nonce }: ProbeQuestion, found: Found): Found {
  const { echo } = found;
  if (echo === undefined || found.verdict !== "pass") return found;
  if (echo.site !== site)
    return fail(`the answer is of site ${boundedText(echo.site, 60)}, not of ${site}`, found);
  if (echo.nonce === nonce) return found;
  return inconclusive("the answer is to another question: it names another nonce", found);
}

/** Where the manifest names a digest, a component that reports none is not shown to be as it must be. */
function configured({ configDigest }: ProbeQuestion, found: Found): Found {
  if (configDigest === undefined || found.verdict !== "pass") return found;
  const seen = found.observed?.["config_digest"];
  if (typeof seen !== "string")
    return inconclusive(
      "the manifest names a digest of its configuration, and it reports none",
      found,
    );
  if (seen === configDigest) return found;
  return fail(`its configuration is ${boundedText(seen, 80)}, not ${configDigest}`, found);
}

function findingOf(
  { site, nonce }: ProbeQuestion,
  { verdict, because, observed, echo }: Found,
  secrets: Secrets,
): ProbeFinding {
  return {
    verdict,
    because: boundedText(secrets.withoutThem(because), becauseCharactersMax),
    observed: bounded(secrets.withoutThem(observed ?? {})),
    boundBy: echo === undefined ? "address" : "echo",
    site: boundedText(echo?.site ?? site),
    nonce: boundedText(echo?.nonce ?? nonce),
  };
}
