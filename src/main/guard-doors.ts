/** What stands before a site and follows its guard: agent check, gRPC health, the name in DNS, and whom it tells. */
import { systemClock } from "../adapters/clock/index.ts";
import { DnsSteering, followGate, type Steering } from "../adapters/dns/index.ts";
import { serveHealth } from "../adapters/grpc/index.ts";
import { type AgentState, serveAgentCheck } from "../adapters/haproxy/index.ts";
import type { FailoverConfig } from "../cli/index.ts";
import type { Guard, GuardParts } from "../control/index.ts";
import { digestOf, err, ok, type Result } from "../kernel/index.ts";
import { followGuard } from "./guard-followers.ts";
import { hostAndPort } from "./listen.ts";

export interface Doors {
  /** After the signal: the name is at the sinkhole, and nobody listens. */
  close(): Promise<void>;
}

/** The error is a sentence for the operator. */
export async function openDoors(
  failover: FailoverConfig,
  guard: Guard,
  parts: GuardParts,
  signal: AbortSignal,
): Promise<Result<Doors, string>> {
  const closing: (() => Promise<unknown>)[] = [];
  const { agent_check: agentCheck, grpc_health: grpcHealth, dns } = failover;
  try {
    if (agentCheck !== undefined) {
      const agent = await serveAgentCheck(hostAndPort(agentCheck), () => agentState(guard));
      closing.push(() => agent.close());
    }
    if (grpcHealth !== undefined) {
      const health = await serveHealth({
        ...{ listen: hostAndPort(grpcHealth), site: parts.site.id, services: ["holdfast"] },
        serves: () => isOpen(guard),
      });
      closing.push(() => health.close());
    }
  } catch (thrown) {
    for (const close of closing) await close();
    return err(`the guard cannot listen: ${String(thrown)}`);
  }
  if (dns !== undefined) {
    const { key_name: name, key } = dns;
    const secret = Buffer.from(key.reveal(), "base64");
    const at = { ...dns, server: hostAndPort(dns.server), key: { name, secret } };
    const following = followGate(
      {
        ...{ clock: systemClock, log: parts.log },
        steering: new DnsSteering({ ...at, ttlSeconds: dns.ttl_seconds }, systemClock),
        // Whoever stops does not wait until its verdict ends.
        wanted: () => wantedName(dns, guard, parts, !signal.aborted && isOpen(guard)),
        changed: (ms, ending) => guard.changed(ms, ending),
      },
      signal,
    );
    closing.push(() => following);
  }
  const telling = followGuard(failover, guard, parts, signal);
  closing.push(() => telling);
  return ok({
    close: async () => {
      for (const close of closing) await close();
    },
  });
}

function isOpen(guard: Guard): boolean {
  const now = guard.permit();
  return now !== undefined && now.tier !== "stop";
}

function agentState(guard: Guard): AgentState {
  if (isOpen(guard)) return { serves: true };
  const { phase, failing } = guard.state;
  const names = failing.map(({ component }) => component).join(" ");
  return { serves: false, reason: names === "" ? phase : `${phase}: ${names}` };
}

/** At this site while it may act; at the sinkhole, under the epoch it held, when it may not any more. */
function wantedName(
  { addresses, sinkhole }: NonNullable<FailoverConfig["dns"]>,
  guard: Guard,
  { deployment, manifest, digest, site }: GuardParts,
  acts: boolean,
): Steering | undefined {
  const { epoch, failover } = guard.state;
  if (epoch === 0) return undefined;
  if (!acts) return { addresses: sinkhole, verdict: "none", epoch };
  const verdict = digestOf({
    ...{ deployment, tenant: manifest.tenant, site: site.id, epoch, failover },
    manifest_digest: digest,
  });
  return { addresses, verdict, epoch };
}
