/** Builds the town of `test/fixtures/drill-town.ts`, and the variables that every scenario needs there. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { encodeVkey } from "../../../src/audit/index.ts";
import { componentClasses } from "../../../src/failover/index.ts";
import type { JsonObject } from "../../../src/kernel/index.ts";
import { Random, simSigner } from "../../../src/sim/index.ts";
import { type Drilled, drillScenario } from "../../fixtures/drill-scenario.ts";
import { PostgresServer } from "../../fixtures/postgres.ts";
import { manifest } from "../../unit/failover/drill/experiments.ts";

const program = resolve("test/fixtures/drill-town.ts");
const tool = resolve("test/fixtures/drill-tool.ts");
const programs = ["policy", "audit", "road", "fra", "dub"];

export const scenarios: readonly string[] = [
  ...["process-kill", "freeze", "partition", "lost-slot", "missing-sidecar", "stale-bundle"],
  ...["wrong-jurisdiction", "revoked-key", "audit-sink-full", "clock-skew", "double-failure"],
  ...["failback", "flapping", "gate-death"],
];

export class DrillSite {
  readonly folder: string = mkdtempSync(join(tmpdir(), "holdfast-drill-"));
  readonly #postgres: PostgresServer;
  readonly #planted: boolean;
  readonly #ports: Readonly<Record<string, number>>;

  static async open(planted: boolean): Promise<DrillSite> {
    const postgres = await PostgresServer.primary({ settings: ["wal_level = logical"] });
    postgres.query("SELECT pg_create_logical_replication_slot('audit', 'pgoutput')");
    const ports: Record<string, number> = {};
    for (const name of programs) ports[name] = await freePort();
    const site = new DrillSite(postgres, ports, planted);
    try {
      await site.#start();
    } catch (thrown) {
      await site.close();
      throw thrown;
    }
    return site;
  }

  private constructor(
    postgres: PostgresServer,
    ports: Readonly<Record<string, number>>,
    planted: boolean,
  ) {
    this.#postgres = postgres;
    this.#ports = ports;
    this.#planted = planted;
    const write = (path: string, text: string): void => writeFileSync(this.at(path), text);
    for (const [path, text] of Object.entries(files)) write(path, text);
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    const { bundle = "", location, key } = files;
    const count = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'audit'";
    write(
      "town.json",
      JSON.stringify({
        ...{ ports, planted },
        expected: { bundle: sha256(bundle), location, key },
        slotQuery: ["psql", "-X", "-A", "-t", "-q", "-d", postgres.url, "-c", count],
      }),
    );
    write("manifest.yaml", JSON.stringify(this.#manifest()));
    mkdirSync(this.at("sink"));
    // A file system of its own, so that it can be filled.
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", this.at("sink")]);
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  #command(mode: string, name: string): [string, ...string[]] {
    return [process.execPath, program, mode, this.folder, ...(name === "" ? [] : [name])];
  }

  async #start(): Promise<void> {
    const [library] = [".cache/tools/usr/lib", "/usr/lib"].flatMap((place) =>
      globSync(`${resolve(place)}/*/faketime/libfaketime.so.1`),
    );
    if (library === undefined) throw new Error("libfaketime is missing: run node tools/prepare.ts");
    const faked = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.at("clock"),
      FAKETIME_NO_CACHE: "1",
      DONT_FAKE_MONOTONIC: "1",
    };
    const begin = (mode: string, name: string, env: NodeJS.ProcessEnv = {}): void => {
      const [file, ...args] = this.#command(mode, name);
      const options = { stdio: "ignore", detached: true, env: { ...process.env, ...env } } as const;
      spawn(file, args, options).unref();
    };
    begin("component", "policy");
    begin("component", "audit", faked);
    begin("road", "road");
    for (const site of ["fra", "dub"]) begin("guard", site);
    for (const deadline = Date.now() + 20_000; ; ) {
      const asked = await fetch(`${this.#guardUrl("fra")}/gate/fra`).catch(() => undefined);
      if (asked?.status === 200) return;
      if (Date.now() > deadline) throw new Error(`the town in ${this.folder} does not open`);
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }

  #guardUrl(site: string): string {
    return `http://127.0.0.1:${this.#ports[site]}`;
  }

  /** The sites and components of the town; the other classes are not looked at here. */
  #manifest(): JsonObject {
    const sites = manifest.sites.map((site, i) => {
      const { name, publicKey } = simSigner(`${site.id}.guard`, new Random(7 + i));
      return {
        ...site,
        guard_url: this.#guardUrl(site.id),
        guard_key: encodeVkey(name, publicKey),
      };
    });
    const components = (["policy", "audit"] as const).map((name) => ({
      ...{ name, class: name === "policy" ? "enforcement" : "audit" },
      verify: { kind: "tcp", address: `${name}.{site}.example:1` },
      ...{ latency_ms_max: 500, on_failure: "block" },
    }));
    const covered = components.map((each) => each.class);
    const not_applicable = componentClasses
      .filter((each) => !covered.includes(each))
      .map((each) => ({ class: each, reason: "no part of this town", approved_by: "the mayor" }));
    const { format, deployment, tenant, version, mode } = manifest;
    return {
      ...{ format, deployment, tenant, version, mode, sites, components, not_applicable },
      residency: [{ data_class: "orders", jurisdictions: ["EU"] }],
      objectives: manifest.objectives,
    } as unknown as JsonObject;
  }

  get #variables(): Readonly<Record<string, unknown>> {
    const at = (path: string): string => this.at(path);
    const town = (mode: string): string[] => this.#command(mode, "");
    const holdfast = [process.execPath, tool];
    const fault = (...args: string[]): string[] => [
      ...holdfast,
      "failover",
      "drill",
      "fault",
      ...args,
    ];
    const common = {
      ...{ holdfast, deployment: manifest.deployment, folder: this.folder },
      ...{ site: "fra", guard_url: this.#guardUrl("fra"), component: "policy" },
      ...{ other_site: "dub", other_guard_url: this.#guardUrl("dub") },
      ...{ act: town("act"), ungoverned: town("ungoverned"), reached: town("reached") },
      ...{ pid_file: at("policy.pid"), start: this.#command("component", "policy") },
      ...{ other_component: "audit", other_pid_file: at("audit.pid") },
      ...{ guard_pid_file: at("dub.pid"), guard_start: this.#command("guard", "dub") },
      ...{ sidecar: at("sidecar"), bundle: at("bundle"), stale_bundle: at("bundle.old") },
      ...{ location: at("location"), wrong_location: at("location.wrong") },
      ...{ key: at("key"), revoked_key: at("key.revoked"), sink: at("sink"), mib_max: "2" },
      ...{ clock_file: at("clock"), skewed_clock_file: at("clock.wrong") },
      ...(this.#planted ? { closes_within: 3, opens_within: 10 } : {}),
      ...{ psql: "psql", conninfo: this.#postgres.url, slot: "audit", plugin: "pgoutput" },
      cut: fault("remove", "--file", at("road.open")),
      join: fault("restore", "--file", at("road.open")),
    };
    return common;
  }

  /** Runs a scenario of the library as a person would, and says what came of it. */
  async drill(scenario: string): Promise<Drilled> {
    process.env["HOLDFAST_GUARD_TOKEN"] = "t0wn";
    return await drillScenario(scenario, this.folder, this.#variables);
  }

  async close(): Promise<void> {
    for (const name of programs)
      try {
        process.kill(Number(readFileSync(this.at(`${name}.pid`), "utf8")), "SIGKILL");
      } catch {
        // It has ended already.
      }
    await this.#postgres.kill();
    execFileSync("umount", ["-l", this.at("sink")]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const files: Readonly<Record<string, string>> = {
  ...{ bundle: "bundle 7", "bundle.old": "bundle 3", sidecar: "#!sidecar" },
  ...{ location: "DE", "location.wrong": "US-VA", key: "key 7", "key.revoked": "key 3" },
  ...{ clock: "+0", "clock.wrong": "+120", "road.open": "open", holder: "fra", epoch: "7" },
};

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => found(typeof address === "object" && address ? address.port : 0));
    });
  });
}
