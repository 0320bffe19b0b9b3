/**
 * Scenario A: the enforcement point is a sidecar of the agent, and at the target nobody deployed it. The database fails over,
 * the agent there takes up its work, and reaches its tools directly.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GovernedCluster } from "../../test/fixtures/governed-cluster.ts";
import { Site } from "../../test/fixtures/site.ts";
import { agentToken } from "../../test/fixtures/tokens.ts";
import { DatabaseWriter, pause } from "./database-writer.ts";
import { generatedDigest, type Run, spanSeconds } from "./figures.ts";
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

/** Longer than Patroni needs to promote, and HAProxy to notice. */
const blockedMs = 45_000;

/**
 * The same loss with a guard at each site: the target lacks its gateway, so that its gate stays closed, Patroni's hook refuses the
 * promotion, and HAProxy lets nothing through; agents hold no other way to their tools.
 */
export async function governedScenarioA(): Promise<Run> {
  const cluster = await GovernedCluster.start({ gateways: ["fra"] });
  const { world, patroni } = cluster;
  let attempts = 0;
  const agent = async (): Promise<void> => {
    attempts += 1;
    await fetch(`http://127.0.0.1:${cluster.agentsPort}/http/pay/charge`, {
      ...{ method: "POST", body: "{}", signal: AbortSignal.timeout(2_000) },
      headers: { authorization: `Bearer ${agentToken}`, "content-type": "application/json" },
    }).catch(() => undefined);
  };
  patroni.node("fra").query("CREATE TABLE action (id serial PRIMARY KEY, at timestamptz NOT NULL)");
  const writer = new DatabaseWriter(cluster.databasePort, agent);
  // Agents go on trying, whatever becomes of the database.
  let isOver = false;
  const trying = (async () => {
    for (; !isOver; await pause(20)) await agent();
  })();
  try {
    world.set("dub", "mandate-gateway", "fail");
    writer.start();
    await pause(beforeMs);
    await cluster.killSite("fra");
    // What was under way has arrived.
    await pause(200);
    const before = { actions: world.received().length, attempts, writes: writer.written.length };
    await pause(blockedMs);
    const ungoverned = world.received().length - before.actions;
    const { phase, failing } = await world.status("dub");
    const attemptsMeanwhile = attempts - before.attempts;
    const writesMeanwhile = writer.written.length - before.writes;
    const isPromoted = await patroni.node("dub").takesWrites();
    return {
      ...{ scenario: "A", title: "the enforcement sidecar is missing at the target" },
      ...{ variant: "governed", setup: "the same, with Holdfast's guards, gateways and hooks" },
      configurations: [
        generatedDigest("haproxy", cluster.haproxyText),
        generatedDigest("patroni", cluster.patroniText),
      ],
      figures: {
        ungoverned_actions: ungoverned + writesMeanwhile,
        ungoverned_seconds: 0,
        audit_rows_lost: null,
        unapproved_addresses_answered: null,
      },
      proof: {
        ...{ governed_before: before.actions, attempts_meanwhile: attemptsMeanwhile },
        phase_of_target: String(phase),
        failing: (failing as readonly { readonly component: string }[])
          .map(({ component }) => component)
          .join(" "),
        promoted: String(isPromoted),
      },
    };
  } finally {
    isOver = true;
    await Promise.all([writer.stop(), trying]);
    await cluster.remove();
  }
}
