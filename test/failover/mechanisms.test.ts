/**
 * AG-403 4.6, 8.6 (our reading of AG-403): whatever moves the traffic, the record of it is complete and closed. One deployment
 * of real guards and gateways lives through every mechanism that the record knows; at each target a component is broken when
 * it begins, and is repaired on the way, so that every record has something in each of its fields.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FailoverRecord, type Manifest, mechanisms } from "../../src/failover/index.ts";
import { sha256Hex } from "../../src/kernel/index.ts";
import { type Said, type SiteName, TwoSites, until } from "../fixtures/two-sites.ts";

type Mechanism = keyof typeof mechanisms;

/** What the record must say that this mechanism did. */
interface Moved {
  readonly to: SiteName;
  /** Null: nobody acted elsewhere before. */
  readonly from: SiteName | null;
  readonly planned: boolean;
}

type Case = (town: Town) => Promise<Moved>;

/** In this order. A mechanism without a case is an error of types, and of the last test. */
const cases: Readonly<Record<Mechanism, Case>> = {
  start: async (town) => {
    await town.breakAt("fra");
    await town.world.startGuard("fra");
    await town.world.startGateway("fra");
    return { to: "fra", from: null, planned: true };
  },
  recovery: async (town) => {
    // Before there is another site that would take over.
    town.world.set("fra", "audit-pipeline", "fail");
    await until(async () => (await town.world.status("fra"))["open_failover"] !== null, 30_000);
    await town.breakAt("fra");
    town.world.set("fra", "audit-pipeline", "fine");
    return { to: "fra", from: null, planned: false };
  },
  lease: async (town) => {
    // From when it is started, which is here; everywhere else a slow command must not lose to it.
    town.setAutomatic("dub", true);
    const moved = await town.afterDeath(async () => undefined);
    town.setAutomatic("dub", false);
    return moved;
  },
  manual: (town) =>
    town.afterDeath(({ to, from }) =>
      town.say(to, "begin", "--cause", "the region is lost", "--from", from),
    ),
  patroni: (town) =>
    town.afterDeath(({ to, from }) =>
      town.say(to, "await", "--budget", "40", "--begin", "patroni", "--from", from),
    ),
  maintenance: (town) => town.planned("maintenance"),
  "blue-green": (town) => town.planned("blue-green"),
  haproxy: (town) => town.byHook("haproxy"),
  dns: (town) => town.byHook("dns"),
  kubernetes: (town) => town.byHook("kubernetes"),
  drill: (town) => town.byHook("drill"),
};

const good = "limit 5000\n";

class Town {
  readonly folder: string = mkdtempSync(join(tmpdir(), "holdfast-mechanisms-"));
  #world: TwoSites | undefined;
  #acting: SiteName = "fra";

