/**
 * Scenario C: the promotion loses the audit pipeline. The slot that the warehouse reads from is not on the new primary; the
 * application writes on, and no alarm says that nobody reads.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GovernedCluster } from "../../test/fixtures/governed-cluster.ts";
import { DatabaseWriter, pause } from "./database-writer.ts";
import { generatedDigest, type Run, spanSeconds } from "./figures.ts";
import { firstAfter } from "./scenario-a.ts";
import { killLeader, stockCluster } from "./stock-cluster.ts";

const beforeMs = 3_000;
const afterMs = 10_000;
const slot = "audit_cdc";

export async function stockScenarioC(): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-scenario-c-"));
  const cluster = await stockCluster();
  const home = cluster.patroni.node("fra");
  const warehouse = new Warehouse(join(folder, "warehouse"), cluster.port);
  const writer = new DatabaseWriter(cluster.port, async () => undefined);
  try {
    home.query(`SELECT pg_create_logical_replication_slot('${slot}', 'wal2json')`);
    warehouse.start();
    writer.start();
    await pause(beforeMs);
    const { successor, promotedMs } = await killLeader(cluster.patroni);
    await firstAfter(writer, home.ports.postgres);
    await pause(afterMs);
    await writer.stop();
    // Whatever is under way has time to arrive.
    await pause(3_000);
    const stored = successor.query("SELECT string_agg(id::text, ' ') FROM action").split(" ");
    const arrived = warehouse.ids();
    const lost = stored.filter((id) => !arrived.has(id));
    const moments = writer.written.filter(({ id }) => lost.includes(String(id)));
    return {
      ...{ scenario: "C", title: "the promotion loses the audit pipeline" },
      ...{ variant: "stock", setup: "Patroni, etcd, HAProxy, PostgreSQL, wal2json" },
      configurations: cluster.configurations,
      figures: {
        ungoverned_actions: moments.length,
        ungoverned_seconds: spanSeconds(moments.map(({ atMs }) => atMs)),
        audit_rows_lost: lost.length,
        unapproved_addresses_answered: null,
      },
      proof: {
        rows_in_database: stored.length,
        rows_in_warehouse: arrived.size,
        promoted_after_ms: promotedMs,
        slot_on_the_new_primary: successor.query(
          `SELECT count(*) FROM pg_replication_slots WHERE slot_name = '${slot}'`,
        ),
      },
    };
  } finally {
    await writer.stop();
    await warehouse.stop();
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Longer than Patroni needs to promote. */
const blockedMs = 45_000;

/**
 * The same loss with a guard at each site that asks for the slot: the target has none, so that nothing is promoted and nothing is
 * written that nobody would read.
 */
export async function governedScenarioC(): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-scenario-c-"));
  const cluster = await GovernedCluster.start({
    ...{ names: ["mandate-gateway", "audit-log"], components },
    // Made by whoever reads it, as in the stock half; Patroni leaves it alone, and copies it nowhere.
    dcs: { ignore_slots: [{ name: slot, type: "logical" }] },
    database: (leader) => {
      leader.query("CREATE TABLE action (id serial PRIMARY KEY, at timestamptz NOT NULL)");
      leader.query(`SELECT pg_create_logical_replication_slot('${slot}', 'wal2json')`);
    },
  });
  const { world } = cluster;
  const warehouse = new Warehouse(join(folder, "warehouse"), cluster.databasePort);
  const writer = new DatabaseWriter(cluster.databasePort, async () => undefined);
  try {
    warehouse.start();
    writer.start();
    await pause(beforeMs);
    // What is written from now on is read before the machine dies: the loss to look for is that of the promotion.
    await writer.stop();
    await pause(3_000);
    const successor = await cluster.killSite("fra");
    const after = new DatabaseWriter(cluster.databasePort, async () => undefined);
    after.start();
    await pause(blockedMs);
    await after.stop();
    const stored = successor.query("SELECT string_agg(id::text, ' ') FROM action").split(" ");
    const arrived = warehouse.ids();
    const lost = stored.filter((id) => !arrived.has(id));
    const { phase, failing } = await world.status("dub");
    return {
      ...{ scenario: "C", title: "the promotion loses the audit pipeline" },
      ...{ variant: "governed", setup: "the same, with Holdfast's guards and hooks" },
      configurations: [
        generatedDigest("haproxy", cluster.haproxyText),
        generatedDigest("patroni", cluster.patroniText),
      ],
      figures: {
        ungoverned_actions: after.written.length,
        ungoverned_seconds: spanSeconds(after.written.map(({ atMs }) => atMs)),
        audit_rows_lost: lost.length,
        unapproved_addresses_answered: null,
      },
      proof: {
        ...{ rows_in_database: stored.length, rows_in_warehouse: arrived.size },
        ...{ attempts_meanwhile: after.failures, phase_of_target: String(phase) },
        failing: (failing as readonly { readonly component: string }[])
          .map(({ component }) => component)
          .join(" "),
        promoted: String(await successor.takesWrites()),
      },
    };
  } finally {
    await writer.stop();
    await warehouse.stop();
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

const components = `  - name: audit-slot
    class: audit
    verify: { kind: postgres, connection: { env: DATABASE }, check: { slot: ${slot} } }
    latency_ms_max: 2000
    on_failure: block`;

/** Reads the slot into a file and connects again whenever that ends, for as long as it runs. */
class Warehouse {
  readonly #file: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(file: string, port: number) {
    this.#file = file;
    this.#port = port;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child?.kill("SIGKILL");
    await this.#running;
  }

  /** Ids of the rows that arrived. */
  ids(): ReadonlySet<string> {
    const lines = readFileSync(this.#file, "utf8").split("\n");
    const inserted = /"action":"I".*?"table":"action".*?"name":"id","type":"integer","value":(\d+)/;
    return new Set(lines.flatMap((line) => inserted.exec(line)?.[1] ?? []));
  }

  async #run(): Promise<void> {
    const output = openSync(this.#file, "a");
    const where = ["-h", "127.0.0.1", "-p", String(this.#port), "-U", "postgres", "-d", "postgres"];
    const how = ["-S", slot, "--start", "-f", "-", "-o", "format-version=2", "-n", "-F", "1"];
    while (!this.#stopped) {
      const child = spawn("/usr/lib/postgresql/15/bin/pg_recvlogical", [...where, ...how], {
        stdio: ["ignore", output, "ignore"],
      });
      this.#child = child;
      await new Promise((ended) => child.once("exit", ended).once("error", ended));
      await pause(1_000);
    }
    closeSync(output);
  }
}
