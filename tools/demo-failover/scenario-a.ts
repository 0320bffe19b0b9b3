/**
 * Scenario A: the enforcement point is a sidecar of the agent, and at the target nobody deployed it. The database fails over,
 * the agent there takes up its work, and reaches its tools directly.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Site } from "../../test/fixtures/site.ts";
import { agentToken } from "../../test/fixtures/tokens.ts";
import { DatabaseWriter, pause } from "./database-writer.ts";
import { type Run, spanSeconds } from "./figures.ts";
import { killLeader, stockCluster } from "./stock-cluster.ts";

const beforeMs = 3_000;
const afterMs = 10_000;

export async function stockScenarioA(): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-scenario-a-"));
  const cluster = await stockCluster();
  // The one sidecar there is: a Holdfast gateway that no manifest asks for.
  const site = await Site.prepare(folder);
  const sidecar = await site.gateway();
  const home = cluster.patroni.node("fra").ports.postgres;
  const direct: number[] = [];
  const writer = new DatabaseWriter(cluster.port, async ({ id, port, atMs }) => {
    const body = JSON.stringify({ order: id });
    const json = { "content-type": "application/json" };
    if (port === home)
      await fetch(`${sidecar.url}/http/pay/charge`, {
        ...{ method: "POST", body },
        headers: { ...json, authorization: `Bearer ${agentToken}` },
      });
    else {
      await fetch(`${site.upstream.url}/charge`, { method: "POST", body, headers: json });
      direct.push(atMs);
    }
  });
  try {
    writer.start();
    await pause(beforeMs);
    const { promotedMs } = await killLeader(cluster.patroni);
    await firstAfter(writer, home);
    await pause(afterMs);
    await writer.stop();
    // Counted at the tool: what came through the sidecar carries the id of its recorded call.
    const received = site.received();
    const ungoverned = received.filter(({ call }) => call === null).length;
    return {
      ...{ scenario: "A", title: "the enforcement sidecar is missing at the target" },
      ...{ variant: "stock", setup: "Patroni, etcd, HAProxy, PostgreSQL" },
      configurations: cluster.configurations,
      figures: {
        ungoverned_actions: ungoverned,
        ungoverned_seconds: spanSeconds(direct),
        audit_rows_lost: null,
        unapproved_addresses_answered: null,
      },
      proof: { governed_before: received.length - ungoverned, promoted_after_ms: promotedMs },
    };
  } finally {
    await writer.stop();
    sidecar.kill();
    await sidecar.exited;
    await site.end();
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until the application writes at the target. */
export async function firstAfter(writer: DatabaseWriter, home: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!writer.written.some(({ port }) => port !== home)) {
    if (performance.now() > deadline) throw new Error("the application never wrote at the target");
    await pause(50);
  }
}