  get world(): TwoSites {
    if (this.#world === undefined) throw new Error("the town did not open");
    return this.#world;
  }

  async open(mode: Manifest["mode"]): Promise<void> {
    writeFileSync(join(this.folder, "limits.good"), good);
    const verify = `{ kind: files, path: "${this.folder}/{site}/limits", digest: "sha256:${sha256Hex(good)}" }`;
    const repair = `[/bin/sh, -c, 'cp "$0/limits.good" "$0/$HOLDFAST_SITE/limits"', "${this.folder}"]`;
    const more = `latency_ms_max: 500, on_failure: block, remediation: { command: ${repair}, timeout_seconds: 4 }`;
    this.#world = await TwoSites.prepare(this.folder, {
      ...{ mode, names: ["mandate-gateway", "audit-pipeline"] },
      components: `  - { name: limits, class: audit, verify: ${verify}, ${more} }`,
      extra: () => "  automatic: false\n",
    });
    for (const site of ["fra", "dub"] as const) this.mendAt(site);
  }

  setAutomatic(site: SiteName, isAutomatic: boolean): void {
    const file = this.world.config(site);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/automatic: \w+/, `automatic: ${isAutomatic}`));
  }

  mendAt(site: SiteName): void {
    writeFileSync(join(this.folder, site, "limits"), good);
  }

  async breakAt(site: SiteName): Promise<void> {
    writeFileSync(join(this.folder, site, "limits"), "limit 9999\n");
  }

  async say(site: SiteName, ...args: readonly string[]): Promise<void> {
    const said: Said = await this.world.failover(site, ...args);
    expect(said.code, said.err).toBe(0);
  }

  /** Both sites are there, and the one that does not act has compared itself with the other. */
  async #pair(): Promise<{ readonly from: SiteName; readonly to: SiteName }> {
    const from = this.#acting;
    const to = from === "fra" ? "dub" : "fra";
    if (!(await this.#runs(to))) {
      await this.world.startGuard(to);
      await this.world.startGateway(to);
    }
    await this.world.reaches(to, "standby");
    await this.world.compares(to);
    await this.breakAt(to);
    this.#acting = to;
    return { from, to };
  }

  async #runs(site: SiteName): Promise<boolean> {
    return await this.world.status(site).then(
      () => true,
      () => false,
    );
  }

  /** The guard of the acting site dies with its gateway; it stands by again when the next case needs it. */
  async afterDeath(begin: (of: { from: SiteName; to: SiteName }) => Promise<void>): Promise<Moved> {
    const { from, to } = await this.#pair();
    for (const each of [this.world.gateway(from), this.world.guard(from)]) {
      each.kill();
      await each.exited;
    }
    await begin({ from, to });
    return { from, to, planned: false };
  }

  async planned(mechanism: Mechanism): Promise<Moved> {
    const { from, to } = await this.#pair();
    const how = ["--mechanism", mechanism, "--cause", `${mechanism} of ${from}`, "--planned"];
    await this.say(to, "begin", ...how, "--from", from);
    await this.say(from, "stand-down", "--because", mechanism);
    return { from, to, planned: true };
  }

  /** As an orchestrator's own hook begins it, over HTTP. */
  async byHook(mechanism: Mechanism): Promise<Moved> {
    const { from, to } = await this.#pair();
    const headers = {
      authorization: "Bearer guard-token-of-the-test",
      "content-type": "application/json",
    };
    const asked = await fetch(`${this.world.guardUrl(to)}/failover`, {
      ...{ method: "POST", headers },
      body: JSON.stringify({
        ...{ mechanism, cause: `${from} is to be left`, detector: `${mechanism}-hook` },
        ...{ source_site: from, planned: false, initiated: new Date().toISOString() },
      }),
    });
    expect(asked.status).toBe(202);
    await this.say(from, "stand-down", "--because", mechanism);
    return { from, to, planned: false };
  }

  async records(site: SiteName): Promise<readonly FailoverRecord[]> {
    const answer = await fetch(`${this.world.guardUrl(site)}/record`);
    return ((await answer.json()) as { records: readonly FailoverRecord[] }).records;
  }

  /** The newest record of a mechanism, once traffic goes on. */
  async closed(site: SiteName, mechanism: string): Promise<FailoverRecord> {
    let newest: FailoverRecord | undefined;
    await until(
      async () => {
        const records = await this.records(site).catch(() => []);
        newest = records.filter((each) => each.mechanism === mechanism).at(-1);
        return newest !== undefined && newest.closed !== null;
      },
      60_000,
      async () =>
        `${mechanism} is not closed: ${JSON.stringify([newest, await this.world.status(site)])}`,
    );
    return newest as FailoverRecord;
  }

  async close(): Promise<void> {
    await this.#world?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Each field of AG-403 4.6 that is missing or cannot be, as a sentence. */
function missingIn(record: FailoverRecord, mechanism: string, moved: Moved): readonly string[] {
  const { initiated, validation_started, validation_ended, traffic_resumed, closed } = record;
  const times = [initiated, validation_started, validation_ended, traffic_resumed, closed];
  const inOrder = times.every((time, i) => {
    const before = times[i - 1];
    return time !== null && !Number.isNaN(Date.parse(time)) && (i === 0 || (before ?? "") <= time);
  });
  const asked = record.answers.map(({ component, verdict }) => `${component} ${verdict}`).sort();
  const checks: Readonly<Record<string, boolean>> = {
    "the trigger": record.mechanism === mechanism && record.cause !== "" && record.detector !== "",
    "whether it was planned": record.planned === moved.planned,
    "the source": record.source_site === moved.from,
    "the target": record.target_site === moved.to && record.site === moved.to,
    "the times, in their order": inOrder,
    "what was asked, and what it answered":
      asked.join() === "audit-pipeline pass,limits pass,mandate-gateway pass",
    "the manifest": /^sha256:[0-9a-f]{64}$/.test(record.manifest_digest),
    "how it ended": record.outcome === "resumed" && record.phase === "ready",
    "what was initialised again": record.reinitialised.join() === "limits",
    "the repair": record.remediation.some(({ component, result, took_ms }) => {
      return component === "limits" && result === "done" && took_ms >= 0;
    }),
    "governance recovery time": record.grt_ms !== null && record.grt_ms > 0,
    "the epoch": record.epoch > 0,
  };
  return Object.entries(checks).flatMap(([what, isThere]) => (isThere ? [] : [what]));
}

describe("AG-403 4.6, 8.6: every mechanism comes to a complete record", () => {
  const town = new Town();
  let epoch = 0;
  beforeAll(() => town.open("active_passive"));
  afterAll(() => town.close());

  test.each(Object.entries(cases))("AG-403 4.6, 8.6: %s", async (mechanism, begin) => {
    const moved = await begin(town);
    const record = await town.closed(moved.to, mechanism);
    expect(missingIn(record, mechanism, moved), JSON.stringify(record)).toEqual([]);
    expect(record.epoch).toBeGreaterThan(epoch);
    epoch = record.epoch;
  });

  test("AG-403 4.6, 8.6: no record was left open, and none of the mechanisms has no case", async () => {
    for (const site of ["fra", "dub"] as const)
      for (const record of await town.records(site))
        expect(record.closed, JSON.stringify(record)).not.toBeNull();
    expect(Object.keys(cases).sort()).toEqual(Object.keys(mechanisms).sort());
  });
});

describe("AG-403 4.6, 8.6: active-active", () => {
  const town = new Town();
  beforeAll(() => town.open("active_active"));
  afterAll(() => town.close());

  test("AG-403 4.6, 8.6: each site comes to a complete record of its own, and both act", async () => {
    for (const site of ["fra", "dub"] as const) {
      await town.breakAt(site);
      await town.world.startGuard(site);
      await town.world.startGateway(site);
    }
    const start = await town.closed("fra", "start");
    const moved = { to: "fra", from: null, planned: true } as const;
    expect(missingIn(start, "start", moved), JSON.stringify(start)).toEqual([]);
    await town.say("dub", "begin", "--cause", "the other half of the work");
    const second = await town.closed("dub", "manual");
    const other = { to: "dub", from: null, planned: false } as const;
    expect(missingIn(second, "manual", other), JSON.stringify(second)).toEqual([]);
    for (const site of ["fra", "dub"] as const)
      await until(async () => (await town.world.call(site, "both")).status === 200, 20_000);
  });
});
