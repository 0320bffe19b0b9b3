/** Two sites of real guards and gateways, a component that is a process and one that is a file, to run the library's drills against. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Drilled, drillScenario } from "../../fixtures/drill-scenario.ts";
import { agentToken } from "../../fixtures/tokens.ts";
import { freePort, TwoSites, until } from "../../fixtures/two-sites.ts";

const fixture = (name: string): string => resolve(`test/fixtures/${name}.ts`);
const node = process.execPath;
const bundle = "bundle 7";

export class GuardedTown {
  readonly folder: string = mkdtempSync(join(tmpdir(), "holdfast-guarded-"));
  #world: TwoSites | undefined;
  #port = 0;
  #looksAway = false;

  get world(): TwoSites {
    if (this.#world === undefined) throw new Error("the town did not open");
    return this.#world;
  }

  /** `onFailure` of its components: `alert` lets a site act although they are broken. */
  async open(onFailure: "block" | "alert"): Promise<void> {
    this.#port = await freePort();
    this.#looksAway = onFailure === "alert";
    const digest = createHash("sha256").update(bundle).digest("hex");
    const end = `latency_ms_max: 500, on_failure: ${onFailure}`;
    const components = [
      `  - { name: consumer, class: identity, verify: { kind: http, url: "http://127.0.0.1:${this.#port}/{site}", binding: echo, expect: { status: [200] } }, ${end} }`,
      `  - { name: bundle, class: identity, verify: { kind: files, path: "${this.folder}/bundle", digest: "sha256:${digest}" }, ${end} }`,
    ].join("\n");
    const names = ["mandate-gateway", "audit-pipeline", "mandates"];
    writeFileSync(this.at("bundle"), bundle);
    writeFileSync(this.at("bundle.old"), "bundle 3");
    const [file, ...args] = this.#consumer;
    this.#world = await TwoSites.prepare(this.folder, { components, names });
    spawn(file ?? node, args, { stdio: "ignore", detached: true }).unref();
    for (const site of ["fra", "dub"] as const) {
      const guard = await this.world.startGuard(site);
      writeFileSync(this.at(`${site}.pid`), `${guard.pid}\n`);
    }
    await this.world.reaches("fra", "ready");
    for (const site of ["fra", "dub"] as const) await this.world.startGateway(site);
    await until(async () => (await this.world.call("fra", "first")).status === 200, 20_000);
  }

  at(path: string): string {
    return join(this.folder, path);
  }

  get #consumer(): readonly string[] {
    return [node, fixture("echo-component"), this.at("consumer.pid"), String(this.#port)];
  }

  /** Runs a scenario of the library, and says what came of it. */
  async drill(scenario: string): Promise<Drilled> {
    const { world } = this;
    const gateways = (["fra", "dub"] as const).map((site) => world.gateway(site).url);
    const logs = ["fra", "dub"].map((site) => this.at(`${site}/data/log`));
    const guard = [
      node,
      resolve("bin/holdfast.mjs"),
      "failover",
      "guard",
      "--config",
      world.config("dub"),
    ];
    const common: Record<string, unknown> = {
      ...{ holdfast: [node, fixture("drill-tool")], deployment: "trading-agents" },
      ...{ site: "fra", guard_url: world.guardUrl("fra"), folder: this.folder },
      ...{ other_site: "dub", other_guard_url: world.guardUrl("dub"), component: "consumer" },
      act: [node, fixture("drill-act"), "act", agentToken, ...gateways],
      ungoverned: [node, fixture("drill-act"), "ungoverned", this.at("journal"), ...logs],
      ...{ pid_file: this.at("consumer.pid"), start: this.#consumer },
      ...{ bundle: this.at("bundle"), stale_bundle: this.at("bundle.old") },
      ...{ guard_pid_file: this.at("dub.pid"), guard_start: guard },
      // Where it will not close, nobody needs to wait long for it.
      ...(this.#looksAway ? { closes_within: 10 } : {}),
    };
    process.env["HOLDFAST_GUARD_TOKEN"] = "guard-token-of-the-test";
    return await drillScenario(scenario, this.folder, common);
  }

  async close(): Promise<void> {
    await this.#world?.close();
    for (const name of ["consumer", "fra", "dub"])
      try {
        process.kill(Number(readFileSync(this.at(`${name}.pid`), "utf8")), "SIGKILL");
      } catch {
        // It has ended already.
      }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
