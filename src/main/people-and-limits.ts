/** What people and counters allow, from the state that gateways share: kill switch, approvals, rates and budgets. */
import { join } from "node:path";
import { systemEntropy } from "../adapters/clock/index.ts";
import { openTokenKey } from "../adapters/token-key/index.ts";
import { noteVerifier } from "../audit/index.ts";
import type { Config } from "../cli/index.ts";
import type { EscrowBounds } from "../escrow/index.ts";
import {
  AdoptionGate,
  Approvals,
  ApprovalWatch,
  EscrowGate,
  EscrowWords,
  type ExecutorParts,
  KillWatch,
  LimitWatch,
  OverrideKeys,
  type PermitWatch,
  Reservations,
  recoverClaims,
  type SpineParts,
} from "../gateway/index.ts";
import { err, ok, type Result, sha256Hex } from "../kernel/index.ts";
import type { Signer } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { callFates } from "./call-fates.ts";
import { careOf, type UpstreamsCare } from "./upstream-care.ts";

/** A thrown switch is in force within a second; this is how often it is looked for. */
const killPollMs = 200;
/** About as often as metrics are read. */
const limitsPollMs = 10_000;

interface Parts
  extends Pick<SpineParts, "clock" | "ledger" | "log" | "policy" | "telemetry" | "origin"> {
  readonly state: SharedState;
  /** Of this gateway's log. */
  readonly signer: Signer;
  /** Absent: the deployment runs standalone. */
  readonly permit?: PermitWatch;
}

interface PeopleAndLimits extends Pick<SpineParts, "gates" | "upstreams"> {
  readonly kill: KillWatch;
  readonly approvals: ApprovalWatch;
  readonly overrideKeys: OverrideKeys;
  readonly care: UpstreamsCare;
  /** For whoever carries out held writes: this life, and what the log says of the ones before. */
  readonly life: Pick<ExecutorParts, "run" | "logName" | "fateOf">;
  /** What is kept an eye on, until the signal aborts. */
  readonly follow: (signal: AbortSignal) => Promise<unknown>;
}

/** The kill switch is looked at, and what an earlier run left open is settled, before the first call. */
export async function peopleAndLimits(
  config: Config,
  parts: Parts,
): Promise<Result<PeopleAndLimits, string>> {
  const { origin, signer, log, permit } = parts;
  await permit?.firstLook();
  const { limits, data, tenant } = config;
  const watch = { ...parts, tenant, leaseMs: limits.kill_lease_ms, pollMs: killPollMs };
  const kill = new KillWatch(watch);
  await kill.firstLook();
  const key = await openTokenKey(join(data, "keys", "override.jwk"));
  if (!key.ok) return err(key.error.detail);
  const run = Buffer.from(systemEntropy.bytes(8)).toString("hex");
  const life: PeopleAndLimits["life"] = {
    run,
    logName: sha256Hex(signer.publicKey).slice(0, 16),
    fateOf: async (calls) => {
      const verifier = noteVerifier(signer.name, signer.publicKey);
      const fates = await callFates(join(data, "log"), verifier, calls);
      if (!fates.ok) log.write("error", "log_not_read", { detail: fates.error });
      return fates;
    },
  };
  await recoverClaims({ ...parts, ...life, instance: origin.instance });
  const overrideKeys = new OverrideKeys(parts.state, key.value);
  const consent = new Approvals({
    ...{ ...parts, run },
    keys: overrideKeys,
    questionsPerMinuteMax: limits.approval_questions_per_minute_max,
  });
  const approvals = new ApprovalWatch(parts);
  const counters = new LimitWatch({ ...parts, pollMs: limitsPollMs });
  const care = await careOf(config, parts);
  const words = new EscrowWords({ ...parts, run });
  const escrow = new EscrowGate({
    ...{ ...parts, bounds: escrowBounds(config) },
    kill: { escrow: (request, tool) => kill.escrow(request, tool) ?? permit?.escrow() },
    breaker: care.toEscrow,
    upstreams: new Set(Object.keys(config.upstreams)),
  });
  const adoption = new AdoptionGate(parts);
  if (permit === undefined) await adoption.look();
  const site = permit === undefined ? [adoption] : [permit];
  const watched = [kill, approvals, consent, counters, care.board, words, ...site];
  return ok({
    ...{ kill, approvals, overrideKeys, care, life, upstreams: care.upstreams },
    follow: (signal) => Promise.all(watched.map((each) => each.follow(signal))),
    gates: [...site, consent, escrow, ...care.gates, new Reservations({ ...parts, run })],
  });
}

function escrowBounds({ limits }: Config): EscrowBounds {
  return {
    itemsMax: limits.escrow_items_max,
    bytesMax: limits.escrow_bytes_max,
    itemsPerAgentMax: limits.escrow_items_per_agent_max,
    bytesPerAgentMax: limits.escrow_bytes_per_agent_max,
  };
}
