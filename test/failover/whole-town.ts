/**
 * Two sites of real guards and gateways with everything that the library's faults need: a component behind a network that is
 * cut, a replication slot, a sidecar that is the gateway itself, a service that says where the site is, one that signs, a log on
 * a file system that can be full, a wall clock that can jump, two components that fail at once. Needs root.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { exportJWK, generateKeyPair } from "jose";
import { openSigner } from "../../src/adapters/keys/index.ts";
import { encodeVkey } from "../../src/audit/index.ts";
import { type Chrony, startChrony } from "../fixtures/chrony.ts";
import { type Drilled, drillScenario } from "../fixtures/drill-scenario.ts";
import { NetworkNamespace } from "../fixtures/network-namespace.ts";
import { PostgresServer } from "../fixtures/postgres.ts";
import { agentToken } from "../fixtures/tokens.ts";
import { freePort, TwoSites, until } from "../fixtures/two-sites.ts";
import { type Asked, soundComponents, unsoundComponents } from "./town-components.ts";

const node = process.execPath;
const fixture = (name: string): string => resolve(`test/fixtures/${name}.ts`);
const processes = ["consumer", "second", "partner", "services", "sidecar"] as const;
type ProcessName = (typeof processes)[number];

interface Town {
  world: TwoSites;
  host: NetworkNamespace;
  postgres: PostgresServer;
  chrony: Chrony;
}

export class WholeTown {
  readonly folder: string = mkdtempSync(join(tmpdir(), "holdfast-whole-"));
  readonly #made: Partial<Town> = {};
  readonly #ports: Record<string, number> = {};
  #looksAway = false;

  #the<K extends keyof Town>(what: K): Town[K] {
    const made = this.#made[what];
    if (made === undefined) throw new Error(`the town has no ${what} yet`);
    return made as Town[K];
  }

  /** `unsound`: every control that a fault of the library should meet looks at something else. */
  async open(controls: "sound" | "unsound"): Promise<void> {
    this.#looksAway = controls === "unsound";
    mkdirSync(this.#sink, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", this.#sink]);
    for (const name of [...processes, "gateway"]) this.#ports[name] = await freePort();
    const host = NetworkNamespace.create();
    this.#made.host = host;
    this.#made.chrony = await startChrony();
    this.#made.postgres = await PostgresServer.primary({ settings: ["wal_level = logical"] });
    this.#the("postgres").query("SELECT pg_create_logical_replication_slot('audit', 'pgoutput')");
    const asked = await this.#writeFiles();
    const components = (this.#looksAway ? unsoundComponents : soundComponents)(asked);
    const world = await TwoSites.prepare(this.folder, {
      components: components.join("\n"),
      names: ["mandate-gateway", "audit-pipeline", "mandates"],
      gatewayPorts: { fra: this.#port("gateway") },
      extra: (site) => `instance: ${site}-gateway\n`,
    });
    this.#made.world = world;
    for (const name of processes) this.#begin(name, name === "partner" ? host.under : []);
    for (const name of ["consumer", "second", "services"] as const)
      await until(() => answers(`http://127.0.0.1:${this.#port(name)}/fra/fine`), 30_000);
    for (const url of [`${this.#gatewayUrl}/livez`, this.#partnerUrl])
      await until(() => answers(url), 30_000);
    await world.startGuard("fra", this.#fakedClock);
    await world.startGuard("dub");
    await world.startGateway("dub");
    await world.reaches("fra", "ready", 60_000);
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  #port(of: string): number {
    return this.#ports[of] ?? 0;
  }

  /** Where the gateway of `fra` keeps its log. */
  get #sink(): string {
    return this.at("fra/data/log");
  }

  get #gatewayUrl(): string {
    return `http://127.0.0.1:${this.#port("gateway")}`;
  }

  get #partnerUrl(): string {
    return `http://${this.#the("host").address}:${this.#port("partner")}`;
  }

  async #writeFiles(): Promise<Asked> {
    const write = (path: string, text: string): void => {
      mkdirSync(join(this.at(path), ".."), { recursive: true });
      writeFileSync(this.at(path), text);
    };
    for (const site of ["fra", "dub"]) write(`${site}/policies/canary.yaml`, canaryPolicy);
    for (const [path, text] of Object.entries(files)) write(path, text);
    write("sidecar.mjs", `import ${JSON.stringify(resolve("bin/holdfast.mjs"))};\n`);
    write("restart.sh", this.#restartScript);
    chmodSync(this.at("restart.sh"), 0o755);
    // nft(8): a table is added first, so that deleting it is harmless when there is none.
    const none = "table inet drill\ndelete table inet drill\n";
    const drop = `tcp dport ${this.#port("partner")} drop`;
    const cut = `table inet drill { chain input { type filter hook input priority 0; ${drop}; }; }\n`;
    write("join.nft", none);
    write("cut.nft", none + cut);
    const published: object[] = [];
    for (const [name, kid] of [
      ["key.json", "key-7"],
      ["revoked.json", "key-3"],
    ] as const) {
      const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
      write(name, JSON.stringify({ ...(await exportJWK(privateKey)), kid }));
      if (kid === "key-7") published.push({ ...(await exportJWK(publicKey)), kid, alg: "ES256" });
    }
    write("jwks.json", JSON.stringify({ keys: published }));
    write("conninfo", this.#the("postgres").url);
    write("token", agentToken);
    mkdirSync(this.at("fra/data/keys"), { recursive: true });
    const signer = await openSigner(this.at("fra/data/keys/log.pem"), "fra.fra-gateway.holdfast");
    if (!signer.ok) throw new Error(signer.error.detail);
    const local = (name: string): string => `http://127.0.0.1:${this.#port(name)}`;
    return {
      ...{ consumer: local("consumer"), second: local("second"), services: local("services") },
      ...{ partner: this.#partnerUrl, gateway: this.#gatewayUrl, token: this.at("token") },
      ...{ conninfo: this.at("conninfo"), slot: "audit", ntp: this.#the("chrony").address },
      ...{ log: this.#sink, logKey: encodeVkey(signer.value.name, signer.value.publicKey) },
    };
  }

  #command(name: ProcessName): readonly string[] {
    const own = [this.at(`${name}.pid`), String(this.#port(name))];
    const commands: Readonly<Record<ProcessName, readonly string[]>> = {
      consumer: [fixture("echo-component"), ...own],
      second: [fixture("echo-component"), ...own],
      partner: [fixture("echo-component"), ...own, "0.0.0.0"],
      services: [fixture("site-services"), ...own, this.folder],
      sidecar: [this.at("sidecar.mjs"), "gateway", "--config", this.at("fra/holdfast.yaml")],
    };
    return [node, ...commands[name]];
  }

  #begin(name: ProcessName, under: readonly string[]): void {
    const [file = node, ...args] = [...under, ...this.#command(name)];
    const child = spawn(file, args, { stdio: "ignore", detached: true });
    writeFileSync(this.at(`${name}.pid`), `${child.pid}\n`);
    child.unref();
  }

  /** What an orchestrator does with a gateway that is not ready: it ends it, and begins it anew. */
  get #restartScript(): string {
    const quoted = this.#command("sidecar").map((part) => `'${part}'`);
    const pid = this.at("sidecar.pid");
    return `#!/bin/sh
kill -9 "$(cat ${pid})"
setsid ${quoted.join(" ")} </dev/null >/dev/null 2>&1 &
echo $! >${pid}
until curl --silent --fail ${this.#gatewayUrl}/livez; do sleep 0.1; done
`;
  }

  /** Its wall clock is what the file says; the monotonic one is the machine's. */
  get #fakedClock(): Readonly<Record<string, string>> {
    const [library] = [".cache/tools/usr/lib", "/usr/lib"].flatMap((place) =>
      globSync(`${resolve(place)}/*/faketime/libfaketime.so.1`),
    );
    if (library === undefined) throw new Error("libfaketime is missing: run node tools/prepare.ts");
    const file = { FAKETIME_TIMESTAMP_FILE: this.at("clock"), FAKETIME_CACHE_DURATION: "1" };
    return { LD_PRELOAD: library, ...file, DONT_FAKE_MONOTONIC: "1" };
  }

  async drill(scenario: string): Promise<Drilled> {
    const world = this.#the("world");
    process.env["HOLDFAST_GUARD_TOKEN"] = "guard-token-of-the-test";
    // What is there before is what must be there afterwards: a gate that just closes and opens is neither.
    await world.reaches("fra", "ready", 60_000);
    const logs = ["fra", "dub"].map((site) => this.at(`${site}/data/log`));
    const gateways = [this.#gatewayUrl, world.gateway("dub").url];
    const nft = [...this.#the("host").under, "nft", "-f"];
    const drilled = await drillScenario(scenario, this.folder, {
      ...{ holdfast: [node, fixture("drill-tool")], deployment: "trading-agents" },
      ...{ site: "fra", guard_url: world.guardUrl("fra"), folder: this.folder },
      act: [node, fixture("drill-act"), "act", agentToken, ...gateways],
      ungoverned: [node, fixture("drill-act"), "ungoverned", this.at("journal"), ...logs],
      // Where it will not close, nobody needs to wait long for it.
      ...(this.#looksAway ? { closes_within: 10 } : {}),
      ...{ component: "consumer", pid_file: this.at("consumer.pid") },
      ...{ start: this.#command("consumer"), other_component: "second" },
      ...{ other_pid_file: this.at("second.pid"), psql: "psql", plugin: "pgoutput" },
      ...{ conninfo: this.#the("postgres").url, slot: "audit" },
      reached: [node, fixture("drill-act"), "reached", `${this.#partnerUrl}/fra`],
      ...{ cut: [...nft, this.at("cut.nft")], join: [...nft, this.at("join.nft")] },
      ...{ sidecar: this.at("sidecar.mjs"), sink: this.#sink, mib_max: "64" },
      ...{ location: this.at("fra.location"), wrong_location: this.at("wrong.location") },
      ...{ key: this.at("key.json"), revoked_key: this.at("revoked.json") },
      ...{ clock_file: this.at("clock"), skewed_clock_file: this.at("clock.wrong") },
      restart: [this.at("restart.sh")],
      ...this.#own(scenario),
    });
    // For whoever reads why it is not what was expected.
    const { phase, failing } = await world.status("fra");
    return { ...drilled, err: `${drilled.err}${JSON.stringify({ phase, failing })}` };
  }

  /** Where a scenario does not mean the consumer. */
  #own(scenario: string): Readonly<Record<string, unknown>> {
    const sidecar = { pid_file: this.at("sidecar.pid"), start: this.#command("sidecar") };
    const components: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      partition: { component: "partner" },
      "lost-slot": { component: "change-feed" },
      "missing-sidecar": { component: "sidecar", ...sidecar },
      "wrong-jurisdiction": { component: "location-fra" },
      "revoked-key": { component: "signing-key" },
      "audit-sink-full": { component: "audit-log" },
      "clock-skew": { component: "clock" },
    };
    return components[scenario] ?? {};
  }

  async close(): Promise<void> {
    const { world, host, postgres, chrony } = this.#made;
    await world?.close();
    for (const name of processes)
      if (existsSync(this.at(`${name}.pid`)))
        try {
          process.kill(Number(readFileSync(this.at(`${name}.pid`), "utf8")), "SIGKILL");
        } catch {
          // It has ended already.
        }
    await postgres?.kill();
    await chrony?.remove();
    host?.remove();
    execFileSync("umount", ["-l", this.#sink]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** What the canaries ask about, and nobody may do. */
const canaryPolicy = `
policy: canary
tools:
  "pay:POST /canary": { effect: write, risk: high }
rules:
  - id: never
    match: { tools: "pay:POST /canary" }
    outcome: deny
    reason: it is there to be refused
`;

const files: Readonly<Record<string, string>> = {
  ...{ "fra.location": "DE", "dub.location": "IE", "wrong.location": "US-VA" },
  ...{ clock: "+0", "clock.wrong": "+50" },
};
