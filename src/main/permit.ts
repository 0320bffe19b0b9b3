/** The gateway's permit: asked of the guard of its site, over HTTP. */
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { EntryOrigin } from "../audit/index.ts";
import type { Config, FailoverConfig } from "../cli/index.ts";
import { askGuard } from "../control/index.ts";
import { ledgerMark, type Manifest } from "../failover/index.ts";
import {
  type ActivePolicy,
  type KnownManifest,
  type PermitAnswer,
  PermitWatch,
} from "../gateway/index.ts";
import { err, isJsonObject, type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { Ledger } from "../ledger/index.ts";
import type { HttpTransport, Log, Telemetry } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { keptLogs } from "./observed-logs.ts";
import { type SiteManifest, SiteManifests } from "./site-manifest.ts";

interface Parts {
  readonly ledger: Ledger;
  readonly state: SharedState;
  readonly http: HttpTransport;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly policy: ActivePolicy;
  readonly origin: EntryOrigin & { epoch: number };
}

const timeoutMs = 2_000;

/** Undefined: the deployment runs standalone. The error is a sentence for the operator. */
export async function permitWatchOf(
  config: Config,
  parts: Parts,
): Promise<Result<PermitWatch | undefined, string>> {
  const { failover, tenant, site } = config;
  if (failover === undefined) return ok(undefined);
  const manifests = await SiteManifests.open(config, failover);
  const known = await manifests.read();
  if (!known.ok) return known;
  const { manifest } = known.value;
  const { deployment } = manifest;
  return ok(
    new PermitWatch({
      ...{
        ...parts,
        clock: systemClock,
        entropy: systemEntropy,
        deployment,
        tenant,
        site,
      },
      manifest: async () => {
        const now = await manifests.read();
        return now.ok ? ok(knownOf(now.value)) : now;
      },
      fenceKey: `failover/${encodeURIComponent(deployment)}/fence`,
      askGuard: (question) => askPermit(failover, parts.http, question),
      acknowledged: () => acknowledgedBy(parts, manifest),
      policyVersion: () => parts.policy.current()?.revision,
    }),
  );
}

function knownOf({ manifest, digest, guardKey }: SiteManifest): KnownManifest {
  return { digest, guardKey, ttlMs: manifest.objectives.verdict_ttl_seconds * 1_000 };
}

/** What this gateway has acknowledged: by the store's own count of it, and by its log where somebody keeps it. */
function acknowledgedBy({ state, ledger }: Parts, manifest: Manifest): JsonObject {
  const known = state.acknowledged;
  const { size, checkpoint } = ledger.head();
  const [origin = ""] = checkpoint.split("\n");
  const isKept = keptLogs(manifest).some((log) => log.origin === origin);
  return {
    ...(known === undefined || known.count === 0 ? {} : { [known.key]: known.count }),
    ...(isKept ? { [ledgerMark + origin]: size } : {}),
  };
}

async function askPermit(
  { guard_url: url, token }: FailoverConfig,
  http: HttpTransport,
  question: JsonObject,
): Promise<PermitAnswer> {
  const guard = { url, token: token.reveal(), timeoutMs };
  const answer = await askGuard(http, guard, "/permit", question);
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  if (status === 200) return ok({ open: true, envelope: body });
  if (body["code"] === "gate_closed") return ok({ open: false, why: closedWhy(body) });
  return err(`the guard at ${url} answers ${status}`);
}

function closedWhy({ phase, failing }: JsonObject): string {
  const all = Array.isArray(failing) ? failing : [];
  const why = all.map((each) =>
    isJsonObject(each) ? `${String(each["component"])}: ${String(each["because"])}` : "",
  );
  return `the gate is ${String(phase)}${why.length === 0 ? "" : ` (${why.join("; ")})`}`;
}
